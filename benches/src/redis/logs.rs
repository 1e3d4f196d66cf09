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

const LINES: Unit = Unit::PerSecond("lines/s");

pub(super) fn measure(lab: &Lab, bench: &Bench, figures: &mut Figures) -> Result<()> {
    let name = "hot.redis.log_lines_per_s";
    if !figures.wants(name) {
        return Ok(());
    }
    bench.empty();
    let cold = lab.cold("redis-logs.db")?;
    let store = Store::new(Arc::new(bench.hot.clone()), Arc::new(cold.clone()));
    // What another process would have: connections of its own.
    let other = lab.wait(RedisHot::open(RedisOptions::new(bench.server.url())))?;
    let reader = Store::new(Arc::new(other), Arc::new(cold));
    let count = lab.size.of(200_000) as u64;
    let mut seed = 90_u64 << 32;
    figures.alone((name, LINES), lab.size.repeats, || {
        seed += 1;
        let head = typical::head(seed, 0);
        let recorder = lab.wait(async {
            store.create(&head).await?;
            anyhow::Ok(store.record(head.id, "bench").await?)
        })?;
        let mut follower = reader.follow(head.id, Select::logs());
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
        lab.wait(store.hot().remove(head.id, true, Duration::ZERO))?;
        Ok((count as f64, seconds))
    })
}
