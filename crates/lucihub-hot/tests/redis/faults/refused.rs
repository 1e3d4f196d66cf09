//! Servers that cannot be opened: what will not pass is a `Precondition` or `Invalid`, the rest `Unavailable`, and each
//! says what to do.

use std::time::Duration;

use lucihub_hot::redis::RedisHot;
use lucihub_models_core::StoreError;
use lucihub_testkit::servers::{RedisOptions as Config, RedisServer};

use super::tally::Tally;
use super::writer::Writer;

use crate::redis::conformance::least_user;
use crate::redis::harness::{open, options};

/// What opening says about a URL.
async fn refusal(url: &str, prefix: Option<&str>) -> StoreError {
    let mut options = options(url).with_timeout(Duration::from_secs(2)).with_connect_timeout(Duration::from_secs(8));
    if let Some(prefix) = prefix {
        options = options.with_prefix(prefix);
    }
    RedisHot::open(options).await.expect_err(url)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waiting_does_not_change_is_a_precondition() {
    let users = "user default off\n\
                 user lucihub on >right resetkeys ~lh:* resetchannels &lh:* +@all\n\
                 user blind on >right ~* &* +@all -info";
    let closed = RedisServer::start(Config::new().acl(users));
    let plain = RedisServer::start(Config::new().tls());
    let lru = RedisServer::start(Config::new().max_memory_policy("allkeys-lru"));
    let (port, open) = (closed.port(), plain.port());
    for (url, prefix, words) in [
        (format!("redis://lucihub:wrong@127.0.0.1:{port}"), None, "refuses the login; check user and password"),
        (format!("redis://127.0.0.1:{port}"), None, "refuses the login; name user and password"),
        (format!("redis://blind:right@127.0.0.1:{port}"), None, "lacks a right (NOPERM"),
        (format!("redis://lucihub:right@127.0.0.1:{port}"), Some("lab"), "LUCIHUB_KEY_PREFIX"),
        (format!("redis://127.0.0.1:{open}/99"), None, "no database of this number"),
        (format!("redis-cluster://127.0.0.1:{open}"), None, "it is no cluster; use redis://"),
        (format!("redis-sentinel://127.0.0.1:{open}?sentinelServiceName=lab"), None, "it is no Sentinel"),
        (plain.tls_url(), None, "its certificate is not accepted (UnknownIssuer)"),
        (format!("redis://127.0.0.1:{}", lru.port()), None, "RedisOptions::allowing_eviction"),
    ] {
        let error = refusal(&url, prefix).await;
        assert!(matches!(error, StoreError::Precondition { .. }), "{url}: {error:?}");
        assert!(error.to_string().contains(words), "{url}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_pass_is_unavailable() {
    let server = RedisServer::start(Config::new());
    let port = server.port();
    for (url, words) in [
        (format!("rediss://127.0.0.1:{port}"), "if this port does not speak TLS, use redis:// there"),
        ("redis://no-such-host.invalid:6379".to_owned(), ": failed to lookup address information: "),
        ("redis+unix:///nowhere/redis.sock".to_owned(), ": No such file or directory"),
    ] {
        let error = refusal(&url, None).await;
        assert!(matches!(error, StoreError::Unavailable { .. }), "{url}: {error:?}");
        assert!(error.to_string().contains(words), "{url}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_least_user_does_nothing_that_the_server_notes() {
    let (users, login) = least_user();
    let server = RedisServer::start(Config::new().acl(&users));
    let hot = open(options(&server.url().replace("redis://", &login))).await;
    let mut writer = Writer::begin(hot.clone(), 1, std::sync::Arc::<Tally>::default()).await;
    writer.append(2).await;
    assert_eq!(server.cli(&["ACL", "LOG"]), "", "nothing was refused");
}
