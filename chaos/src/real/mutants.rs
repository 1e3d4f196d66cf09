//! Defects that the checker must notice: plain writes on a real Redis, without what the scripts and the keeper do.

use anyhow::{Context, Result, ensure};
use lucihub_models_core::{JobType, Positions, RunId, RunState};
use lucihub_store::record::End;
use lucihub_store::{Keeper, KeeperOptions, Store, Urls};
use lucihub_testkit::Dice;
use lucihub_testkit::servers::{PostgresServer, Proxy, RedisOptions, RedisServer};

use super::archive::Archive;
use super::ledger::{Entry, Outcome, now};
use super::noting::Mark;
use super::raw::{Raw, Reply, Told};
use super::{fences, judge, round};
use crate::gates::{Findings, Gate, Report};
use crate::signal;

mod writers;

/// Every mutant, and whether it was caught.
///
/// # Errors
/// Where one cannot be set up.
pub(crate) async fn all(seed: u64, postgres: &PostgresServer, report: &mut Report) -> Result<()> {
    let redis = RedisServer::start(RedisOptions::new());
    let url = postgres.admin_url(&postgres.fresh_database(None));
    lucihub_cold::migrate::up(&url).await?;
    let store = Store::open(&Urls::new(redis.url(), format!("{url}?sslmode=disable"))).await?;
    let archive = Archive::connect(&url).await?;
    let run = store.new_run(JobType::Run).id;
    report.mutants.insert("rpush", tokio::task::block_in_place(|| rpush(&redis, seed, run))?);
    report.mutants.insert("no_fence", tokio::task::block_in_place(|| no_fence(&redis, run))?);
    report.mutants.insert("no_fence_after_loss", writers::no_fence_after_loss(&store, &redis).await?);
    report.mutants.insert("no_numbers", writers::no_numbers(&store, &redis).await?);
    let early = recorded(&store).await?;
    report.mutants.insert("expire_before_commit", expire_before_commit(&store, &archive, &redis, early).await?);
    let late = recorded(&store).await?;
    report.mutants.insert("no_seal", no_seal(&store, &archive, &redis, late).await?);
    Ok(())
}

/// Appends lines one by one; where no answer comes, once more.
struct Plain<'a> {
    port: u16,
    client: Option<Raw>,
    key: &'a str,
}

impl Plain<'_> {
    fn push(&mut self, text: &str) -> Result<()> {
        const ATTEMPTS: usize = 200;
        for _ in 0..ATTEMPTS {
            if self.client.is_none() {
                self.client = Raw::connect(self.port).ok();
            }
            let answer = self.client.as_mut().map(|client| client.text(&["RPUSH", self.key, text]));
            if let Some(Ok(Reply::Number(_))) = answer {
                return Ok(());
            }
            self.client = None;
        }
        anyhow::bail!("no answer in {ATTEMPTS} attempts")
    }
}

fn list(redis: &RedisServer, key: &str) -> Result<Vec<Told<String>>> {
    let Reply::List(items) = Raw::connect(redis.port())?.text(&["LRANGE", key, "0", "-1"])? else {
        anyhow::bail!("{key} is no list")
    };
    let text = |item| match item {
        Reply::Bytes(bytes) => Ok(String::from_utf8(bytes)?),
        other => anyhow::bail!("{other:?}"),
    };
    items.into_iter().map(|item| text(item).map(Ok)).collect()
}

/// Plain appends that a client repeats when it gets no answer: a cut that loses the answer doubles the line.
fn rpush(redis: &RedisServer, seed: u64, run: RunId) -> Result<bool> {
    const LINES: u64 = 2_000;
    const ANSWERS: u64 = 10;
    let proxy = Proxy::start(redis.port(), seed);
    proxy.cut_every(300..4_000);
    // A request is many times as long as its answer, so few of those cuts hit an answer.
    let dice = Dice::new(seed);
    for _ in 0..ANSWERS {
        proxy.cut_after_request(format!("line {} ", dice.below(LINES)).as_bytes());
    }
    let mut writer = Plain { port: proxy.port(), client: None, key: "mutant:rpush" };
    for number in 0..LINES {
        writer.push(&signal::line(run, number))?;
    }
    ensure!(proxy.cuts() > 20, "{} cuts", proxy.cuts());
    let mut findings = Findings::default();
    judge::lines(&mut findings, run, 0, &list(redis, "mutant:rpush")?);
    Ok(findings.count(Gate::Dup) > 0)
}

fn told(run: RunId, worker: u64, range: std::ops::Range<u64>, outcome: Outcome) -> Entry {
    let at = |lines| Positions { lines, ..Positions::default() };
    Entry { run, worker, since: now(), at: now(), from: at(range.start), to: at(range.end), outcome }
}

/// Two writers that nothing keeps apart: the first one goes on after the second has the run.
fn no_fence(redis: &RedisServer, run: RunId) -> Result<bool> {
    let writer = || Plain { port: redis.port(), client: None, key: "mutant:no_fence" };
    let (mut old, mut new) = (writer(), writer());
    let mut entries = Vec::new();
    let mut step = |plain: &mut Plain<'_>, worker, range: std::ops::Range<u64>, take: bool| -> Result<()> {
        if take {
            let mark = Mark { epoch: worker + 1, writer: format!("{worker:032x}") };
            entries.push(told(run, worker, 0..0, Outcome::Took { mark, asks: true }));
            entries.push(told(run, worker, range.start..range.start, Outcome::Taken));
        }
        for number in range.clone() {
            plain.push(&signal::line(run, number))?;
        }
        entries.push(told(run, worker, range, Outcome::Ok));
        std::thread::sleep(std::time::Duration::from_millis(2));
        Ok(())
    };
    step(&mut old, 0, 0..10, true)?;
    step(&mut new, 1, 10..20, true)?;
    step(&mut old, 0, 10..15, false)?;
    let mut findings = Findings::default();
    fences::writers(&mut findings, run, 0, &entries, &[]);
    judge::lines(&mut findings, run, 0, &list(redis, "mutant:no_fence")?);
    Ok(findings.count(Gate::FencedAccepts) > 0 && findings.count(Gate::Dup) > 0)
}

/// A run that has ended, with ten lines.
async fn recorded(store: &Store) -> Result<RunId> {
    let head = store.new_run(JobType::Run);
    store.create(&head).await?;
    let recorder = store.record(head.id, "worker").await?;
    recorder.state(RunState::InProgress).await?;
    for number in 0..10 {
        recorder.log(signal::line(head.id, number)).await?;
    }
    recorder.finish(RunState::Succeeded, End::default()).await?;
    Ok(head.id)
}

/// A keeper that lets hot storage forget a run before cold storage has it.
async fn expire_before_commit(store: &Store, archive: &Archive, redis: &RedisServer, run: RunId) -> Result<bool> {
    let mut raw = Raw::connect(redis.port())?;
    ensure!(!round::leaves_early(&mut raw, archive, run).await?, "it stays until somebody says so");
    store.hot().expire(run, std::time::Duration::from_secs(3_600)).await?;
    round::leaves_early(&mut raw, archive, run).await
}

/// A late append that no seal refuses: it is acknowledged, and not in the archive.
async fn no_seal(store: &Store, archive: &Archive, redis: &RedisServer, run: RunId) -> Result<bool> {
    Keeper::new(store.clone(), KeeperOptions::default()).walk().await?;
    let judged = |entries: &[Entry], stored| {
        let mut findings = Findings::default();
        judge::archived(&mut findings, run, stored, entries, &[]);
        findings
    };
    let stored = archive.stored(run).await?.context("a run that was created")?;
    let mut entries = vec![told(run, 0, 0..0, Outcome::Taken), told(run, 0, 0..10, Outcome::Ok)];
    let before = judged(&entries, &stored);
    ensure!(before.is_empty(), "the run is whole before: {:?}", before.words());
    let key = format!("lh:{{{run}}}:log");
    let answer = Raw::connect(redis.port())?.text(&["XADD", &key, "11-0", "b", &signal::line(run, 10)])?;
    ensure!(matches!(answer, Reply::Bytes(_)), "a plain append: {answer:?}");
    entries.push(told(run, 0, 10..11, Outcome::Ok));
    Ok(judged(&entries, &stored).count(Gate::LostDurable) > 0)
}
