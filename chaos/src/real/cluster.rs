//! A round on a cluster of three masters with a replica each, with all that goes between its nodes through proxies:
//! failovers, a master that is cut off, then slots that move.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use lucihub_models_core::RunId;
use lucihub_testkit::Dice;
use lucihub_testkit::servers::{Fsync, PostgresServer, RedisCluster, RedisOptions};
use tokio::task::block_in_place;

use super::ledger::Left;
use super::raw::Raw;
use super::round::{self, Crew};
use super::single::settle;
use super::stage::{Doors, PATIENCE, Stage};
use crate::gates::Report;

/// Workers at a time.
const DESKS: u64 = 4;
/// The least of each kind of fault in one round: masters that are taken down or cut off, and how often slots move.
const LEAST: [(&str, u64); 3] = [("failovers", 2), ("partitions", 1), ("slot_moves", 2)];
/// In which order masters are lost.
const FALLS: [Fall; 3] = [Fall::Killed, Fall::CutOff, Fall::Frozen];
const MOVES: u64 = 2;
/// Slots of one move.
const SLOTS: u16 = 750;
/// After which time without a word a node counts as down: a master that is cut off acknowledges for so long what nobody
/// else will ever see.
const NODE_TIMEOUT: Duration = Duration::from_secs(2);

/// How a cluster loses a master.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fall {
    Killed,
    Frozen,
    /// No other node reaches it; clients reach all of them.
    CutOff,
}

/// One round.
///
/// # Errors
/// Where something hangs.
pub(crate) async fn round(seed: u64, postgres: &Arc<PostgresServer>, report: &mut Report) -> Result<()> {
    let timeout = format!("cluster-node-timeout {}", NODE_TIMEOUT.as_millis());
    let options = RedisOptions::new().append_only(Fsync::Always).line(&timeout);
    let cluster = block_in_place(|| RedisCluster::behind_proxies(&options));
    let database = postgres.admin_url(&postgres.fresh_database(None));
    lucihub_cold::migrate::up(&database).await?;
    let cold = format!("{database}?sslmode=disable");
    let doors = Doors { workers: cluster.url(), hot: cluster.url(), cold, raw_cold: database };
    let stage = Stage::new(doors, seed ^ 0x636c);
    let mut crew = Crew::start(&stage, DESKS, 60).await?;
    let raged = rage(&cluster, &mut crew, seed).await;
    // The port of the node itself: raw clients pass the proxies by.
    let finished = crew.finish(|run| cluster.nodes()[cluster.master_of(&key(run))].port()).await;
    settle(&stage, report, &LEAST);
    finished.and(raged)
}

fn key(run: RunId) -> String {
    format!("lh:{{{run}}}:run")
}

async fn rage(cluster: &RedisCluster, crew: &mut Crew, seed: u64) -> Result<()> {
    let (stage, dice) = (&crew.stage.clone(), Dice::new(seed ^ 0x6661_696c));
    for fall in FALLS {
        tokio::time::sleep(Duration::from_millis(1_500 + dice.below(1_000))).await;
        round::check(crew)?;
        let run = *stage.runs().last().context("a run by now")?;
        stage.note(&format!("{fall:?}"));
        block_in_place(|| stage.ledger.losing_some(|| fell(cluster, stage, fall, cluster.master_of(&key(run)))))?;
        stage.count(if fall == Fall::CutOff { "partitions" } else { "failovers" }, 1);
    }
    // Last: see `RedisCluster::reshard`.
    for _ in 0..MOVES {
        tokio::time::sleep(Duration::from_millis(500 + dice.below(500))).await;
        round::check(crew)?;
        let run = *stage.runs().last().context("a run by now")?;
        stage.note("slots move");
        block_in_place(|| {
            let from = cluster.master_of(&key(run));
            let masters = (0..cluster.nodes().len()).filter(|node| !cluster.replicas_of(*node).is_empty());
            let others: Vec<usize> = masters.filter(|node| *node != from).collect();
            let to = others.get(usize::try_from(dice.below(others.len() as u64)).unwrap_or(0)).copied();
            to.into_iter().for_each(|to| cluster.reshard(SLOTS, from, to));
        });
        stage.count("slot_moves", 1);
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    Ok(())
}

/// Loses a master and takes it in again as a replica. Returns its runs, with what its replica had of each when it was
/// lost: that and what came later is there, what the old one had beyond is lost.
fn fell(cluster: &RedisCluster, stage: &Stage, fall: Fall, master: usize) -> Result<BTreeMap<RunId, Left>> {
    let replica = *cluster.replicas_of(master).first().context("a replica of each master")?;
    match fall {
        Fall::Killed => cluster.kill(master),
        Fall::Frozen => cluster.stop(master),
        Fall::CutOff => cluster.partition(master),
    }
    let mut left = survey(cluster, replica, &stage.runs())?;
    if fall == Fall::CutOff {
        // As late as it surely answers: what it has acknowledged meanwhile, and nobody else has.
        std::thread::sleep(NODE_TIMEOUT / 2);
        let lines = |left: BTreeMap<RunId, Left>| left.values().map(|left| left.next.lines).sum::<u64>();
        let had = look(cluster, master, &stage.runs()).map_or(0, lines);
        stage.count("lines_at_cut_off_masters", had.saturating_sub(lines(left.clone())));
    }
    cluster.wait_ok();
    match fall {
        Fall::Killed => cluster.restart(master),
        Fall::Frozen => cluster.cont(master),
        Fall::CutOff => {
            // It is still there for clients, and knows of no other.
            std::thread::sleep(NODE_TIMEOUT / 4);
            cluster.heal();
        }
    }
    cluster.wait_ok();
    for (run, after) in survey(cluster, replica, &stage.runs())? {
        // Of those that began meanwhile all may be lost.
        left.entry(run).or_default().later = after.tip.map(|(mark, _)| mark);
    }
    Ok(left)
}

/// What a node has of those of these runs that are its own or its master's.
fn look(cluster: &RedisCluster, node: usize, runs: &[RunId]) -> Result<BTreeMap<RunId, Left>> {
    let mut raw = Raw::connect(cluster.nodes()[node].port())?;
    raw.text(&["READONLY"])?;
    let of = |run: &RunId| raw.left(*run).map(|left| left.map(|left| (*run, left))).transpose();
    runs.iter().filter_map(of).collect()
}

/// As [`look`], once it answers: between the loss of its master and its own promotion a replica may refuse to.
fn survey(cluster: &RedisCluster, node: usize, runs: &[RunId]) -> Result<BTreeMap<RunId, Left>> {
    let begun = Instant::now();
    loop {
        match look(cluster, node, runs) {
            Err(_) if begun.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(20)),
            looked => return looked.with_context(|| format!("node {node} does not say what it has")),
        }
    }
}
