//! A round on one Redis and one PostgreSQL, both behind proxies.

use std::sync::Arc;

use anyhow::Result;
use lucihub_testkit::servers::{Fsync, PostgresServer, Proxy, RedisOptions, RedisServer};

use super::nemesis::{self, Servers};
use super::round::{self, Crew};
use super::stage::{Doors, Stage};
use crate::gates::Report;

/// Workers at a time.
const DESKS: u64 = 4;

/// The least of each kind of fault in one round; what happens in between is more.
const LEAST: [(&str, u64); 12] = [
    ("cuts", 200),
    ("freezes", 4),
    ("kills", 4),
    ("empties", 4),
    ("fulls", 3),
    ("pg_restarts", 3),
    ("lost_commits", 3),
    ("keeper_kills", 8),
    ("worker_kills", 4),
    ("worker_freezes", 1),
    ("cancels", 1),
    ("deletes", 1),
];

/// One round.
///
/// # Errors
/// Where something hangs.
pub(crate) async fn round(seed: u64, postgres: &Arc<PostgresServer>, report: &mut Report) -> Result<()> {
    let redis = RedisServer::start(RedisOptions::new().append_only(Fsync::Always));
    let database = postgres.admin_url(&postgres.fresh_database(None));
    lucihub_cold::migrate::up(&database).await?;
    let servers = Servers {
        workers: Proxy::start(redis.port(), seed),
        others: Proxy::start(redis.port(), seed ^ 1),
        archive: Proxy::start(postgres.port(), seed ^ 2),
        redis,
        postgres: postgres.clone(),
    };
    let doors = Doors {
        workers: servers.workers.url(),
        hot: servers.others.url(),
        cold: format!("{}?sslmode=disable", servers.archive.through(&database)),
        raw_cold: database,
    };
    let stage = Stage::new(doors, seed);
    let mut crew = Crew::start(&stage, DESKS, 60).await?;
    let watching = tokio::spawn(round::watch(stage.clone(), servers.redis.port()));
    let raged = nemesis::rage(&servers, &mut crew, seed).await;
    let finished = crew.finish(|_| servers.redis.port()).await;
    settle(&stage, report, &LEAST);
    watching.abort();
    finished.and(raged)
}

/// Takes what was found and counted into the report.
pub(crate) fn settle(stage: &Stage, report: &mut Report, least: &[(&'static str, u64)]) {
    report.findings.extend(&stage.findings());
    for (what, count) in stage.counts() {
        let known = report.faults.get(what).map(|(_, least)| *least);
        match known.or_else(|| least.iter().find(|(kind, _)| *kind == what).map(|(_, least)| *least)) {
            Some(least) => report.faults.entry(what).or_insert((0, least)).0 += count,
            None if what.ends_with("_max_ms") => {
                let most = report.figures.entry(what).or_default();
                *most = most.max(f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
            }
            None => *report.figures.entry(what).or_default() += f64::from(u32::try_from(count).unwrap_or(u32::MAX)),
        }
    }
    for (kind, least) in least {
        report.faults.entry(kind).or_insert((0, *least));
    }
    let acknowledged = u32::try_from(stage.ledger.acknowledged()).unwrap_or(u32::MAX);
    *report.figures.entry("acknowledged_groups").or_default() += f64::from(acknowledged);
    let accepted = u32::try_from(stage.ledger.accepted()).unwrap_or(u32::MAX);
    *report.figures.entry("accepted_batches").or_default() += f64::from(accepted);
}
