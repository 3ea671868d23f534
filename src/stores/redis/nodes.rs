//! The server that was named or, where that is a node of a cluster, all of its primaries.
//!
//! Who has which slot is asked when it is first needed, and again when a node says otherwise or is
//! missed. Who asks for a node that is there waits for nobody who looks for another.

use super::connection::Connection;
use super::node::Node;
use super::settings::Settings;
use super::slots::{Place, Range, SLOTS, ranges};
use super::trouble::Trouble;
use crate::process::locks::Lock;
use crate::stores::error::StoreError;
use crate::stores::net::Notices;
use ::redis::{Cmd, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Who has which slots, as one of them said it last.
pub(super) struct Map {
    ranges: Vec<(u16, u16, Arc<Node>)>,
    /// Each primary once, by its name: the order in which a walk goes through them.
    pub primaries: BTreeMap<String, Arc<Node>>,
}

impl Map {
    /// Whose this slot is. For a while it may be nobody's.
    pub fn at(&self, slot: u16) -> Option<&Arc<Node>> {
        let found = self.ranges.iter().find(|(first, last, _)| (*first..=*last).contains(&slot));
        found.map(|(_, _, node)| node)
    }

    /// Has each slot somebody?
    pub fn is_whole(&self) -> bool {
        let held = |(first, last, _): &(u16, u16, _)| u32::from(last - first) + 1;
        self.ranges.iter().map(held).sum::<u32>() >= u32::from(SLOTS)
    }
}

pub(super) struct Nodes {
    settings: Arc<Settings>,
    notices: Arc<Notices>,
    pub named: Arc<Node>,
    /// By their places, so that a new map has the connections of the last.
    known: Lock<BTreeMap<Place, Arc<Node>>>,
    map: Lock<Option<Arc<Map>>>,
    /// One at a time asks for a new one.
    renewing: Mutex<()>,
}

impl Nodes {
    pub fn new(settings: &Arc<Settings>, notices: &Arc<Notices>) -> Self {
        Self {
            settings: Arc::clone(settings),
            notices: Arc::clone(notices),
            named: Arc::new(Node::named(settings, notices)),
            known: Lock::default(),
            map: Lock::default(),
            renewing: Mutex::new(()),
        }
    }

    /// What is known; nothing, of a server that is alone, and before one was asked.
    pub fn map(&self) -> Option<Arc<Map>> {
        self.map.lock().clone()
    }

    /// The node at this place.
    pub fn node(&self, place: &Place) -> Arc<Node> {
        let made = || Arc::new(Node::at(place, &self.settings, &self.notices));
        Arc::clone(self.known.lock().entry(place.clone()).or_insert_with(made))
    }

    /// Asks this node, which is one that answers. `seen` is the map that is not good enough: what
    /// another has learnt meanwhile is.
    pub async fn learn(
        &self,
        seen: Option<&Arc<Map>>,
        node: &Node,
        made: (u64, Connection),
    ) -> Result<(), StoreError> {
        let _one = self.renewing.lock().await;
        if self.is_newer(seen) {
            return Ok(());
        }
        let ranges = asked(node, made).await?;
        self.keep(ranges);
        Ok(())
    }

    /// Asks all that are known at once, and takes what the first says. The server
    /// that was named is always among them: its name may lead to new ones.
    pub async fn renew(&self, seen: &Arc<Map>) {
        let _one = self.renewing.lock().await;
        if self.is_newer(Some(seen)) {
            return;
        }
        let mut asking = JoinSet::new();
        let others = seen.primaries.values().cloned();
        for node in others.chain([Arc::clone(&self.named)]) {
            asking.spawn(async move {
                let (number, connection) = node.connection().await?;
                if !connection.is_node {
                    return Ok(None);
                }
                asked(&node, (number, connection)).await.map(Some)
            });
        }
        while let Some(told) = asking.join_next().await {
            match told {
                Ok(Ok(Some(ranges))) => return self.keep(ranges),
                // A server that is alone has taken its place.
                Ok(Ok(None)) => return *self.map.lock() = None,
                _ => {}
            }
        }
    }

    fn is_newer(&self, seen: Option<&Arc<Map>>) -> bool {
        match (&*self.map.lock(), seen) {
            (Some(map), Some(seen)) => !Arc::ptr_eq(map, seen),
            (map, seen) => map.is_some() || seen.is_some(),
        }
    }

    fn keep(&self, told: Vec<Range>) {
        let mut map = Map { ranges: Vec::new(), primaries: BTreeMap::new() };
        let mut known = BTreeMap::new();
        for Range { first, last, place, id } in told {
            let node = self.node(&place);
            map.ranges.push((first, last, Arc::clone(&node)));
            map.primaries.insert(id, Arc::clone(&node));
            known.insert(place, node);
        }
        // Whoever uses one that has left goes on until it is answered.
        *self.known.lock() = known;
        *self.map.lock() = Some(Arc::new(map));
    }

    pub async fn let_go(&self) {
        let known: Vec<_> = self.known.lock().values().cloned().collect();
        for node in known {
            node.let_go().await;
        }
        self.named.let_go().await;
    }
}

async fn asked(node: &Node, made: (u64, Connection)) -> Result<Vec<Range>, StoreError> {
    let (number, mut connection) = made;
    let endpoint = &node.settings.endpoint;
    let mut cmd = Cmd::new();
    cmd.arg("CLUSTER").arg("SLOTS");
    let patience = node.settings.limits.connect_timeout;
    let told = timeout(patience, connection.line.send_packed_command(&cmd)).await;
    let trouble = match told.map(|told| told.and_then(Value::extract_error)) {
        Ok(Ok(told)) => {
            let said = format!("{endpoint} says strangely who has which slots");
            return ranges(&told, &endpoint.host).ok_or(StoreError::Foreign(said));
        }
        Ok(Err(error)) => Trouble::of(&error),
        Err(_) => Trouble::Lost("it does not say who has which slots".to_owned()),
    };
    match trouble {
        Trouble::Store(error) => Err(error),
        trouble => {
            node.lose(number).await;
            // To have asked this changed nothing.
            let said = trouble.said();
            Err(StoreError::Unavailable(format!("{endpoint}: {said}")))
        }
    }
}
