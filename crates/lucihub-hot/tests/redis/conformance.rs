//! The Redis adapter obeys the law of the ports, on every way to a server.

use std::sync::{Arc, OnceLock};

use lucihub_testkit::HotHarness;
use lucihub_testkit::servers::{RedisCluster, RedisOptions as Config, RedisSentinel, RedisServer};

use crate::redis::harness::{harness, options};
use crate::redis::raw::{Named, Raw};

/// The user that operators make, from the file that they are told to use.
const USER: &str = include_str!("../../../../docs/redis-user.acl");
const PASSWORD: &str = "only-for-tests";

/// Servers are shared by the tests of a process, each with a key prefix of its own.
macro_rules! shared {
    ($kind:ty, $start:expr) => {{
        static SERVER: OnceLock<Arc<$kind>> = OnceLock::new();
        SERVER.get_or_init(|| Arc::new($start)).clone()
    }};
}

/// A private server, or the one that `LUCIHUB_TEST_REDIS_URL` names.
async fn single() -> Arc<dyn HotHarness> {
    if let Ok(url) = std::env::var("LUCIHUB_TEST_REDIS_URL") {
        return harness(options(&url), Arc::new(Named(url))).await;
    }
    let server = shared!(RedisServer, RedisServer::start(Config::new()));
    harness(options(&server.url()), server).await
}

async fn unix() -> Arc<dyn HotHarness> {
    let server = shared!(RedisServer, RedisServer::start(Config::new()));
    harness(options(&server.unix_url()), server).await
}

async fn tls() -> Arc<dyn HotHarness> {
    let server = shared!(RedisServer, RedisServer::start(Config::new().tls_only()));
    harness(options(&server.tls_url()).with_ca_file(server.ca_file()), server).await
}

/// The lines of an ACL file with exactly the rights that the documentation asks for, and how a URL of that user begins.
pub(crate) fn least_user() -> (String, String) {
    let lines = format!("user default off\n{}", USER.replace("CHANGE-ME", PASSWORD));
    (lines, format!("redis://lucihub:{PASSWORD}@"))
}

/// A user with exactly these rights.
async fn least() -> Arc<dyn HotHarness> {
    let (lines, login) = least_user();
    let server = shared!(RedisServer, RedisServer::start(Config::new().acl(&lines)));
    harness(options(&server.url().replace("redis://", &login)), server).await
}

async fn of_cluster() -> Arc<dyn HotHarness> {
    // Forming one takes seconds, in which other tests may use this thread.
    let cluster = tokio::task::block_in_place(|| shared!(RedisCluster, RedisCluster::start(&Config::new())));
    let url = cluster.url();
    harness(options(&url), cluster as Arc<dyn Raw>).await
}

async fn of_sentinel() -> Arc<dyn HotHarness> {
    let sentinel = tokio::task::block_in_place(|| shared!(RedisSentinel, RedisSentinel::start(&Config::new())));
    let url = sentinel.url();
    harness(options(&url), sentinel as Arc<dyn Raw>).await
}

lucihub_testkit::hot_conformance!(plain, single());
lucihub_testkit::hot_conformance!(socket, unix());
lucihub_testkit::hot_conformance!(encrypted, tls());
lucihub_testkit::hot_conformance!(least_rights, least());
lucihub_testkit::hot_conformance!(cluster, of_cluster());
lucihub_testkit::hot_conformance!(sentinel, of_sentinel());
