//! Servers for the tests, and the harness that the suite asks for.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use lucihub_hot::redis::{RedisHot, RedisOptions};
use lucihub_models_core::RunId;
use lucihub_models_core::hot::HotStore;
use lucihub_testkit::HotHarness;
use lucihub_testkit::servers::{RedisOptions as Config, RedisServer};

/// A server that the tests of a group share: it is started once, and each test has a key prefix of its own.
pub(crate) type Shared = OnceLock<Arc<RedisServer>>;

/// The server that most tests share.
pub(crate) fn plain() -> Arc<RedisServer> {
    static SERVER: Shared = OnceLock::new();
    SERVER.get_or_init(|| Arc::new(RedisServer::start(Config::new()))).clone()
}

/// A prefix that no other test has, also on a server that other programs use.
pub(crate) fn prefix() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Options for a test: patient, since the machine may be busy.
pub(crate) fn options(url: &str) -> RedisOptions {
    RedisOptions::new(url).with_prefix(prefix()).with_timeout(Duration::from_secs(20))
}

/// A store on a server, with a world that the suite may move.
pub(crate) struct Harness {
    pub(crate) hot: RedisHot,
    pub(crate) prefix: String,
    pub(crate) raw: Arc<dyn Raw>,
    /// Keeps the server of a small store alive.
    small: std::sync::Mutex<Vec<RedisServer>>,
}

/// A look at the server that does not go through the adapter.
pub(crate) trait Raw: Send + Sync {
    /// What redis-cli prints for a command.
    fn cli(&self, command: &[&str]) -> String;
}

impl Raw for RedisServer {
    fn cli(&self, command: &[&str]) -> String {
        Self::cli(self, command)
    }
}

/// A harness on a server.
pub(crate) async fn harness(options: RedisOptions, raw: Arc<dyn Raw>) -> Arc<dyn HotHarness> {
    let prefix = options.prefix.clone();
    let hot = RedisHot::open(options).await.expect("the server is there");
    Arc::new(Harness { hot, prefix, raw, small: std::sync::Mutex::default() })
}

#[async_trait]
impl HotHarness for Harness {
    fn store(&self) -> Arc<dyn HotStore> {
        Arc::new(self.hot.clone())
    }

    async fn advance(&self, by: Duration) {
        self.hot.advance_clock(by);
    }

    async fn lose(&self, run: RunId) -> bool {
        let keys = self.raw.cli(&["KEYS", &format!("{}:{{{run}}}:*", self.prefix)]);
        for key in keys.lines().filter(|key| !key.is_empty()) {
            self.raw.cli(&["DEL", key]);
        }
        true
    }

    async fn small(&self, max_bytes: u64) -> Option<Arc<dyn HotStore>> {
        let server = RedisServer::start(Config::new());
        let hot = RedisHot::open(options(&server.url())).await.expect("the server is there");
        let health = lucihub_models_core::hot::HotWatch::health(&hot).await.expect("health");
        // Connections, scripts and heads count too, and the suite means lines and samples.
        server.set("maxmemory", &(health.used_bytes + max_bytes + 512 * 1024).to_string());
        self.small.lock().unwrap().push(server);
        Some(Arc::new(hot))
    }
}
