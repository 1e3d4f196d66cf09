//! A cluster of three masters with a replica each.

use std::thread;
use std::time::Duration;

use super::cli::{Reach, ask};
use super::network::Network;
use super::nodes::{Node, Nodes};
use super::options::RedisOptions;
use super::server::RedisServer;
use crate::servers::until::until;

const NODES: usize = 6;
const SLOTS: u16 = 16_384;
/// For forming a cluster, a failover, or moving slots.
const CHANGE: Duration = Duration::from_secs(120);

/// What is set on every node, unless the options say otherwise.
const LINES: [&str; 3] = [
    "cluster-enabled yes",
    "cluster-node-timeout 1000",
    // A replica that was cut off for long takes over too; a test waits for it and not for luck.
    "cluster-replica-validity-factor 0",
];

/// Six servers that form a cluster; killed when it is dropped. A master that is down for a second is replaced by its replica.
///
/// ```no_run
/// use lucihub_testkit::servers::{Fsync, RedisCluster, RedisOptions};
/// let cluster = RedisCluster::start(&RedisOptions::new().append_only(Fsync::Always));
/// let master = cluster.master_of("lh:{run}:head");
/// cluster.kill(master);
/// cluster.wait_ok(); // its replica has taken over
/// assert_ne!(cluster.master_of("lh:{run}:head"), master);
/// cluster.restart(master); // as a replica
/// ```
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
    /// None where the nodes reach each other as clients reach them.
    network: Option<Network>,
}

impl RedisCluster {
    /// Starts the nodes with the same options, forms the cluster and waits until it is whole.
    ///
    /// # Panics
    /// Where it does not become whole; with the reason that a node gave last.
    #[must_use]
    pub fn start(options: &RedisOptions) -> Self {
        let options = options.clone().lines_before(LINES.map(str::to_owned));
        Self { nodes: start_all(|_| options.clone()), network: None }.form()
    }

    /// As [`RedisCluster::start`], with all that goes from node to node, and from clients to nodes, through proxies, so that a
    /// node can be [cut off](RedisCluster::partition). For that each node speaks from an address of its own in 127.0.0.0/8,
    /// all of which is this machine's on Linux.
    ///
    /// # Panics
    /// As there.
    #[must_use]
    pub fn behind_proxies(options: &RedisOptions) -> Self {
        let options =
            |index| options.clone().lines_before(LINES.map(str::to_owned)).lines_before(Network::lines(index));
        let nodes = start_all(options);
        let network = Some(Network::between(&nodes));
        Self { nodes, network }.form()
    }

    /// Forms the cluster and waits until it is whole.
    fn form(self) -> Self {
        let addresses = self.addresses();
        let mut arguments = vec!["create"];
        arguments.extend(addresses.iter().map(String::as_str));
        arguments.extend(["--cluster-replicas", "1", "--cluster-yes"]);
        self.manage(&arguments);
        self.wait_ok();
        self
    }

    /// `redis-cluster://127.0.0.1:PORT?node=127.0.0.1:PORT&node=...` with all nodes.
    #[must_use]
    pub fn url(&self) -> String {
        let addresses = self.addresses();
        format!("redis-cluster://{}?node={}", addresses[0], addresses[1..].join("&node="))
    }

    /// The six nodes; an index here is the index of the other methods.
    #[must_use]
    pub fn nodes(&self) -> &[RedisServer] {
        &self.nodes
    }

    fn addresses(&self) -> Vec<String> {
        (0..NODES).map(|index| format!("127.0.0.1:{}", self.port(index))).collect()
    }

    /// Where the others and clients reach a node.
    fn port(&self, index: usize) -> u16 {
        self.network.as_ref().map_or_else(|| self.nodes[index].port(), |network| network.port(index))
    }

    /// The nodes that run and are not cut off.
    fn connected(&self) -> impl Iterator<Item = usize> {
        let cut_off = self.network.as_ref().and_then(Network::cut_off);
        (0..NODES).filter(move |index| Some(*index) != cut_off && self.nodes[*index].is_running())
    }

    /// One of those.
    fn any(&self) -> &RedisServer {
        &self.nodes[self.connected().next().expect("a node that is running")]
    }

    /// The node that serves a key now, as those know that are not cut off.
    ///
    /// # Panics
    /// Where no node is running.
    #[must_use]
    pub fn master_of(&self, key: &str) -> usize {
        let node = self.any();
        let slot = node.cli(&["CLUSTER", "KEYSLOT", key]);
        let slot = slot.parse().unwrap_or_else(|_| panic!("no slot: {slot}"));
        let nodes = view(node).unwrap_or_else(|why| panic!("{why}"));
        self.index(nodes.owner(slot).unwrap_or_else(|| panic!("nobody serves slot {slot}")))
    }

    /// The nodes that replicate from a node now.
    ///
    /// # Panics
    /// Where no node is running.
    #[must_use]
    pub fn replicas_of(&self, master: usize) -> Vec<usize> {
        let nodes = self.view();
        let id = &self.node(&nodes, master).id;
        nodes.iter().filter(|node| node.replica_of.as_ref() == Some(id)).map(|node| self.index(node)).collect()
    }

    /// Kills a node (SIGKILL).
    pub fn kill(&self, index: usize) {
        self.nodes[index].kill();
    }

    /// Starts a node again with its files. Without an append-only file a master comes back empty; where it comes before its
    /// replica has taken over, its replica is emptied too.
    pub fn restart(&self, index: usize) {
        self.nodes[index].restart();
    }

    /// Freezes a node (SIGSTOP).
    pub fn stop(&self, index: usize) {
        self.nodes[index].stop();
    }

    /// Lets a frozen node go on (SIGCONT).
    pub fn cont(&self, index: usize) {
        self.nodes[index].cont();
    }

    /// Cuts a node off from all others: nothing that one of them sends arrives at the other, no new connection says a word, and
    /// no connection ends. Clients still reach it, as they reach the others: until its node timeout is over, a master that is
    /// cut off does not know it, and takes writes that nobody else will ever see. One node at a time.
    ///
    /// # Panics
    /// Where the cluster was not [started for it](RedisCluster::behind_proxies).
    pub fn partition(&self, index: usize) {
        self.network.as_ref().expect("a cluster of RedisCluster::behind_proxies()").part(Some(index));
    }

    /// Connects the node again that was cut off. What was on the way arrives, late.
    ///
    /// # Panics
    /// As [`RedisCluster::partition`].
    pub fn heal(&self) {
        self.network.as_ref().expect("a cluster of RedisCluster::behind_proxies()").part(None);
    }

    /// Moves slots, with their keys, from one master to another, and returns when they are there: the lowest ones of `from`.
    ///
    /// Do not take `to` down afterwards and wait for the cluster to be whole once it is back. In about one of twelve such tests
    /// Redis 7.0.15 gave the last of the moved slots to nobody then, for good: a packet that came late during the move had left
    /// a mark on the replica that takes over (`owner_not_claiming_slot` in its `cluster.c`), and so it believes the old master,
    /// which forgets its slots next. Moves come last in a test, or on a cluster of their own.
    ///
    /// # Panics
    /// Where `redis-cli` fails, or takes two minutes.
    pub fn reshard(&self, slots: u16, from: usize, to: usize) {
        let nodes = self.view();
        let (from, to) = (self.node(&nodes, from), self.node(&nodes, to));
        let (any, slots) = (format!("127.0.0.1:{}", to.port), slots.to_string());
        let ids = ["--cluster-from", &from.id, "--cluster-to", &to.id];
        self.manage(&[&["reshard", &any], ids.as_slice(), &["--cluster-slots", &slots, "--cluster-yes"]].concat());
    }

    /// Waits until all running nodes that are not cut off agree on the role of each, every slot's master is one of them, and replicas are connected.
    ///
    /// # Panics
    /// Where that takes two minutes; with the reason that a node gave last.
    pub fn wait_ok(&self) {
        until(CHANGE, || self.look()).unwrap_or_else(|why| panic!("the cluster is not whole: {why}\n{}", self.views()));
    }

    /// What each running node knows, for who must find out what went wrong.
    fn views(&self) -> String {
        let running = self.nodes.iter().filter(|node| node.is_running());
        let view = |node: &RedisServer| {
            let nodes = node.try_cli(&["CLUSTER", "NODES"]).unwrap_or_else(|why| why);
            format!("{} knows:\n{nodes}\n{}\n", node.port(), node.last_lines())
        };
        running.map(view).collect()
    }

    /// Why the cluster is not whole.
    fn look(&self) -> Result<(), String> {
        let running: Vec<usize> = self.connected().collect();
        let is_down = |port: u16| running.iter().all(|index| self.port(*index) != port);
        let mut agreed: Option<Nodes> = None;
        for index in &running {
            let (at, node) = (self.port(*index), &self.nodes[*index]);
            let info = node.try_cli(&["CLUSTER", "INFO"])?;
            if !info.contains("cluster_state:ok") || !info.contains(&format!("cluster_slots_assigned:{SLOTS}")) {
                return Err(format!("{at}: {info}"));
            }
            let nodes = view(node)?;
            if let Some(down) = nodes.iter().find(|node| !node.slots.is_empty() && is_down(node.port)) {
                return Err(format!("{at}: slots are with {}, which is down", down.port));
            }
            let replication = node.try_cli(&["INFO", "replication"])?;
            let is_replica = nodes.iter().any(|node| node.port == at && node.replica_of.is_some());
            let plays = if is_replica { "master_link_status:up" } else { "role:master" };
            if nodes.iter().count() != NODES || !replication.contains(plays) {
                return Err(format!("{at}: {replication}{nodes:?}"));
            }
            if agreed.get_or_insert_with(|| nodes.clone()).roles() != nodes.roles() {
                return Err(format!("{at}: {nodes:?}, and another node: {agreed:?}"));
            }
        }
        if running.is_empty() { Err("no node is running".to_owned()) } else { Ok(()) }
    }

    fn view(&self) -> Nodes {
        view(self.any()).unwrap_or_else(|why| panic!("{why}"))
    }

    fn node<'a>(&self, nodes: &'a Nodes, index: usize) -> &'a Node {
        let port = self.port(index);
        nodes.iter().find(|node| node.port == port).unwrap_or_else(|| panic!("node {index} is not in the cluster"))
    }

    fn index(&self, node: &Node) -> usize {
        (0..NODES).find(|index| self.port(*index) == node.port).expect("a node of this cluster")
    }

    /// `redis-cli --cluster`.
    fn manage(&self, arguments: &[&str]) {
        let arguments = [&["--cluster"], arguments].concat();
        ask(Reach::Arguments, self.nodes[0].admin(), &arguments, CHANGE).unwrap_or_else(|why| panic!("{why}"));
    }
}

/// Starts all nodes at once.
fn start_all(options: impl Fn(usize) -> RedisOptions + Sync) -> Vec<RedisServer> {
    let options = &options;
    thread::scope(|scope| {
        let start = |index| scope.spawn(move || RedisServer::start(options(index)));
        let starting: Vec<_> = (0..NODES).map(start).collect();
        starting.into_iter().map(|node| node.join().expect("a node that starts")).collect()
    })
}

fn view(node: &RedisServer) -> Result<Nodes, String> {
    Nodes::parse(&node.try_cli(&["CLUSTER", "NODES"])?)
}
