//! A round on a cluster of three masters with a replica each: failovers, then slots that move.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use lucihub_testkit::Dice;
use lucihub_testkit::servers::{Fsync, PostgresServer, RedisCluster, RedisOptions};
use tokio::task::block_in_place;

use super::round::{self, Crew};
use super::single::settle;
use super::stage::{Doors, Stage};
use crate::gates::Report;

/// Workers at a time.
const DESKS: u64 = 4;
/// Masters that are taken down, and how often slots move.
const FAILOVERS: u64 = 2;
const MOVES: u64 = 2;
/// Slots of one move.
const SLOTS: u16 = 1_500;

/// One round.
///
/// # Errors
/// Where something hangs.
pub(crate) async fn round(seed: u64, postgres: &Arc<PostgresServer>, report: &mut Report) -> Result<()> {
    let cluster = block_in_place(|| RedisCluster::start(&RedisOptions::new().append_only(Fsync::Always)));
    let database = postgres.admin_url(&postgres.fresh_database(None));
    lucihub_cold::migrate::up(&database).await?;
    let cold = format!("{database}?sslmode=disable");
    let doors = Doors { workers: cluster.url(), hot: cluster.url(), cold, raw_cold: database };
    let stage = Stage::new(doors, seed ^ 0x636c);
    let crew = Crew::start(&stage, DESKS, 60).await?;
    let raged = rage(&cluster, &crew, seed).await;
    let finished = crew.finish(|run| cluster.nodes()[cluster.master_of(&format!("lh:{{{run}}}:run"))].port()).await;
    settle(&stage, report, &[("failovers", FAILOVERS), ("slot_moves", MOVES)]);
    finished.and(raged)
}

async fn rage(cluster: &RedisCluster, crew: &Crew, seed: u64) -> Result<()> {
    let (stage, dice) = (&crew.stage, Dice::new(seed ^ 0x6661_696c));
    for number in 0..FAILOVERS {
        tokio::time::sleep(Duration::from_millis(1_500 + dice.below(1_000))).await;
        round::check(crew)?;
        let run = *stage.runs().last().context("a run by now")?;
        // What a replica did not have yet when it took over is lost.
        block_in_place(|| {
            stage.ledger.losing(|| {
                let master = cluster.master_of(&format!("lh:{{{run}}}:run"));
                if number % 2 == 0 {
                    cluster.kill(master);
                    cluster.wait_ok();
                    cluster.restart(master);
                } else {
                    cluster.stop(master);
                    cluster.wait_ok();
                    cluster.cont(master);
                }
                cluster.wait_ok();
            });
        });
        stage.count("failovers", 1);
    }
    // Last: see `RedisCluster::reshard`.
    for _ in 0..MOVES {
        tokio::time::sleep(Duration::from_millis(500 + dice.below(500))).await;
        round::check(crew)?;
        let run = *stage.runs().last().context("a run by now")?;
        block_in_place(|| {
            let from = cluster.master_of(&format!("lh:{{{run}}}:run"));
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
