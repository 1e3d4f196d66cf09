//! Defects between writers, on the ports of a real Redis, noted as those of any process are.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use lucihub_models_core::hot::{HotAppend, HotRuns, Outcome, Restore, Restored, TakeOver, Taken, TookOver};
use lucihub_models_core::{Batch, BatchBody, IdSource, JobType, LogLine, Positions, RunHead, SystemIds};
use lucihub_store::{Store, Urls};
use lucihub_testkit::servers::RedisServer;

use crate::gates::{Findings, Gate};
use crate::real::fences;
use crate::real::ledger::Ledger;
use crate::real::noting::Noting;
use crate::real::raw::{Raw, Reply};
use crate::signal;

/// A run, and what its writers note of it.
struct Noted {
    head: RunHead,
    ledger: Arc<Ledger>,
}

impl Noted {
    async fn new(store: &Store) -> Result<Self> {
        let head = store.new_run(JobType::Run);
        store.create(&head).await?;
        Ok(Self { head, ledger: Arc::default() })
    }

    /// Hot storage for one of them.
    fn hot(&self, store: &Store, client: u64) -> Arc<Noting> {
        let ledger = self.ledger.clone();
        Noting::new(store.hot().clone(), true, move |note| ledger.note(client, note))
    }

    async fn take(&self, hot: &Noting, lease: Duration) -> Result<Box<Taken>> {
        let (run, worker, writer) = (self.head.id, "worker".to_owned(), SystemIds.writer_id());
        match hot.take_over(&TakeOver { run, worker, writer, lease }).await? {
            TookOver::Taken(taken) => Ok(taken),
            other => bail!("a run that is to be had: {other:?}"),
        }
    }

    /// Appends one line under a number.
    async fn append(&self, hot: &Noting, by: &Taken, seq: u64, line: u64) -> Result<Outcome> {
        let line = LogLine::new(self.head.created_at, signal::line(self.head.id, line));
        let body = BatchBody { lines: vec![line].into(), ..BatchBody::default() };
        Ok(hot.append(&Batch::new(self.head.id, by.mark, seq, body)).await?.outcome)
    }

    fn judged(&self) -> Findings {
        let (run, mut findings) = (self.head.id, Findings::default());
        fences::writers(&mut findings, run, 0, &self.ledger.of(run), &self.ledger.losses(run));
        findings
    }
}

/// A writer that another has followed, and that puts the run back without a question once hot storage is emptied.
pub(super) async fn no_fence_after_loss(store: &Store, redis: &RedisServer) -> Result<bool> {
    const BRIEF: Duration = Duration::from_millis(20);
    let noted = Noted::new(store).await?;
    let (old, new) = (noted.hot(store, 0), noted.hot(store, 1));
    let first = noted.take(&old, BRIEF).await?;
    ensure!(noted.append(&old, &first, 1, 0).await? == Outcome::Applied, "the first writer's");
    tokio::time::sleep(2 * BRIEF).await;
    let second = noted.take(&new, Duration::from_secs(60)).await?;
    ensure!(noted.append(&new, &second, 1, 1).await? == Outcome::Applied, "the second writer's");
    ensure!(noted.append(&old, &first, 2, 1).await? == Outcome::Fenced, "hot storage keeps them apart");
    tokio::task::block_in_place(|| noted.ledger.losing(|| drop(redis.cli(&["FLUSHALL"]))));
    let restore = Restore {
        head: noted.head.clone(),
        worker: "worker".to_owned(),
        mark: first.mark,
        lease: Duration::from_secs(60),
        last_seq: 1,
        confirmed: Positions::default(),
        next: Positions { lines: 1, states: noted.head.states.len() as u64, ..Positions::default() },
    };
    ensure!(old.restore(&restore).await? == Restored::Restored, "what is empty takes it");
    let before = noted.judged();
    ensure!(before.is_empty(), "nothing of the first writer is accepted before: {:?}", before.words());
    ensure!(noted.append(&old, &first, 2, 1).await? == Outcome::Applied, "nobody fences it");
    Ok(noted.judged().count(Gate::FencedAccepts) > 0)
}

/// Hot storage that forgets the number of the last batch, and the digests: another content is taken under it.
pub(super) async fn no_numbers(store: &Store, redis: &RedisServer) -> Result<bool> {
    let noted = Noted::new(store).await?;
    let hot = noted.hot(store, 0);
    let taken = noted.take(&hot, Duration::from_secs(60)).await?;
    ensure!(noted.append(&hot, &taken, 1, 0).await? == Outcome::Applied, "the first content");
    ensure!(noted.append(&hot, &taken, 1, 1).await? == Outcome::Conflict, "hot storage tells contents apart");
    let before = noted.judged();
    ensure!(before.is_empty(), "one content is acknowledged before: {:?}", before.words());
    let (mut raw, key) = (Raw::connect(redis.port())?, format!("lh:{{{}}}:run", noted.head.id));
    let Reply::Bytes(tip) = raw.text(&["HGET", &key, "tip"])? else { bail!("a run without a tip") };
    let tip = String::from_utf8(tip)?;
    let incarnation = tip.split('.').next().unwrap_or_default();
    let forgotten = format!("{incarnation}.{}.{}.0.", taken.mark.writer, taken.mark.epoch);
    raw.text(&["HSET", &key, "tip", &forgotten])?;
    raw.text(&["HDEL", &key, "d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7"])?;
    // Another process: this one knows the run as it was.
    let other = Store::open(&Urls::hot_only(redis.url())).await?;
    let hot = noted.hot(&other, 0);
    ensure!(noted.append(&hot, &taken, 1, 1).await? == Outcome::Applied, "the second content");
    Ok(noted.judged().count(Gate::WrongReply) > 0)
}
