//! Mirror, checkpoints, commit, and the cells.

use std::ops::Range;

use async_trait::async_trait;
use lucihub_models_core::cold::{
    Archived, Begun, Checkpoint, ColdArchive, ColdLogs, ColdSamples, Commit, Committed, GrownCell, StoredBytes,
};
use lucihub_models_core::{
    CellSummary, Digest, EnvelopeBuilder, GapCause, HeadDocument, Invalid, LogCell, LogLine, Result, RunHead, RunId,
    SUMMARY_WIDTH, SampleCell, Series, StoreError,
};

use super::ReferenceCold;

#[async_trait]
impl ColdArchive for ReferenceCold {
    async fn mirror(&self, head: &RunHead) -> Result<bool> {
        let mut tables = self.tables();
        let row = tables.run(head.id)?;
        row.mirror(head, self.clock.now());
        Ok(row.head.states.len() >= head.states.len())
    }

    async fn begin_cell(&self, before: Option<&Begun>, part: SampleCell) -> Result<Option<Begun>> {
        let SampleCell { channel, cell, series } = part;
        let is_empty = series.first >= series.end;
        let whole = match before {
            Some(begun) if (begun.channel(), begun.cell()) == (channel, cell) => joined(begun, &series)?,
            Some(begun) => return Err(not_of(begun, "a part of another cell")),
            None => series,
        };
        if is_empty || !whole.is_consistent() {
            let what = format!("cell {cell} of channel {channel}");
            return Err(Invalid::new(what, format!("a part of it ends at index {}", whole.end)).into());
        }
        let (values, bytes) = (whole.values.len(), 8 * whole.values.len());
        Ok(Some(Begun::new((channel, cell), whole.first..whole.end, values as u64, bytes, whole)))
    }

    async fn checkpoint(&self, run: RunId, cells: &Checkpoint) -> Result<bool> {
        let grown = cells.grown.iter().map(|GrownCell { begun, rest }| {
            Ok(SampleCell { channel: begun.channel(), cell: begun.cell(), series: joined(begun, rest)? })
        });
        let grown: Vec<SampleCell> = grown.collect::<Result<_>>()?;
        let mut tables = self.tables();
        let row = tables.run(run)?;
        if row.archived.is_some() {
            return Ok(false);
        }
        for cell in &cells.lines {
            let (lost, stored) = (LogLine::lost(), row.lines.get(&cell.cell).filter(|old| old.end() < cell.end()));
            let has = |old: &LogCell| old.lines.iter().zip(&cell.lines).any(|(old, new)| *new == lost && *old != lost);
            if stored.is_some_and(has) {
                return Err(takes_away(run, &format!("log cell {}", cell.cell)));
            }
        }
        for SampleCell { channel, cell, series } in cells.samples.iter().chain(&grown) {
            let stored = row.samples.get(&(*channel, *cell)).filter(|old| old.series.end < series.end);
            let lost = || series.gaps.iter().filter(|gap| gap.cause == GapCause::Store);
            let has = |old: &SampleCell| {
                let clipped = lost().filter_map(|gap| gap.clip(&(old.series.first..old.series.end)));
                clipped.flat_map(|gap| gap.first..gap.end).any(|index| old.series.get(index).is_some())
            };
            if stored.is_some_and(has) {
                return Err(takes_away(run, &format!("channel {channel}, cell {cell}")));
            }
        }
        for cell in &cells.lines {
            if row.lines.get(&cell.cell).is_none_or(|old| old.end() < cell.end()) {
                row.lines.insert(cell.cell, cell.clone());
            }
            row.positions.lines = row.positions.lines.max(cell.end());
        }
        for cell in cells.samples.iter().chain(&grown) {
            let (key, end) = ((cell.channel, cell.cell), cell.series.end);
            if row.samples.get(&key).is_none_or(|old| old.series.end < end) {
                row.samples.insert(key, cell.clone());
            }
            let next = row.positions.sample(cell.channel).max(end);
            row.positions.set_sample(cell.channel, next);
        }
        if let Some(head) = &cells.head {
            row.mirror(head, self.clock.now());
        }
        Ok(true)
    }

    async fn gives_back(&self, run: RunId, cells: &[GrownCell]) -> Result<Vec<bool>> {
        let tables = self.tables();
        let stored = |begun: &Begun| tables.runs.get(&run)?.samples.get(&(begun.channel(), begun.cell()));
        let given = cells.iter().map(|GrownCell { begun, rest }| {
            let series = joined(begun, rest)?;
            Ok(stored(begun).is_some_and(|cell| cell.series == series))
        });
        given.collect()
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed> {
        let mut tables = self.tables();
        let row = tables.run(commit.head.id)?;
        match row.archived {
            Some(archived) if archived.digest == commit.digest => Ok(Committed::Existing),
            Some(archived) => {
                let why = format!("it was archived with digest {}, not {}", archived.digest, commit.digest);
                Err(StoreError::precondition(format!("run {}", commit.head.id), why))
            }
            None => {
                row.replace_head(&commit.head, self.clock.now());
                row.positions = commit.positions.clone();
                row.archived = Some(Archived { at: commit.at, digest: commit.digest });
                Ok(Committed::Committed)
            }
        }
    }

    async fn release(&self, run: RunId) -> Result<bool> {
        let mut tables = self.tables();
        let Some(row) = tables.runs.get_mut(&run) else { return Ok(false) };
        row.released = row.archived.is_some();
        Ok(row.released)
    }

    async fn repair(&self, run: RunId, cells: &Checkpoint, digest: Digest) -> Result<bool> {
        let mut tables = self.tables();
        let row = tables.run(run)?;
        if row.archived.is_none_or(|archived| archived.digest != digest) {
            return Ok(false);
        }
        row.lines.extend(cells.lines.iter().map(|cell| (cell.cell, cell.clone())));
        row.samples.extend(cells.samples.iter().map(|cell| ((cell.channel, cell.cell), cell.clone())));
        Ok(true)
    }

    async fn stored_bytes(&self, run: RunId) -> Result<Option<StoredBytes>> {
        let tables = self.tables();
        let Some(row) = tables.runs.get(&run) else { return Ok(None) };
        let lines = row.lines.values().flat_map(|cell| &cell.lines).map(LogLine::size).sum::<usize>();
        let samples = row.samples.values().map(|cell| 8 * cell.series.values.len()).sum::<usize>();
        let summaries = row.samples.values().map(summary).map(|s| 48 * s.buckets.len() + 24 * s.gaps.len());
        let attachments = tables.attachments.iter().filter(|((on, _), _)| *on == run.into()).map(|(_, (a, _))| a.size);
        Ok(Some(StoredBytes {
            head: HeadDocument::write(&row.head)?.len() as u64,
            lines: lines as u64,
            samples: samples as u64,
            summaries: summaries.sum::<usize>() as u64,
            attachments: attachments.sum(),
        }))
    }
}

#[async_trait]
impl ColdLogs for ReferenceCold {
    async fn log_cells(&self, run: RunId, cells: Range<u64>) -> Result<Vec<LogCell>> {
        let tables = self.tables();
        let stored = tables.runs.get(&run).into_iter().flat_map(|row| row.lines.values());
        Ok(stored.filter(|cell| cells.contains(&cell.cell)).cloned().collect())
    }
}

#[async_trait]
impl ColdSamples for ReferenceCold {
    async fn sample_cells(&self, run: RunId, channel: u32, cells: Range<u64>) -> Result<Vec<SampleCell>> {
        let tables = self.tables();
        let stored = tables.runs.get(&run).into_iter().flat_map(|row| row.samples.values());
        Ok(stored.filter(|cell| cell.channel == channel && cells.contains(&cell.cell)).cloned().collect())
    }

    async fn series(&self, run: RunId, channel: u32, cells: Range<u64>) -> Result<Option<Series>> {
        let found = self.sample_cells(run, channel, cells.clone()).await?;
        let mut found = found.into_iter().skip_while(|cell| cell.cell != cells.start).map(|cell| cell.series);
        let Some(mut joined) = found.next() else { return Ok(None) };
        for next in found {
            if next.first != joined.end {
                break;
            }
            joined.append(&next);
        }
        Ok(Some(joined))
    }

    async fn summaries(&self, run: RunId, channel: u32, cells: Range<u64>) -> Result<Vec<CellSummary>> {
        Ok(self.sample_cells(run, channel, cells).await?.iter().map(summary).collect())
    }
}

/// What was begun, with what goes on where it ended.
fn joined(begun: &Begun, rest: &Series) -> Result<Series> {
    let mut whole = begun.encoded::<Series>().ok_or_else(|| not_of(begun, "begun by another store"))?.clone();
    if rest.first != whole.end {
        return Err(not_of(begun, "a part that goes on elsewhere"));
    }
    if !whole.end.is_multiple_of(SUMMARY_WIDTH) && rest.end > rest.first {
        return Err(not_of(begun, "a part that goes on after the last one"));
    }
    whole.append(rest);
    Ok(whole)
}

fn not_of(begun: &Begun, problem: &str) -> StoreError {
    Invalid::new(format!("cell {} of channel {}", begun.cell(), begun.channel()), problem).into()
}

fn takes_away(run: RunId, what: &str) -> StoreError {
    StoreError::precondition(format!("run {run}, {what}"), "it has lost what was written meanwhile")
}

fn summary(cell: &SampleCell) -> CellSummary {
    let SampleCell { channel, cell, series } = cell;
    let mut envelope = EnvelopeBuilder::new(series.first, SUMMARY_WIDTH);
    envelope.series(series);
    CellSummary {
        channel: *channel,
        cell: *cell,
        first: series.first,
        end: series.end,
        gaps: series.gaps.clone(),
        buckets: envelope.finish().buckets,
    }
}
