//! A master with two replicas, and three sentinels that make a replica the master when that is down.

use std::time::Duration;

use super::cli::Admin;
use super::options::RedisOptions;
use super::server::RedisServer;
use crate::servers::until::until;

/// The name by which sentinels know the master.
const SERVICE: &str = "lucihub";
const REPLICAS: usize = 2;
const SENTINELS: usize = 3;
const FAILOVER: Duration = Duration::from_secs(120);

/// A master, two replicas and three sentinels; killed when it is dropped.
///
/// ```no_run
/// use lucihub_testkit::servers::{RedisOptions, RedisSentinel};
/// let redis = RedisSentinel::start(&RedisOptions::new());
/// let before = redis.master_port();
/// redis.kill_master();
/// redis.wait_ok(); // a replica has taken over
/// assert_ne!(redis.master_port(), before);
/// ```
#[derive(Debug)]
pub struct RedisSentinel {
    servers: Vec<RedisServer>,
    sentinels: Vec<RedisServer>,
}

impl RedisSentinel {
    /// Starts servers with the same options and the sentinels, and waits until these know all of them.
    ///
    /// # Panics
    /// Where that does not come to pass; with the reason that a sentinel gave last.
    #[must_use]
    pub fn start(options: &RedisOptions) -> Self {
        let master = RedisServer::start(options.clone());
        let replica = options.clone().replica_of(&master);
        let replicas: Vec<_> = (0..REPLICAS).map(|_| RedisServer::start(replica.clone())).collect();
        let mut watch = RedisOptions::sentinel()
            .line(&format!("sentinel monitor {SERVICE} 127.0.0.1 {} 2", master.port()))
            .line(&format!("sentinel down-after-milliseconds {SERVICE} 1000"))
            // Twice this passes before they vote again where none of them got enough votes.
            .line(&format!("sentinel failover-timeout {SERVICE} 2000"));
        if options.admin().is_some() {
            watch = watch
                .line(&format!("sentinel auth-user {SERVICE} {}", Admin::USER))
                .line(&format!("sentinel auth-pass {SERVICE} {}", Admin::PASSWORD));
        }
        let mut servers = vec![master];
        servers.extend(replicas);
        let all = Self { servers, sentinels: Vec::new() };
        // A sentinel that comes before the replicas are connected asks for them again only after ten seconds.
        until(FAILOVER, || all.look_at_servers(all.servers[0].port()))
            .unwrap_or_else(|why| panic!("no replica: {why}"));
        let all = Self { sentinels: (0..SENTINELS).map(|_| RedisServer::start(watch.clone())).collect(), ..all };
        for sentinel in &all.sentinels {
            // Sentinels ask and tell rarely: without this a master that comes back is made a replica after ten seconds only.
            sentinel.cli(&["SENTINEL", "DEBUG", "INFO-PERIOD", "500", "PUBLISH-PERIOD", "250"]);
        }
        all.wait_ok();
        all
    }

    /// `redis-sentinel://127.0.0.1:PORT/?sentinelServiceName=lucihub&node=127.0.0.1:PORT&node=...` with all sentinels.
    #[must_use]
    pub fn url(&self) -> String {
        let ports: Vec<String> = self.sentinels.iter().map(|sentinel| sentinel.port().to_string()).collect();
        let [first, others @ ..] = ports.as_slice() else { unreachable!("there are three") };
        let others: String = others.iter().map(|port| format!("&node=127.0.0.1:{port}")).collect();
        format!("redis-sentinel://127.0.0.1:{first}/?sentinelServiceName={SERVICE}{others}")
    }

    /// The master that was the first, and its replicas then.
    #[must_use]
    pub fn servers(&self) -> &[RedisServer] {
        &self.servers
    }

    /// The sentinels.
    #[must_use]
    pub fn sentinels(&self) -> &[RedisServer] {
        &self.sentinels
    }

    /// The port of the master, as the first running sentinel knows it.
    ///
    /// # Panics
    /// Where no sentinel is running.
    #[must_use]
    pub fn master_port(&self) -> u16 {
        let sentinel = self.sentinels.iter().find(|sentinel| sentinel.is_running()).expect("a running sentinel");
        master_port(sentinel).unwrap_or_else(|why| panic!("{why}"))
    }

    /// The master, as the first running sentinel knows it.
    ///
    /// # Panics
    /// Where no sentinel is running.
    #[must_use]
    pub fn master(&self) -> &RedisServer {
        let port = self.master_port();
        self.servers.iter().find(|server| server.port() == port).expect("a server of these")
    }

    /// Kills the master (SIGKILL).
    pub fn kill_master(&self) {
        self.master().kill();
    }

    /// Waits until all running sentinels agree on a master that runs, and every other running server replicates from it.
    ///
    /// # Panics
    /// Where that takes two minutes; with the reason that a sentinel gave last.
    pub fn wait_ok(&self) {
        until(FAILOVER, || self.look()).unwrap_or_else(|why| panic!("no master: {why}"));
    }

    fn look(&self) -> Result<(), String> {
        let mut agreed = None;
        for sentinel in self.sentinels.iter().filter(|sentinel| sentinel.is_running()) {
            let port = master_port(sentinel)?;
            let of = sentinel.try_cli(&["SENTINEL", "MASTER", SERVICE])?;
            let knows = |key: &str, value: &str| format!("\n{of}\n").contains(&format!("\n{key}\n{value}\n"));
            let others = knows("num-slaves", &REPLICAS.to_string())
                && knows("num-other-sentinels", &(SENTINELS - 1).to_string())
                && knows("flags", "master");
            if !others || *agreed.get_or_insert(port) != port {
                return Err(format!("sentinel {}, with {agreed:?} agreed so far: {of}", sentinel.port()));
            }
        }
        self.look_at_servers(agreed.ok_or("no sentinel is running")?)
    }

    /// Whether this one is the master and all others are its connected replicas.
    fn look_at_servers(&self, master: u16) -> Result<(), String> {
        if !self.servers.iter().any(|server| server.port() == master && server.is_running()) {
            return Err(format!("{master} is down"));
        }
        for server in self.servers.iter().filter(|server| server.is_running()) {
            let info = server.try_cli(&["INFO", "replication"])?;
            let port = format!("master_port:{master}\r\n");
            let is_well = if server.port() == master {
                info.contains("role:master")
            } else {
                info.contains("master_link_status:up") && info.contains(&port)
            };
            if !is_well {
                return Err(format!("{}: {info}", server.port()));
            }
        }
        Ok(())
    }
}

fn master_port(sentinel: &RedisServer) -> Result<u16, String> {
    let address = sentinel.try_cli(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE])?;
    let port = address.lines().nth(1).and_then(|port| port.trim().parse().ok());
    port.ok_or_else(|| format!("sentinel {} knows no master: {address}", sentinel.port()))
}
