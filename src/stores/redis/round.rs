//! What a walk asks the servers, one after the other.

use super::client::Redis;
use super::connection::Connection;
use super::node::Node;
use super::script::{Act, By, Words, command};
use super::trouble::Trouble;
use crate::stores::Address;
use crate::stores::Micros;
use crate::stores::backend::Walk;
use crate::stores::error::StoreError;
use ::redis::{Cmd, Pipeline, Value};
use std::sync::Arc;

/// How many keys a scan looks at before others have their turn.
pub(super) const STRIDE: usize = 500;

type Result<T> = std::result::Result<T, Trouble>;

/// All servers, of which one at a time is asked.
pub(super) struct Round<'a> {
    pub redis: &'a Redis,
    /// In the order of their names; without one, a server that is alone.
    pub servers: Vec<(String, Arc<Node>)>,
    pub at: usize,
    made: Option<(u64, Connection)>,
}

impl<'a> Round<'a> {
    pub async fn of(redis: &'a Redis) -> std::result::Result<Self, StoreError> {
        let nodes = &redis.nodes;
        if nodes.map().is_none() {
            let (number, connection) = nodes.named.connection().await?;
            if connection.is_node {
                nodes.learn(None, &nodes.named, (number, connection)).await?;
            }
        }
        if let Some(map) =
            nodes.map().filter(|map| map.primaries.values().any(|node| node.is_missed()))
        {
            nodes.renew(&map).await;
        }
        let servers = match nodes.map() {
            None => vec![(String::new(), Arc::clone(&nodes.named))],
            Some(map) if map.is_whole() => {
                map.primaries.iter().map(|(id, node)| (id.clone(), Arc::clone(node))).collect()
            }
            Some(map) => {
                nodes.renew(&map).await;
                let said = "some slots of its cluster are nobody's".to_owned();
                return Err(StoreError::Unavailable(said));
            }
        };
        Ok(Self { redis, servers, at: 0, made: None })
    }

    /// The server that is asked now.
    pub fn go_to(&mut self, at: usize) {
        (self.at, self.made) = (at, None);
    }

    /// Sends all at once. Each answer may be an error of its own.
    async fn send(&mut self, cmds: impl Iterator<Item = Cmd>) -> Result<Vec<Value>> {
        let mut pipeline = Pipeline::new();
        let mut count = 0;
        for cmd in cmds {
            pipeline.add_command(cmd);
            count += 1;
        }
        if count == 0 {
            return Ok(Vec::new());
        }
        let node = Arc::clone(&self.servers[self.at].1);
        let made = match self.made.take() {
            Some(made) => made,
            None => node.connection().await.map_err(Trouble::Store)?,
        };
        let (number, connection) = self.made.insert(made);
        if connection.is_replica {
            let said = format!("{} is a replica, which may lag", node.settings.endpoint);
            return Err(Trouble::Elsewhere(said));
        }
        let waits = node.waits(*number);
        let told = connection.line.send_packed_commands(&pipeline, 0, count).await;
        waits.end();
        told.map_err(|error| Trouble::of(&error))
    }

    async fn one(&mut self, cmd: Cmd) -> Result<Value> {
        let told = self.send([cmd].into_iter()).await?.pop().ok_or_else(strange)?;
        told.extract_error().map_err(|error| Trouble::of(&error))
    }

    /// The connection that failed.
    pub async fn lose(self) {
        if let Some((number, _)) = self.made {
            self.servers[self.at].1.lose(number).await;
        }
    }

    /// What is said of each of these at the server that is asked now or, where it does not know the
    /// script or has the record no more, where that is.
    pub async fn each(
        &mut self,
        addresses: &[Address],
        act: Act<'_>,
    ) -> Result<Vec<(Vec<u8>, Result<Words>)>> {
        let redis = self.redis;
        let keys: Vec<_> = addresses.iter().map(|address| redis.settings.key(address)).collect();
        let told = self.send(keys.iter().map(|key| command(By::Name, key, act))).await?;
        let mut all = Vec::new();
        for ((address, key), value) in addresses.iter().zip(keys).zip(told) {
            let words = match Words::of(value) {
                Err(Trouble::NoScript | Trouble::Moved(_) | Trouble::Ask(_) | Trouble::Down(_)) => {
                    redis.ask(address, &key, act).await.map_err(Trouble::Store)
                }
                other => other.map_err(|trouble| trouble.at(address)),
            };
            all.push((key, words));
        }
        Ok(all)
    }

    /// One step of a scan: where to go on, 0 at the end, and what was found.
    pub async fn scan(&mut self, look: &Walk, cursor: u64) -> Result<(u64, Vec<Address>)> {
        let settings = &self.redis.settings;
        let mut cmd = Cmd::new();
        let pattern = settings.pattern(look.within.as_bytes());
        cmd.arg("SCAN").arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(STRIDE);
        let (next, keys): (u64, Vec<Vec<u8>>) = read(self.one(cmd).await?)?;
        let ours = keys.iter().filter_map(|key| settings.address(key));
        Ok((next, ours.filter(|address| look.within.holds(address)).collect()))
    }

    /// The server's time.
    pub async fn time(&mut self) -> Result<Micros> {
        let mut cmd = Cmd::new();
        cmd.arg("TIME");
        let (seconds, micros): (Micros, Micros) = read(self.one(cmd).await?)?;
        Ok(seconds * 1_000_000 + micros)
    }
}

fn read<T: ::redis::FromRedisValue>(value: Value) -> Result<T> {
    T::from_redis_value(value).map_err(|error| Trouble::of(&error.into()))
}

pub(super) fn strange() -> Trouble {
    Trouble::Store(StoreError::Failed("the server answers something else".to_owned()))
}
