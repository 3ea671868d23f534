//! What speaks to the servers: each operation until it is answered, or may not be repeated.

use super::connection::Connection;
use super::node::Node;
use super::nodes::{Map, Nodes};
use super::script::{Act, By, Words, command};
use super::settings::Settings;
use super::slots::{Place, slot};
use super::trouble::Trouble;
use super::walk;
use crate::random::{Random, Thread};
use crate::stores::Address;
use crate::stores::backend::{Answer, Op};
use crate::stores::error::StoreError;
use crate::stores::idempotency::Verb;
use crate::stores::net::backoff::Backoff;
use crate::stores::net::{Client, Notices};
use ::redis::Pipeline;
use std::sync::Arc;
use tokio::time::{Instant, sleep};

/// On how many connections one operation is tried.
pub(super) const TRIES: u32 = 3;

pub(super) struct Redis {
    pub settings: Arc<Settings>,
    pub nodes: Nodes,
}

impl Client for Redis {
    type Settings = Settings;

    fn new(settings: &Arc<Settings>, notices: &Arc<Notices>) -> Self {
        Self { settings: Arc::clone(settings), nodes: Nodes::new(settings, notices) }
    }

    async fn answer(&self, op: &Op) -> Result<Answer, StoreError> {
        let answer = match op {
            Op::Step(address, verb) => {
                let key = self.settings.key(address);
                let words = self.ask(address, &key, Act::Step(verb)).await?;
                words.reply(address, &key).map(Answer::Reply)
            }
            Op::Get(address) => {
                let key = self.settings.key(address);
                let words = self.ask(address, &key, Act::Get).await?;
                words.kept(address, &key).map(Answer::Record)
            }
            Op::List(..) | Op::Tally(_) | Op::Sweep(_) => return walk::answer(self, op).await,
        };
        answer.map_err(Trouble::said)
    }

    async fn let_go(&self) {
        self.nodes.let_go().await;
    }
}

/// Where one is asked.
struct Way {
    node: Arc<Node>,
    /// By this map, if there is one.
    map: Option<Arc<Map>>,
    /// The slot is on its way there, and only who says so is answered already.
    is_ahead: bool,
}

impl Redis {
    /// What the script says, at the server that has this key.
    pub async fn ask(
        &self,
        address: &Address,
        key: &[u8],
        act: Act<'_>,
    ) -> Result<Words, StoreError> {
        let begun = Instant::now();
        let (mut cut_off, mut lost, mut turned) = (None, 0, 0);
        let mut sent_on: Option<(Place, bool)> = None;
        while lost < TRIES {
            let Some(way) = self.way(key, sent_on.take()).await else {
                self.pause(begun, &mut turned, "no node has its slot").await?;
                continue;
            };
            let (number, connection) = match way.node.connection().await {
                Ok(found) => found,
                // What went before may have been done, and that is what has to be known.
                Err(error) => return Err(cut_off.unwrap_or(error)),
            };
            if way.map.is_none() && connection.is_node && !way.is_ahead {
                self.nodes.learn(None, &way.node, (number, connection)).await?;
                continue;
            }
            let waits = way.node.waits(number);
            let words = run(connection.clone(), way.is_ahead, address, key, act).await;
            waits.end();
            match words {
                Ok(words) => return Ok(words),
                Err(Trouble::Store(error)) => return Err(error),
                Err(Trouble::Lost(said)) => {
                    way.node.lose(number).await;
                    let said = StoreError::CutOff(said);
                    if !may_be_repeated(act) {
                        return Err(said);
                    }
                    cut_off = Some(said);
                    lost += 1;
                }
                Err(Trouble::Elsewhere(said)) => {
                    way.node.lose(number).await;
                    cut_off.get_or_insert(StoreError::Unavailable(said));
                    lost += 1;
                }
                Err(Trouble::Moved(to)) => {
                    let said = format!("its slot goes from node to node, at last to {to}");
                    self.pause(begun, &mut turned, &said).await?;
                    let made = (number, connection);
                    self.nodes.learn(way.map.as_ref(), &way.node, made).await?;
                    sent_on = Place::of(&to, &way.node.settings.endpoint.host)
                        .map(|place| (place, false));
                }
                Err(Trouble::Ask(to)) => {
                    let said = format!("its slot is on its way to {to}, and does not arrive");
                    self.pause(begun, &mut turned, &said).await?;
                    sent_on =
                        Place::of(&to, &way.node.settings.endpoint.host).map(|place| (place, true));
                }
                Err(Trouble::Down(said)) => {
                    self.pause(begun, &mut turned, &said).await?;
                    if let Some(map) = &way.map {
                        self.nodes.renew(map).await;
                    }
                }
                Err(Trouble::NoScript) => return Err(Trouble::NoScript.said()),
            }
        }
        Err(cut_off.unwrap_or(StoreError::TimedOut))
    }

    /// The node of this key; none, while its slot is nobody's.
    async fn way(&self, key: &[u8], sent_on: Option<(Place, bool)>) -> Option<Way> {
        let map = self.nodes.map();
        if let Some((place, is_ahead)) = sent_on {
            return Some(Way { node: self.nodes.node(&place), map, is_ahead });
        }
        let Some(mut map) = map else {
            return Some(Way { node: Arc::clone(&self.nodes.named), map: None, is_ahead: false });
        };
        let slot = slot(key);
        if map.at(slot).is_none_or(|node| node.is_missed()) {
            self.nodes.renew(&map).await;
            let Some(renewed) = self.nodes.map() else {
                let node = Arc::clone(&self.nodes.named);
                return Some(Way { node, map: None, is_ahead: false });
            };
            map = renewed;
        }
        let node = Arc::clone(map.at(slot)?);
        Some(Way { node, map: Some(map), is_ahead: false })
    }

    /// Before it is asked again, nothing having been done: not at all at first, then ever longer,
    /// and no longer than a connection may take.
    async fn pause(&self, begun: Instant, turned: &mut u32, said: &str) -> Result<(), StoreError> {
        let pause = Backoff::default().pause(*turned, Thread.share());
        *turned += 1;
        if begun.elapsed() + pause > self.settings.limits.connect_timeout {
            return Err(StoreError::Unavailable(said.to_owned()));
        }
        sleep(pause).await;
        Ok(())
    }
}

/// An owner may say again what it said, and so may whoever only looks. What an operator decided is
/// not there to be decided twice.
fn may_be_repeated(act: Act<'_>) -> bool {
    !matches!(act, Act::Step(Verb::Resolve(_) | Verb::Reopen))
}

/// Runs the script, and gives it to a server that does not know it.
async fn run(
    mut connection: Connection,
    is_ahead: bool,
    address: &Address,
    key: &[u8],
    act: Act<'_>,
) -> Result<Words, Trouble> {
    match once(&mut connection, is_ahead, By::Name, address, key, act).await {
        Err(Trouble::NoScript) => {
            once(&mut connection, is_ahead, By::Text, address, key, act).await
        }
        other => other,
    }
}

async fn once(
    connection: &mut Connection,
    is_ahead: bool,
    by: By,
    address: &Address,
    key: &[u8],
    act: Act<'_>,
) -> Result<Words, Trouble> {
    let cmd = command(by, key, act);
    let told = if is_ahead {
        // Of one connection's: nobody's command may come between the two.
        let mut both = Pipeline::new();
        both.cmd("ASKING");
        both.add_command(cmd);
        let told = connection.line.send_packed_commands(&both, 1, 1).await;
        told.map(|mut told| told.pop().unwrap_or(::redis::Value::Nil))
    } else {
        connection.line.send_packed_command(&cmd).await
    };
    let words = told.map_err(|error| Trouble::of(&error)).and_then(Words::of);
    words.map_err(|trouble| trouble.at(address))
}
