//! What the server is: its version, its policy when full, its room, and the layout of its keys.

use fred::interfaces::ClientLike;
use fred::types::{ClusterHash, CustomCommand, Value};
use lucihub_models_core::hot::Health;
use lucihub_models_core::{Result, StoreError};
use tokio::time::Instant;

use super::keys::Keys;
use super::link::{Lane, Link};
use super::options::RedisOptions;

/// The layout that this version writes and reads.
const LAYOUT: u32 = 1;
/// The oldest layout whose programs may still use what this version writes.
const OLDEST: u32 = 1;
/// Sharded channels and flags of scripts came with it.
const OLDEST_SERVER: u32 = 7;

/// What a server says of itself, by name.
struct Info(Vec<(String, String)>);

impl Info {
    fn parse(text: &str) -> Self {
        let pairs = text.lines().filter_map(|line| line.split_once(':'));
        Self(pairs.map(|(name, value)| (name.to_owned(), value.trim_end().to_owned())).collect())
    }

    fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value)
    }

    fn number(&self, name: &str) -> u64 {
        self.text(name).parse().unwrap_or(0)
    }
}

/// What each server says in these sections.
async fn info(link: &Link, deadline: Instant, sections: &[&'static str]) -> Result<Vec<Info>> {
    let client = link.client(Lane::Read);
    let mut all = Vec::new();
    let command = || CustomCommand::new_static("INFO", ClusterHash::FirstKey, false);
    if link.is_cluster() {
        for server in client.active_connections() {
            let node = client.with_cluster_node(&server);
            let text = link.attempt(deadline, false, || node.custom::<String, _>(command(), sections.to_vec())).await?;
            all.push(Info::parse(&text));
        }
    } else {
        let text = link.attempt(deadline, false, || client.custom::<String, _>(command(), sections.to_vec())).await?;
        all.push(Info::parse(&text));
    }
    Ok(all)
}

/// How full the server is; of a cluster, the fullest one.
pub(super) async fn health(link: &Link) -> Result<Health> {
    let all = info(link, link.deadline(), &["memory", "server"]).await?;
    let of = |info: &Info| Health {
        engine: engine(info),
        used_bytes: info.number("used_memory"),
        max_bytes: Some(info.number("maxmemory")).filter(|max| *max > 0),
    };
    all.iter()
        .map(of)
        .max_by(|a, b| a.fill().total_cmp(&b.fill()))
        .ok_or_else(|| StoreError::unavailable(link.server(), "no server is connected"))
}

/// Which server it is. Valkey says for which Redis it stands in, and then what it is itself.
fn engine(info: &Info) -> String {
    match info.text("valkey_version") {
        "" => format!("Redis {}", info.text("redis_version")),
        version => format!("Valkey {version}"),
    }
}

/// Refuses a server that is too old, and one that throws data away when it is full.
pub(super) async fn check(link: &Link, options: &RedisOptions, deadline: Instant) -> Result<()> {
    for info in info(link, deadline, &["server"]).await? {
        // Valkey says for which Redis it stands in.
        let version = info.text("redis_version");
        let major: u32 = version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0);
        if major < OLDEST_SERVER {
            return Err(StoreError::precondition(
                link.server(),
                format!("its version is {version}; Redis 7.0 or newer, or Valkey, is needed"),
            ));
        }
    }
    for info in info(link, deadline, &["memory"]).await? {
        let policy = info.text("maxmemory_policy");
        if policy != "noeviction" && !options.allow_eviction {
            return Err(StoreError::precondition(
                link.server(),
                format!(
                    "its maxmemory-policy is {policy}, so it throws away live runs when it is full; run `CONFIG SET \
                     maxmemory-policy noeviction` and set it in redis.conf too; `RedisOptions::allowing_eviction` uses \
                     the server all the same"
                ),
            ));
        }
    }
    Ok(())
}

/// Refuses keys of a layout that this version does not know, and says which one it writes.
pub(super) async fn check_layout(link: &Link, keys: &Keys, deadline: Instant) -> Result<()> {
    let client = link.client(Lane::Write);
    let command = |name: &'static str| CustomCommand::new_static(name, ClusterHash::FirstKey, false);
    let meta = keys.meta();
    let read = || {
        let args: Vec<Value> = vec![meta.as_str().into(), "layout".into(), "oldest".into()];
        client.custom::<Vec<Option<String>>, _>(command("HMGET"), args)
    };
    let mut found = link.attempt(deadline, false, read).await?;
    // Only what is missing is written: a full server refuses the mere attempt, and its keeper must get in to empty it.
    if found.iter().any(Option::is_none) {
        for (field, value) in [("layout", LAYOUT), ("oldest", OLDEST)] {
            let write = || {
                let args: Vec<Value> = vec![meta.as_str().into(), field.into(), value.to_string().into()];
                client.custom::<i64, _>(command("HSETNX"), args)
            };
            link.attempt(deadline, true, write).await?;
        }
        found = link.attempt(deadline, false, read).await?;
    }
    let number = |at: usize| found.get(at).and_then(Option::as_deref).and_then(|n| n.parse::<u32>().ok());
    match (number(0), number(1)) {
        (Some(layout), Some(oldest)) if oldest <= LAYOUT && layout >= OLDEST => Ok(()),
        (Some(layout), _) => Err(StoreError::precondition(
            link.server(),
            format!(
                "its keys below {meta} are of layout {layout}, this version knows {OLDEST} to {LAYOUT}; upgrade the \
                 older program, or choose another key prefix"
            ),
        )),
        _ => Err(StoreError::corrupt(format!("{} {meta}", link.server()), "layout and oldest are no numbers")),
    }
}
