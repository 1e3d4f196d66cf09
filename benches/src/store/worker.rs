//! A worker as it is in a lab: a program of its own on one thread, with its own connection to hot storage.

use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::{Context, Result, anyhow};
use lucihub_hot::redis::{RedisHot, RedisOptions};
use lucihub_models_core::cold::ColdStore;
use lucihub_models_core::{RunId, RunState};
use lucihub_store::Store;
use lucihub_store::record::End;
use tokio::sync::{mpsc, oneshot};

use super::CHUNK;
use crate::typical::{STATES, Typical};

/// A run that is to be recorded, and whom to tell of it.
type Job = (RunId, Arc<Typical>, oneshot::Sender<Result<()>>);

/// A worker that records one run after another.
pub(crate) struct Worker {
    jobs: mpsc::UnboundedSender<Job>,
    thread: JoinHandle<Result<()>>,
}

impl Worker {
    /// Starts one on a Redis server.
    pub(crate) fn start(url: String, cold: Arc<dyn ColdStore>) -> Self {
        let (jobs, given) = mpsc::unbounded_channel();
        Self { jobs, thread: std::thread::spawn(move || work(&url, cold, given)) }
    }

    /// Has it record a run, each state, line and chunk acknowledged before the next.
    pub(crate) async fn record(&self, run: RunId, typical: &Arc<Typical>) -> Result<()> {
        let (done, told) = oneshot::channel();
        self.jobs.send((run, typical.clone(), done)).map_err(|_| anyhow!("the worker has stopped"))?;
        told.await.context("the worker stopped")?
    }

    /// Stops it.
    pub(crate) fn stop(self) -> Result<()> {
        drop(self.jobs);
        self.thread.join().map_err(|_| anyhow!("the worker panicked"))?
    }
}

/// On one thread: where several wait for each other's tasks, to wake them takes as long as Redis does.
fn work(url: &str, cold: Arc<dyn ColdStore>, mut jobs: mpsc::UnboundedReceiver<Job>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = Store::new(Arc::new(RedisHot::open(RedisOptions::new(url)).await?), cold);
        while let Some((run, typical, done)) = jobs.recv().await {
            // Nobody waits for it any more if the measurement has failed.
            let _ = done.send(record(&store, run, &typical).await);
        }
        Ok(())
    })
}

async fn record(store: &Store, run: RunId, typical: &Typical) -> Result<()> {
    let recorder = store.record(run, "bench").await?;
    for state in STATES {
        recorder.state(RunState::from(state)).await?;
        recorder.flush().await?;
    }
    for line in &typical.lines {
        recorder.line(line.clone()).await?;
        recorder.flush().await?;
    }
    let samples = typical.channels[0].len();
    for first in (0..samples).step_by(CHUNK) {
        for (channel, values) in (0..).zip(&typical.channels) {
            recorder.samples(channel, first as u64, &values[first..(first + CHUNK).min(samples)]).await?;
        }
        recorder.flush().await?;
    }
    recorder.finish(RunState::Succeeded, End::default()).await?;
    Ok(())
}
