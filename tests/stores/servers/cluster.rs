//! Three nodes of a cluster, all primaries.

use super::valkey::{Server, since};
use redis::Value;
use seawall::stores::Address;
use seawall::time::{Clock, System};
use std::sync::OnceLock;
use std::time::Duration;

/// How long nodes may take to agree, which they do in seconds.
const LONG: Duration = Duration::from_mins(1);
pub const SLOTS: u16 = 16_384;

pub struct Cluster {
    pub nodes: Vec<Server>,
    options: Vec<String>,
}

impl Cluster {
    /// Each third of the slots has a node; what it says is on its disk where `options` say so.
    pub fn new(options: &[&str]) -> Self {
        let third = SLOTS / 3;
        // A node that is gone is known to be after this long, and the others go on without it.
        let mut all = vec![
            "--cluster-enabled",
            "yes",
            "--cluster-node-timeout",
            "2000",
            "--cluster-require-full-coverage",
            "no",
        ];
        all.extend(options);
        let nodes: Vec<_> = (0..3).map(|_| Server::new(&all)).collect();
        let options = all.iter().map(|option| (*option).to_owned()).collect();
        for (number, node) in (0..).zip(&nodes) {
            let last = if number == 2 { SLOTS - 1 } else { (number + 1) * third - 1 };
            let (first, last) = ((number * third).to_string(), last.to_string());
            node.run(&["CLUSTER", "ADDSLOTSRANGE", &first, &last]);
            // Who has the same epoch as another has to be told apart first.
            node.run(&["CLUSTER", "SET-CONFIG-EPOCH", &(number + 1).to_string()]);
        }
        let cluster = Self { nodes, options };
        for node in &cluster.nodes[1..] {
            let (port, bus) = (node.port.to_string(), node.bus.to_string());
            cluster.nodes[0].run(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
        }
        cluster.agrees();
        cluster
    }

    /// One that all tests of this process share. Each takes a prefix of its own.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        extern "C" fn end() {
            for node in SHARED.get().iter().flat_map(|cluster| &cluster.nodes) {
                node.end();
            }
        }
        SHARED.get_or_init(|| {
            // No disk is waited for: nobody kills these.
            let cluster = Self::new(&["--save", "", "--appendonly", "no"]);
            #[allow(unsafe_code, reason = "what is static is dropped by nobody")]
            // SAFETY: `end` is a function of this program, and does not unwind.
            let told = unsafe { libc::atexit(end) };
            assert_eq!(told, 0);
            cluster
        })
    }

    /// One more node, which follows this primary and has all that it has.
    pub fn add_replica(&mut self, of: usize) -> usize {
        let options: Vec<_> = self.options.iter().map(String::as_str).collect();
        let node = Server::new(&options);
        let (port, bus) = (node.port.to_string(), node.bus.to_string());
        self.nodes[0].run(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
        self.nodes.push(node);
        self.agrees();
        let at = self.nodes.len() - 1;
        self.nodes[at].run(&["CLUSTER", "REPLICATE", &self.id(of)]);
        told(&self.nodes[at], "INFO", "replication", &["role:slave", "master_link_status:up"]);
        at
    }

    /// This replica becomes the primary, and its primary a replica that knows it.
    pub fn take_over(&self, replica: usize) {
        self.nodes[replica].run(&["CLUSTER", "FAILOVER"]);
        told(&self.nodes[replica], "INFO", "replication", &["role:master", "connected_slaves:1"]);
    }

    /// Waits until each node knows of all, and of all slots.
    pub fn agrees(&self) {
        let known = format!("cluster_known_nodes:{}", self.nodes.len());
        for node in &self.nodes {
            let wanted = ["cluster_state:ok", "cluster_slots_ok:16384", &known];
            told(node, "CLUSTER", "INFO", &wanted);
        }
    }

    /// A node's name.
    pub fn id(&self, at: usize) -> String {
        match self.nodes[at].run(&["CLUSTER", "MYID"]) {
            Value::BulkString(bytes) => String::from_utf8(bytes).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// The slot of a record under the usual prefix, and the node that has it, if none was moved.
    pub fn place(&self, address: &Address) -> (u16, usize) {
        let key = [b"seawall:{", address.as_bytes(), b"}"].concat();
        let slot: u16 = redis::cmd("CLUSTER")
            .arg("KEYSLOT")
            .arg(key)
            .query(&mut self.nodes[0].admin())
            .unwrap();
        (slot, usize::from(slot / (SLOTS / 3)).min(2))
    }

    /// The slot is on its way from one node to another: what is there is there, what is new comes to
    /// the other.
    pub fn is_moving(&self, slot: u16, from: usize, to: usize) {
        let slot = slot.to_string();
        let (source, target) = (self.id(from), self.id(to));
        self.nodes[to].run(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &source]);
        self.nodes[from].run(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &target]);
    }

    /// What it has goes as well, and then it is there.
    pub fn has_moved(&self, slot: u16, from: usize, to: usize) {
        let count = SLOTS.to_string();
        let keys: Vec<Vec<u8>> = redis::cmd("CLUSTER")
            .arg(&["GETKEYSINSLOT", &slot.to_string(), &count])
            .query(&mut self.nodes[from].admin())
            .unwrap();
        for key in keys {
            redis::cmd("MIGRATE")
                .arg("127.0.0.1")
                .arg(self.nodes[to].port)
                .arg(key)
                .arg(0)
                .arg(5000)
                .exec(&mut self.nodes[from].admin())
                .unwrap();
        }
        let target = self.id(to);
        for at in [to, from] {
            self.nodes[at].run(&["CLUSTER", "SETSLOT", &slot.to_string(), "NODE", &target]);
        }
    }
}

/// Waits until this node says all of that.
fn told(node: &Server, command: &str, about: &str, wanted: &[&str]) {
    let begun = System.now();
    loop {
        let told: String = redis::cmd(command).arg(about).query(&mut node.admin()).unwrap();
        if wanted.iter().all(|word| told.contains(word)) {
            return;
        }
        assert!(since(begun) < LONG, "{told}");
        // Real time: nodes agree when they do, and tell nobody.
        std::thread::sleep(Duration::from_millis(20));
    }
}
