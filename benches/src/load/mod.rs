//! A lab at work for a minute: workers, keepers and followers on one Redis and one PostgreSQL.
//!
//! | file | what is there |
//! | --- | --- |
//! | `mod.rs` | who takes part, what must hold at the end, the figures |
//! | `signal.rs` | what is recorded: a function of run, channel and index, so that every sample can be checked by itself |
//! | `worker.rs` | records run after run at a device's pace |
//! | `follower.rs` | follows run after run, and checks that nothing is missing and nothing comes twice |
//! | `archived.rs` | waits until a run is archived, and checks all of it |
//! | `memory.rs` | this process and Redis, second by second |
//!
//! Unlike the other groups it fails: where a sample is lost or doubled, where a lag is out of bounds, where memory grows.

mod archived;
mod follower;
mod memory;
mod signal;
mod worker;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use lucihub_cold::{PostgresCold, PostgresOptions};
use lucihub_hot::redis::{RedisHot, RedisOptions};
use lucihub_models_core::SystemClock;
use lucihub_store::{KeeperOptions, Store};
use lucihub_testkit::servers::{
    PostgresOptions as PostgresConfig, PostgresServer, RedisOptions as Config, RedisServer,
};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::lab::Lab;
use crate::measure::{Figures, MS, SAMPLES, Unit};
use crate::store::Working;

/// The most that a follower may be behind the device: for 99 of 100 pieces, and at worst.
const FOLLOW: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];
/// The most that an archive may be behind the end, the same way.
const ARCHIVE: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(10)];

/// Who takes part, and for how long.
#[derive(Debug, Clone, Copy)]
struct Plan {
    workers: u32,
    keepers: u32,
    followers: u32,
    lasts: Duration,
    /// Samples of a run, per channel.
    samples: u64,
}

impl Plan {
    const fn of(lab: &Lab, seconds: u64) -> Self {
        if lab.quick {
            return Self { workers: 3, keepers: 2, followers: 6, lasts: Duration::from_secs(2), samples: 2_500 };
        }
        Self { workers: 24, keepers: 4, followers: 100, lasts: Duration::from_secs(seconds), samples: 25_000 }
    }
}

/// The servers, and how to reach them.
struct Servers {
    redis: RedisServer,
    postgres: PostgresServer,
    database: String,
}

impl Servers {
    fn start() -> Self {
        let postgres = PostgresServer::start(PostgresConfig::new().fsync().max_connections(200));
        let database = postgres.fresh_database(None);
        Self { redis: RedisServer::start(Config::new()), postgres, database }
    }

    /// A store with connections of its own, as another process has.
    async fn store(&self) -> Result<Store> {
        let options = PostgresOptions::url(&self.postgres.admin_url(&self.database))?.with_migrate(true);
        let cold = PostgresCold::open(options, Arc::new(SystemClock)).await?;
        let hot = RedisHot::open(RedisOptions::new(self.redis.url())).await?;
        Ok(Store::new(Arc::new(hot), Arc::new(cold)))
    }
}

/// Measures the group.
pub(crate) fn measure(lab: &Lab, seconds: u64, figures: &mut Figures) -> Result<()> {
    if !figures.wants_any_of("load.") {
        return Ok(());
    }
    let plan = Plan::of(lab, seconds);
    let servers = Servers::start();
    let found = lab.wait(work(&plan, &servers))?;
    found.tell(figures)?;
    found.judge(&plan)?;
    // A quick run, which tests make, asserts no time.
    if lab.quick { Ok(()) } else { found.is_in_time() }
}

/// What was found.
struct Found {
    seconds: f64,
    recorded: u64,
    followed: u64,
    runs: usize,
    follow: Vec<Duration>,
    archive: Vec<Duration>,
    memory: memory::Course,
}

async fn work(plan: &Plan, servers: &Servers) -> Result<Found> {
    let (workers, followers) = (servers.store().await?, servers.store().await?);
    let mut keepers = Vec::new();
    for _ in 0..plan.keepers {
        let options = KeeperOptions::default().with_grace(Duration::from_secs(2));
        keepers.push(Working::start(&servers.store().await?, options));
    }
    let begun = Instant::now();
    let stop = begun + plan.lasts;
    let (ended, ends) = mpsc::unbounded_channel();
    let (mut recording, mut following) = (JoinSet::new(), JoinSet::new());
    let mut shown = Vec::new();
    for number in 0..plan.workers {
        let (show, seen) = watch::channel(None);
        shown.push(seen);
        let lead = f64::from(number) / f64::from(plan.workers);
        recording.spawn(worker::work(workers.clone(), number, lead, plan.samples, stop, show, ended.clone()));
    }
    drop(ended);
    for (_, seen) in (0..plan.followers).zip(shown.iter().cycle()) {
        following.spawn(follower::follow(followers.clone(), seen.clone(), plan.samples));
    }
    drop(shown);
    let archiving = tokio::spawn(archived::check(followers.clone(), ends, plan.samples));
    let watching = tokio::spawn(memory::watch(followers.clone(), stop));
    let mut recorded = 0;
    while let Some(done) = recording.join_next().await {
        recorded += done?.context("a worker")?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let (mut followed, mut follow) = (0, Vec::new());
    while let Some(done) = following.join_next().await {
        let seen = done?.context("a follower")?;
        followed += seen.samples;
        follow.extend(seen.lags);
    }
    let archive = archiving.await?.context("an archived run")?;
    let memory = watching.await?.context("memory")?;
    for keeper in keepers {
        keeper.stop().await?;
    }
    follow.sort_unstable();
    Ok(Found { seconds, recorded, followed, runs: archive.len(), follow, archive, memory })
}

impl Found {
    fn tell(&self, figures: &mut Figures) -> Result<()> {
        let Self { seconds, recorded, followed, follow, archive, memory, .. } = self;
        figures.push_values(("load.recorded_samples_per_s", SAMPLES), vec![*recorded as f64 / seconds])?;
        figures.push_values(("load.followed_samples_per_s", SAMPLES), vec![*followed as f64 / seconds])?;
        for (what, lags) in [("follow", follow), ("end_to_archived", archive)] {
            for (name, share) in [("p50", 50), ("p99", 99), ("max", 100)] {
                let lag = 1e3 * at(lags, share).as_secs_f64();
                figures.push_values((&format!("load.{what}_{name}_ms"), MS), vec![lag])?;
            }
        }
        let bytes = Unit::Bytes("B");
        figures.push_values(("load.memory_peak_bytes", bytes), vec![memory.process.peak() as f64])?;
        figures.push_values(("load.hot_peak_bytes", bytes), vec![memory.hot.peak() as f64])
    }

    /// What must hold, beside what every follower and every archived run was checked for.
    fn judge(&self, plan: &Plan) -> Result<()> {
        let all = self.runs as u64 * plan.samples * u64::from(signal::CHANNELS);
        ensure!(self.recorded == all, "{} samples were recorded, {all} are archived", self.recorded);
        ensure!(!self.follow.is_empty(), "nobody followed anything");
        self.memory.is_flat()
    }

    /// Whether nobody was further behind than the bounds say.
    fn is_in_time(&self) -> Result<()> {
        for (what, lags, bounds) in [("follower", &self.follow, FOLLOW), ("archive", &self.archive, ARCHIVE)] {
            for (share, bound) in [99, 100].into_iter().zip(bounds) {
                let lag = at(lags, share);
                ensure!(lag <= bound, "{what}: {share} of 100 were at most {lag:?} behind, the bound is {bound:?}");
            }
        }
        Ok(())
    }
}

/// What such a share of 100 is at most, of sorted times.
fn at(sorted: &[Duration], share: usize) -> Duration {
    sorted.get(sorted.len().saturating_sub(1) * share / 100).copied().unwrap_or_default()
}
