//! Who works in a round, how it comes to its end, and how it is judged.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use lucihub_models_core::RunId;
use tokio::task::JoinHandle;

use super::archive::{Archive, Stored};
use super::keeper::Keeper;
use super::ledger::Outcome;
use super::people::{DEVICE, Followed};
use super::raw::{Raw, Told};
use super::stage::{PATIENCE, Stage, in_time};
use super::{desk, fences, judge, people};
use crate::gates::{Findings, Gate};

/// Keepers of a round.
pub(crate) const KEEPERS: u32 = 3;
const READERS: u64 = 2;

/// Everybody who works in a round.
#[derive(Debug)]
pub(crate) struct Crew {
    pub(crate) stage: Arc<Stage>,
    desks: Vec<JoinHandle<Result<()>>>,
    people: Vec<JoinHandle<Result<()>>>,
    following: JoinHandle<Result<Vec<Followed>>>,
    keepers: Vec<Keeper>,
}

impl Crew {
    /// Lets them begin: so many desks, each with a worker at a time, with a pause of so many milliseconds between
    /// groups.
    pub(crate) async fn start(stage: &Arc<Stage>, desks: u64, pace: u64) -> Result<Self> {
        let (api, readers) = (stage.open().await?, stage.open().await?);
        let mut crew = Self {
            stage: stage.clone(),
            desks: (0..desks).map(|n| tokio::spawn(desk::work(stage.clone(), api.clone(), n, pace))).collect(),
            people: (0..READERS).map(|_| tokio::spawn(people::read(stage.clone(), readers.clone()))).collect(),
            following: tokio::spawn(follow_all(stage.clone(), readers.clone())),
            keepers: (0..KEEPERS).map(|number| Keeper::start(stage, number)).collect::<Result<_>>()?,
        };
        crew.people.push(tokio::spawn(people::scan(stage.clone(), api)));
        Ok(crew)
    }

    /// Kills a keeper (SIGKILL) wherever it is, and starts another.
    pub(crate) async fn kill_keeper(&mut self, number: u32) -> Result<()> {
        let keeper = self.keepers.get_mut(usize::try_from(number)?).context("a keeper")?;
        let opens = async {
            while !keeper.is_open() && !keeper.has_ended()? {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            anyhow::Ok(())
        };
        in_time("a keeper opens its store", opens).await??;
        keeper.kill();
        let killed = std::mem::replace(keeper, Keeper::start(&self.stage, number)?);
        tokio::task::block_in_place(|| killed.end())?;
        self.stage.count("keeper_kills", 1);
        Ok(())
    }

    /// Whether somebody gave up already: then the rest of the round shows nothing.
    pub(crate) fn has_failed(&mut self) -> Result<bool> {
        for keeper in &mut self.keepers {
            if keeper.has_ended()? {
                return Ok(true);
            }
        }
        Ok(self.desks.iter().chain(&self.people).any(JoinHandle::is_finished))
    }

    /// Lets everybody come to the end, and judges what they left. `ports` says where a run is in hot storage.
    pub(crate) async fn finish(self, ports: impl Fn(RunId) -> u16) -> Result<()> {
        let Self { stage, desks, people, following, keepers } = self;
        stage.closing.store(true, Ordering::SeqCst);
        for desk in desks {
            joined(&stage, "a desk", in_time("a desk comes to its end", desk).await?)?;
        }
        let (store, archive) = (stage.open().await?, Archive::connect(&stage.doors.raw_cold).await?);
        let begun = Instant::now();
        loop {
            let open = archive.open_runs().await?;
            if open.is_empty() {
                break;
            }
            if begun.elapsed() > PATIENCE / 2 {
                for run in &open {
                    let status = store.status(*run).await.map(|status| (status.source, status.ended, status.positions));
                    let entries = stage.ledger.of(*run);
                    let takes = entries.iter().filter(|entry| matches!(entry.outcome, Outcome::Took { .. }));
                    let takes: Vec<(u64, &Outcome)> = takes.map(|entry| (entry.worker, &entry.outcome)).collect();
                    let told = entries.last().map(|entry| &entry.outcome);
                    stage.found(Gate::LostDurable, format!("{run} is never archived: {status:?}, {takes:?}, {told:?}"));
                }
                break;
            }
            // What no worker began waits for one, which will not come; so does what hot storage lost before anybody
            // but its worker, who is dead, knew that it had begun.
            if begun.elapsed() > Duration::from_secs(2) {
                for run in &open {
                    desk::cancel(&stage, &store, *run).await?;
                }
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let followed = if stage.findings().is_empty() {
            joined(&stage, "followers", in_time("followers see the end of their runs", following).await?)?
        } else {
            following.abort();
            None
        };
        stage.over.store(true, Ordering::SeqCst);
        for one in people {
            joined(&stage, "a reader or the scanner", in_time("readers and the scanner end", one).await?)?;
        }
        for keeper in keepers {
            tokio::task::block_in_place(|| keeper.end()).context("a keeper")?;
        }
        let mut raw = None;
        for run in stage.runs() {
            let port = tokio::task::block_in_place(|| ports(run));
            let client = match raw.take() {
                Some((at, client)) if at == port => client,
                _ => Raw::connect(port)?,
            };
            raw = Some((port, judge_run(&stage, &archive, client, run, followed.as_deref()).await?));
        }
        if archive.devices().await? < 1 {
            stage.found(Gate::LostDurable, format!("{DEVICE} was announced, and is not in the registry"));
        }
        Ok(())
    }
}

/// A task's result. One that panicked is a finding; one that gave up is an error, and says what hung.
fn joined<T>(stage: &Stage, who: &str, result: Result<Result<T>, tokio::task::JoinError>) -> Result<Option<T>> {
    match result {
        Ok(result) => result.with_context(|| who.to_owned()).map(Some),
        Err(error) => {
            stage.found(Gate::Panics, format!("{who}: {error}"));
            Ok(None)
        }
    }
}

/// Follows every run from its beginning.
async fn follow_all(stage: Arc<Stage>, store: lucihub_store::Store) -> Result<Vec<Followed>> {
    let (mut known, mut tasks) = (BTreeSet::new(), Vec::new());
    while !stage.is_closing() || known.len() < stage.runs().len() {
        for run in stage.runs() {
            if known.insert(run) {
                tasks.push((run, tokio::spawn(people::follow(stage.clone(), store.clone(), run))));
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut all = Vec::new();
    for (run, task) in tasks {
        all.extend(in_time(&format!("a follower of {run} sees its end"), task).await???);
    }
    Ok(all)
}

async fn judge_run(
    stage: &Stage,
    archive: &Archive,
    mut raw: Raw,
    run: RunId,
    followed: Option<&[Followed]>,
) -> Result<Raw> {
    let key = format!("lh:{{{run}}}:run");
    let is_hot = raw.number(&["EXISTS", &key])? == 1;
    if stage.is_deleted(run) {
        let rows = archive.rows(run).await?;
        // The tombstone went with what hot storage lost; what is there then is an orphan, which `sweep` finds.
        let is_orphan = is_hot && stage.may_be_back(run);
        stage.count("orphans", u64::from(is_orphan));
        if rows > 0 || is_hot && !is_orphan {
            stage.found(Gate::ColdDup, format!("{run} was deleted: {rows} rows, in hot storage: {is_hot}"));
        }
        return Ok(raw);
    }
    let Some(stored) = archive.stored(run).await? else {
        stage.found(Gate::LostDurable, format!("{run} was created, and has no row"));
        return Ok(raw);
    };
    stage.count("samples", stored.series.iter().map(|series| series.values.len() as u64).sum());
    stage.count("lines", stored.lines.len() as u64);
    let (entries, mut losses) = (stage.ledger.of(run), stage.ledger.losses(run));
    // What was lost before a worker had it was not the run's.
    losses.retain(|loss| entries.iter().any(|entry| loss.until >= entry.since));
    let mut found = Findings::default();
    judge::archived(&mut found, run, &stored, &entries, &losses);
    if is_hot {
        judge_hot(&mut found, &mut raw, run, &stored);
    }
    for had in followed.into_iter().flatten().filter(|had| had.run == run) {
        judge::followed(&mut found, had, &stored, &losses);
    }
    if !found.is_empty() {
        stage.note(&format!("the writers of {run}:\n{}", fences::story(&entries, &losses)));
    }
    stage.judge(|findings| findings.extend(&found));
    Ok(raw)
}

/// What hot storage still has of an archived run is what the archive has.
fn judge_hot(found: &mut Findings, raw: &mut Raw, run: RunId, stored: &Stored) {
    match raw.lines(run) {
        Err(error) => found.add(Gate::Inversions, format!("{run} in hot storage: {error:#}")),
        Ok((first, lines)) => {
            judge::lines(found, run, first, &lines);
            if !in_archive(&lines, &judge::texts(&stored.lines), first) {
                found.add(Gate::WrongReply, format!("{run}: its lines in hot storage are not those of the archive"));
            }
        }
    }
    for (channel, series) in (0..).zip(&stored.series) {
        match raw.samples(run, channel) {
            Err(error) => found.add(Gate::Inversions, format!("{run} in hot storage: {error:#}")),
            Ok((first, samples)) => {
                judge::samples(found, run, channel, first, &samples);
                if !in_archive(&samples, &judge::told(series), first) {
                    found.add(Gate::WrongReply, format!("{run}: channel {channel} in hot storage is another one"));
                }
            }
        }
    }
}

/// Whether all of it stands in the archive at its place; the archive may have more, and what hot storage called lost.
fn in_archive<T: PartialEq>(hot: &[Told<T>], stored: &[Told<T>], first: u64) -> bool {
    let stored = stored.get(usize::try_from(first).unwrap_or(usize::MAX)..).unwrap_or_default();
    hot.len() <= stored.len() && hot.iter().zip(stored).all(|(hot, stored)| hot.is_err() || hot == stored)
}

/// Whether a run will leave hot storage though it is not archived.
pub(crate) async fn leaves_early(raw: &mut Raw, archive: &Archive, run: RunId) -> Result<bool> {
    let key = format!("lh:{{{run}}}:run");
    // In this order: one that is archived between both is not taken for one that leaves early.
    // It may be frozen just now: then nobody else is to wait for it.
    let leaves = tokio::task::block_in_place(|| -> Result<bool> {
        Ok(raw.number(&["PTTL", &key])? >= 0 || raw.number(&["HEXISTS", &key, "leaves"])? == 1)
    })?;
    Ok(leaves && archive.is_open(run).await?)
}

/// Looks at young runs again and again, whether one will leave hot storage too early.
pub(crate) async fn watch(stage: Arc<Stage>, port: u16) -> Result<()> {
    while !stage.is_over() {
        tokio::time::sleep(Duration::from_millis(150)).await;
        // Either may be down just now.
        let (Ok(mut raw), Ok(archive)) = (Raw::connect(port), Archive::connect(&stage.doors.raw_cold).await) else {
            continue;
        };
        for run in stage.runs().into_iter().rev().take(16).filter(|run| !stage.is_deleted(*run)) {
            match leaves_early(&mut raw, &archive, run).await {
                Ok(true) => stage.found(Gate::HotExpiredUnarchived, format!("{run} will leave before it is archived")),
                Ok(false) => stage.count("looks", 1),
                Err(_) => break,
            }
        }
    }
    Ok(())
}

/// Stops early where somebody has given up: the caller then finds out who, and why.
pub(crate) fn check(crew: &mut Crew) -> Result<()> {
    if crew.has_failed()? && !crew.stage.is_closing() {
        bail!("somebody gave up");
    }
    Ok(())
}
