//! Log lines: how many a recorder gets acknowledged, and when a follower of another process sees them.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use lucihub_hot::redis::{RedisHot, RedisOptions};
use lucihub_store::{Event, Select, Store};

use super::Bench;
use crate::lab::Lab;
use crate::measure::{Figures, Unit, timed};
use crate::typical;

pub(super) const LINES: Unit = Unit::PerSecond("lines/s");

pub(super) fn measure(lab: &Lab, bench: &Bench, figures: &mut Figures) -> Result<()> {
    let name = "hot.redis.log_lines_per_s";
    if !figures.wants(name) {
        return Ok(());
    }
    let mut logs = Logs::new(lab, bench, "redis-logs.db")?;
    figures.alone((name, LINES), lab.size.repeats, || logs.turn(lab))
}

/// A recorder that writes lines, and a follower that reads them.
pub(super) struct Logs {
    store: Store,
    /// What another process would have: connections of its own.
    reader: Store,
    seed: u64,
}

impl Logs {
    pub(super) fn new(lab: &Lab, bench: &Bench, file: &str) -> Result<Self> {
        bench.empty();
        let cold = Arc::new(lab.cold(file)?);
        let other = lab.wait(RedisHot::open(RedisOptions::new(bench.url())))?;
        Ok(Self { store: Store::new(bench.hot(), cold.clone()), reader: Store::new(Arc::new(other), cold), seed: 0 })
    }

    /// A run of many lines, until the last is acknowledged and was seen. Returns how many, and the seconds.
    pub(super) fn turn(&mut self, lab: &Lab) -> Result<(f64, f64)> {
        let count = lab.size.of(200_000) as u64;
        self.seed += 1;
        let head = typical::head((90_u64 << 32) + self.seed, 0);
        let recorder = lab.wait(async {
            self.store.create(&head).await?;
            anyhow::Ok(self.store.record(head.id, "bench").await?)
        })?;
        let mut follower = self.reader.follow(head.id, Select::logs());
        let following = async {
            let mut seen = 0;
            while seen < count {
                if let Some(Event::Lines(slice)) = follower.next().await? {
                    seen = slice.end();
                }
            }
            anyhow::Ok(())
        };
        let recording = async {
            for line in 0..count {
                recorder.log(format!("t = {line} ms: integrators in range, ADC read")).await?;
            }
            anyhow::Ok(recorder.flush().await?)
        };
        let (seconds, ()) = timed(|| {
            lab.wait(async {
                let (recorded, followed) = tokio::join!(recording, following);
                recorded?;
                followed
            })
        })?;
        ensure!(seconds > 0.0, "no time passed");
        lab.wait(self.store.hot().remove(head.id, true, Duration::ZERO))?;
        Ok((count as f64, seconds))
    }
}
