//! What is left when all has settled, read through the ports of the stores and not through the code under test.

use lucihub_models_core::cold::{ColdArchive, ColdDevices, ColdLogs, ColdRun, ColdRuns, ColdSamples};
use lucihub_models_core::hot::{HotDevices, HotRuns, LineSlice};
use lucihub_models_core::{LogLine, Result, RunDigest, Series};

use super::content::Excuse;
use super::plan::RunPlan;
use super::scanner;
use super::world::World;
use crate::gates::Gate;
use crate::ledger::What;

/// A run as cold storage has it.
pub(crate) struct Left {
    pub(crate) cold: ColdRun,
    pub(crate) lines: Vec<LogLine>,
    pub(crate) series: Vec<Series>,
}

impl World {
    /// Judges every run and the devices. Returns how many runs are archived.
    pub(crate) async fn judge(&self) -> Result<u64> {
        let mut archived = 0;
        for run in &self.plan.runs {
            let deleted = |what: &What| matches!(what, What::Deleted);
            if self.ledger(|ledger| ledger.of(run.id).any(|(_, line)| deleted(&line.what))) {
                self.judge_deleted(run).await?;
            } else if let Some(cold) = self.cold.get(run.id).await? {
                archived += 1;
                self.judge_run(run, cold).await?;
            } else {
                self.find(Gate::LostDurable, format!("run {} is not in cold storage", run.id));
            }
        }
        for device in scanner::devices() {
            if self.raw.active_device(&device).await?.is_none() || self.cold.device(&device).await?.is_none() {
                self.find(Gate::LostDurable, format!("device {device} is announced, and not active or not entered"));
            }
        }
        Ok(archived)
    }

    /// Nothing of a deleted run is there.
    async fn judge_deleted(&self, run: &RunPlan) -> Result<()> {
        let row = self.cold.get(run.id).await?.is_some() || self.cold.stored_bytes(run.id).await?.is_some();
        if row || self.raw.get(run.id).await?.is_some() {
            let side = if row { "cold" } else { "hot" };
            self.find(Gate::LostDurable, format!("run {} was deleted, and has risen in {side} storage", run.id));
        }
        Ok(())
    }

    async fn judge_run(&self, run: &RunPlan, cold: ColdRun) -> Result<()> {
        let pending = self.cold.pending(None, 100).await?.iter().any(|pending| pending.id == run.id);
        let Some(archived) = cold.archived.filter(|_| !pending) else {
            let why = self.keepers_say();
            self.find(Gate::LostDurable, format!("run {} does not come to its end; a keeper: {why}", run.id));
            return Ok(());
        };
        self.check_states(run, &cold.head.states, "the archive");
        if !cold.head.state().is_terminal() {
            self.find(Gate::LostDurable, format!("run {} is archived as {}", run.id, cold.head.state()));
        }
        if self.truth(run.id, |truth| truth.commits) > 1 {
            self.find(Gate::ColdDup, format!("run {} was archived twice", run.id));
        }
        let mut digest = RunDigest::begin(&cold.head);
        let excuse = Excuse { store: self.ledger(|ledger| ledger.is_excused(run.id)), overflow: run.overflows };
        let lines = self.cells_of_lines(run, &cold, &mut digest).await?;
        self.check_lines(run, &LineSlice { first: 0, lines: lines.clone() }, excuse, "the archive");
        let mut series = Vec::new();
        for channel in 0..run.channels {
            let one = self.cells_of_channel(run, &cold, channel, &mut digest).await?;
            self.check_series(run, channel, &one, excuse, "the archive");
            series.push(one);
        }
        if digest.finish() != archived.digest {
            self.find(Gate::DigestMismatch, format!("run {}: its digest is another", run.id));
        }
        self.judge_claims(run, &Left { cold, lines, series });
        Ok(())
    }

    async fn cells_of_lines(&self, run: &RunPlan, cold: &ColdRun, digest: &mut RunDigest) -> Result<Vec<LogLine>> {
        let mut lines = Vec::new();
        digest.lines(cold.positions.lines);
        for cell in self.cold.log_cells(run.id, 0..u64::MAX).await? {
            self.joins(run, "line", lines.len() as u64, cell.first);
            digest.cell(&cell.hash());
            lines.extend(cell.lines);
        }
        self.joins(run, "line", lines.len() as u64, cold.positions.lines);
        Ok(lines)
    }

    async fn cells_of_channel(
        &self,
        run: &RunPlan,
        cold: &ColdRun,
        channel: u32,
        digest: &mut RunDigest,
    ) -> Result<Series> {
        let mut series = Series::starting_at(0);
        digest.channel(channel, cold.positions.sample(channel));
        for cell in self.cold.sample_cells(run.id, channel, 0..u64::MAX).await? {
            if !self.joins(run, "sample", series.end, cell.series.first) {
                return Ok(series);
            }
            digest.cell(&cell.hash());
            series.append(&cell.series);
        }
        self.joins(run, "sample", series.end, cold.positions.sample(channel));
        Ok(series)
    }

    /// Whether what follows begins where what came before ends.
    fn joins(&self, run: &RunPlan, what: &str, end: u64, next: u64) -> bool {
        if end != next {
            let gate = if next < end { Gate::ColdDup } else { Gate::Holes };
            self.find(gate, format!("run {}: after {what} {end} comes {next}, in the archive", run.id));
        }
        end == next
    }
}
