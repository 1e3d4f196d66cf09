//! What the suite asks for, and the servers behind it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use lucihub_hot::redis::{RedisHot, RedisOptions};
use lucihub_models_core::RunId;
use lucihub_models_core::hot::{HotStore, HotWatch};
use lucihub_testkit::HotHarness;
use lucihub_testkit::servers::{RedisOptions as Config, RedisServer};

use crate::redis::raw::Raw;

/// A prefix that no other test has, also on a server that other programs use. The user of the tests may touch `lh:*`.
pub(crate) fn prefix() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("lh:test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Options for a test: patient, since the machine may be busy.
pub(crate) fn options(url: &str) -> RedisOptions {
    RedisOptions::new(url).with_prefix(prefix()).with_timeout(Duration::from_secs(20))
}

/// The same keys by another way to the server.
pub(crate) fn by(url: &str, options: &RedisOptions) -> RedisOptions {
    let mut options = options.clone();
    url.clone_into(&mut options.url);
    options
}

/// A store of its own on a server.
pub(crate) async fn open(options: RedisOptions) -> RedisHot {
    RedisHot::open(options).await.unwrap()
}

/// A store on a server, with a world that the suite may move.
struct Harness {
    hot: RedisHot,
    prefix: String,
    raw: Arc<dyn Raw>,
    /// Keeps the servers of small stores alive.
    small: Mutex<Vec<RedisServer>>,
}

/// A harness on a server.
pub(crate) async fn harness(options: RedisOptions, raw: Arc<dyn Raw>) -> Arc<dyn HotHarness> {
    let prefix = options.prefix.clone();
    Arc::new(Harness { hot: open(options).await, prefix, raw, small: Mutex::default() })
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
        self.raw.delete(&format!("{}:{{{run}}}:*", self.prefix));
        true
    }

    async fn small(&self, max_bytes: u64) -> Option<Arc<dyn HotStore>> {
        let server = RedisServer::start(Config::new());
        let hot = open(options(&server.url())).await;
        let used = hot.health().await.unwrap().used_bytes;
        // Connections, scripts and heads count too, and the suite means lines and samples.
        server.set("maxmemory", &(used + max_bytes + 512 * 1024).to_string());
        self.small.lock().unwrap().push(server);
        Some(Arc::new(hot))
    }
}

impl Drop for Harness {
    fn drop(&mut self) {
        // Nothing stays on a server that outlives the test.
        if std::env::var_os("LUCIHUB_TEST_REDIS_URL").is_some() {
            self.raw.delete(&format!("{}:*", self.prefix));
        }
    }
}
