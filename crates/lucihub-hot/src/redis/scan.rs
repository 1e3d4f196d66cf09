//! All runs below the prefix, server by server.

use async_trait::async_trait;
use fred::interfaces::{ClientLike, ClusterInterface};
use fred::types::config::Server;
use fred::types::{ClusterHash, CustomCommand, Key, Value};
use lucihub_models_core::hot::{HotScan, ScannedRuns};
use lucihub_models_core::{Invalid, Result};

use super::RedisHot;
use super::link::Lane;

/// Where a scan begins on a server.
const START: &str = "0";

#[async_trait]
impl HotScan for RedisHot {
    async fn scan(&self, after: Option<&str>, about: usize) -> Result<ScannedRuns> {
        let servers = self.primaries();
        // A server's name has no space.
        let (name, cursor) = match after {
            None => (servers.first().map(ToString::to_string).unwrap_or_default(), START),
            Some(text) => match text.rsplit_once(' ') {
                Some((name, cursor)) if cursor.bytes().all(|c| c.is_ascii_digit()) && !cursor.is_empty() => {
                    (name.to_owned(), cursor)
                }
                _ => {
                    let invalid = Invalid::new("place of a scan", format!("{text:?}"));
                    return Err(invalid.hint("use the one a part gave").into());
                }
            },
        };
        let server = servers.iter().find(|server| server.to_string() == name);
        let next_server = || {
            let next = servers.iter().map(ToString::to_string).find(|other| *other > name);
            next.map(|next| format!("{next} {START}"))
        };
        if server.is_none() && self.link.is_cluster() {
            // It left the cluster, or serves as a replica now.
            return Ok(ScannedRuns { runs: Vec::new(), next: next_server() });
        }
        let (cursor, keys) = self.scan_server(server, cursor, about).await?;
        let runs = keys.iter().filter_map(|key| self.keys.run_of(key.as_str()?)).collect();
        let next = if cursor == START { next_server() } else { Some(format!("{name} {cursor}")) };
        Ok(ScannedRuns { runs, next })
    }
}

impl RedisHot {
    /// The servers of a cluster that are written to, by name; none if it is no cluster.
    fn primaries(&self) -> Vec<Server> {
        if !self.link.is_cluster() {
            return Vec::new();
        }
        let state = self.link.client(Lane::Read).cached_cluster_state();
        let mut servers = state.map(|state| state.unique_primary_nodes()).unwrap_or_default();
        servers.sort_by_cached_key(ToString::to_string);
        servers
    }

    async fn scan_server(&self, server: Option<&Server>, cursor: &str, about: usize) -> Result<(String, Vec<Key>)> {
        // The server looks at so many keys, of which each run has more than ten.
        let count = about.clamp(1, 1_000) * 10;
        let args: Vec<Value> =
            vec![cursor.into(), "MATCH".into(), self.keys.every_run().into(), "COUNT".into(), count.to_string().into()];
        let command = || CustomCommand::new_static("SCAN", ClusterHash::FirstKey, false);
        let client = self.link.client(Lane::Read);
        let deadline = self.link.deadline();
        match server {
            Some(server) => {
                let node = client.with_cluster_node(server);
                self.link.attempt(deadline, false, || node.custom(command(), args.clone())).await
            }
            None => self.link.attempt(deadline, false, || client.custom(command(), args.clone())).await,
        }
    }
}
