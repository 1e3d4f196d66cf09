//! How long after an append a follower has the line: one follower, and a thousand of one process.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures_util::StreamExt;
use lucihub_hot::redis::{RedisHot, RedisOptions};
use lucihub_models_core::hot::{HotLogs, HotRuns, HotWatch};
use lucihub_models_core::{Batch, BatchBody, LogLine, RunId, Timestamp};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::Bench;
use crate::lab::Lab;
use crate::measure::{Figures, MS};
use crate::typical;

pub(super) fn measure(lab: &Lab, bench: &Bench, figures: &mut Figures) -> Result<()> {
    for (followers, batches) in [(1, 500), (1_000, 100)] {
        let names = [50, 99].map(|p| format!("hot.redis.follow_p{p}_of_{followers}_ms"));
        if !names.iter().any(|name| figures.wants(name)) {
            continue;
        }
        let followers = if followers == 1 { 1 } else { lab.size.of(followers) };
        let (mut p50, mut p99) = (Vec::new(), Vec::new());
        for _ in 0..lab.size.repeats {
            let times = lab.wait(async {
                let here = Handle::current();
                times(bench, (followers, &here), lab.size.of(batches)).await
            })?;
            p50.push(times.lag_ms(50));
            p99.push(times.lag_ms(99));
        }
        figures.push_values((&names[0], MS), p50)?;
        figures.push_values((&names[1], MS), p99)?;
    }
    Ok(())
}

/// How long things took, from just before each batch was sent.
pub(crate) struct Times {
    /// Until a follower had its line, for each batch and follower, the shortest first.
    lags: Vec<Duration>,
    /// Until the answer to it was there, for each batch.
    pub(crate) appends: Vec<Duration>,
}

impl Times {
    /// The lag, in milliseconds, that so many of a hundred do not exceed.
    pub(crate) fn lag_ms(&self, share: usize) -> f64 {
        self.lags[(self.lags.len() - 1) * share / 100].as_secs_f64() * 1e3
    }
}

/// Appends batches of a line each to a run that so many follow, on threads of these followers.
pub(crate) async fn times(bench: &Bench, (followers, threads): (usize, &Handle), batches: usize) -> Result<Times> {
    bench.empty();
    let head = typical::head(1, 1);
    let mark = bench.start(&head).await?;
    let options = RedisOptions::new(bench.url());
    let other = Arc::new(threads.spawn(RedisHot::open(options)).await??);
    let (seen, mut sees) = mpsc::unbounded_channel();
    let mut following = JoinSet::new();
    for _ in 0..followers {
        following.spawn_on(follow(other.clone(), head.id, batches as u64, seen.clone()), threads);
    }
    drop(seen);
    // Everyone says once that it listens.
    for _ in 0..followers {
        ensure!(sees.recv().await.is_some(), "a follower ended");
    }
    let (mut lags, mut appends) = (Vec::with_capacity(followers * batches), Vec::with_capacity(batches));
    for seq in 1..=batches as u64 {
        let line = LogLine::new(Timestamp::EPOCH, format!("line {seq}"));
        let body = BatchBody { lines: Arc::from([line]), ..BatchBody::default() };
        let batch = Batch::new(head.id, mark, seq, body);
        let sent = Instant::now();
        bench.append(&[batch], 1).await?;
        appends.push(sent.elapsed());
        for _ in 0..followers {
            let at: Option<Instant> = sees.recv().await;
            lags.extend(at.map(|at| at.saturating_duration_since(sent)));
        }
    }
    ensure!(lags.len() == followers * batches, "{} times of {}", lags.len(), followers * batches);
    while let Some(ended) = following.join_next().await {
        ended??;
    }
    lags.sort_unstable();
    Ok(Times { lags, appends })
}

/// Reads every new line as followers do: the run first, then what it has; and says when it had it.
async fn follow(hot: Arc<RedisHot>, run: RunId, lines: u64, seen: mpsc::UnboundedSender<Instant>) -> Result<()> {
    let mut wakes = hot.watch(run);
    // The subscription wakes once when it stands, but only those that waited for it.
    let _ = tokio::time::timeout(Duration::from_millis(300), wakes.next()).await;
    let _ = seen.send(Instant::now());
    let mut at = 0;
    while at < lines {
        let next = hot.get(run).await?.map_or(0, |run| run.next.lines);
        if next > at {
            let slice = hot.lines(run, at..next).await?;
            let now = Instant::now();
            let end = slice.map_or(at, |slice| slice.end());
            (at..end).for_each(|_| {
                let _ = seen.send(now);
            });
            at = end;
            continue;
        }
        let _ = tokio::time::timeout(Duration::from_secs(1), wakes.next()).await;
    }
    Ok(())
}
