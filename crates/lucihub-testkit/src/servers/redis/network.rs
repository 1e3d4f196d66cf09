//! The network between the nodes of a cluster, of which one can be cut off.
//!
//! Each node announces two proxies in place of its own ports, so that all who come to it, nodes and clients, come through
//! them; and it speaks from an address of its own, so that a proxy knows a node from a client. That takes no rights, unlike a
//! rule of the system's firewall or a network namespace.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Mutex, PoisonError};

use super::server::RedisServer;
use crate::servers::proxy::Proxy;

/// Between the port of a cluster's node and its port for other nodes.
const BUS: u16 = 10_000;

#[derive(Debug)]
pub(super) struct Network {
    ways: Vec<Ways>,
    cut_off: Mutex<Option<usize>>,
}

/// The ways to one node.
#[derive(Debug)]
struct Ways {
    /// For clients and for replicas.
    keys: Proxy,
    /// For what nodes tell each other.
    bus: Proxy,
}

impl Network {
    /// What a node must be started with.
    pub(super) fn lines(index: usize) -> [String; 2] {
        [format!("bind-source-addr {}", source(index)), "cluster-announce-ip 127.0.0.1".to_owned()]
    }

    /// Sets up the ways, and makes every node announce its own. Before the nodes have met.
    pub(super) fn between(nodes: &[RedisServer]) -> Self {
        let ways = nodes.iter().map(|node| {
            let ways = Ways { keys: Proxy::start(node.port(), 0), bus: Proxy::start(node.port() + BUS, 0) };
            node.set_for_good("cluster-announce-port", &ways.keys.port().to_string());
            node.set_for_good("cluster-announce-bus-port", &ways.bus.port().to_string());
            ways
        });
        Self { ways: ways.collect(), cut_off: Mutex::new(None) }
    }

    /// Where a node is for everybody else.
    pub(super) fn port(&self, index: usize) -> u16 {
        self.ways[index].keys.port()
    }

    pub(super) fn cut_off(&self) -> Option<usize> {
        *self.cut_off.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Cuts a node off, or none.
    pub(super) fn part(&self, node: Option<usize>) {
        *self.cut_off.lock().unwrap_or_else(PoisonError::into_inner) = node;
        for (index, ways) in self.ways.iter().enumerate() {
            let from = |other: &usize| node.is_some_and(|node| (node == index) != (node == *other));
            let sources: Vec<IpAddr> = (0..self.ways.len()).filter(from).map(source).collect();
            ways.keys.cut_off(&sources);
            ways.bus.cut_off(&sources);
        }
    }
}

/// Where a node's own connections come from; clients' come from 127.0.0.1.
fn source(index: usize) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, u8::try_from(index + 2).expect("few nodes")))
}
