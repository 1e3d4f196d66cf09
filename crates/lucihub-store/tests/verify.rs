//! Verification: damage is found and named, and repaired from what hot storage still has.

use std::sync::Arc;
use std::time::Duration;

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use lucihub_cold::{SqliteCold, SqliteOptions};
use lucihub_hot::embedded::{EmbeddedHot, EmbeddedOptions};
use lucihub_models_core::cold::{Checkpoint, ColdArchive, ColdSamples, RunUpdate};
use lucihub_models_core::hot::{Restore, Restored};
use lucihub_models_core::{
    GapCause, NewAttachment, Positions, Run, RunId, StoreError, StoreEventKind, WriterId, WriterMark, whole,
};
use lucihub_store::maintain::{Damage, SweepOptions, Verified};
use lucihub_store::read::CellKey;
use lucihub_store::{Keeper, KeeperOptions, RecordOptions, Recorder, Store};
use lucihub_testkit::ManualClock;
use tempfile::TempDir;

use crate::lab::{begin_small, content, eager, end_small, small};

/// A run of two channels with 4,000 samples each, archived, and a way to break it.
pub(crate) struct Broken {
    pub(crate) store: Store,
    hot: Arc<EmbeddedHot>,
    cold: Arc<SqliteCold>,
    pub(crate) raw: SqliteConnection,
    pub(crate) run: RunId,
    recorded: Run,
    pub(crate) clock: Arc<ManualClock>,
    _folder: TempDir,
}

async fn archived() -> Broken {
    let (mut given, recorder) = begun().await;
    end_small(&recorder).await;
    given.recorded = given.store.run(given.run).await.unwrap();
    crate::lab::clean_walk(&Keeper::new(given.store.clone(), eager())).await;
    given
}

/// The same while it is recorded: half of it is in cold storage.
pub(crate) async fn begun() -> (Broken, Recorder) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cold.db");
    let clock = Arc::new(ManualClock::new());
    let cold = Arc::new(SqliteCold::open(SqliteOptions::file(&path), clock.clone()).await.unwrap());
    let hot = Arc::new(EmbeddedHot::new(EmbeddedOptions::default(), clock.clone()));
    let store = Store::builder(hot.clone(), cold.clone()).clock(clock.clone()).build();
    let run = small(&store, 2).await.id;
    let recorder = begin_small(&store, run).await;
    // One that lets hot storage keep what it has.
    let checkpoints = KeeperOptions::default().with_checkpoint(Duration::ZERO, 0);
    crate::lab::clean_walk(&Keeper::new(store.clone(), checkpoints)).await;
    let recorded = store.run(run).await.unwrap();
    let raw = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    (Broken { store, hot, cold, raw, run, recorded, clock, _folder: folder }, recorder)
}

impl Broken {
    pub(crate) fn sql(&mut self, sql: &str) {
        assert_eq!(diesel::sql_query(sql).execute(&mut self.raw).unwrap(), 1, "{sql}");
    }

    /// Changes a byte in the middle of a column.
    pub(crate) fn flip(&mut self, table: &str, column: &str, at: &str) {
        self.sql(&format!(
            "UPDATE {table} SET {column} = CAST(substr({column}, 1, length({column}) / 2) || \
             CASE WHEN substr({column}, length({column}) / 2 + 1, 1) = x'00' THEN x'01' ELSE x'00' END || \
             substr({column}, length({column}) / 2 + 2) AS blob) WHERE {at}"
        ));
    }

    pub(crate) async fn whole(&self) -> bool {
        let verified = self.store.verify(self.run).await.unwrap();
        verified.is_whole() && verified.damage.is_empty()
    }

    async fn content_is_as_recorded(&self) {
        let run = self.store.run(self.run).await.unwrap();
        assert_eq!(content(&run), content(&self.recorded));
    }
}

/// Which cells are damaged, with their ranges, and whether each was repaired.
fn cells(verified: &Verified) -> Vec<(CellKey, std::ops::Range<u64>, bool)> {
    let cell = |damage: &Damage| match damage {
        Damage::Cell { key, range, repaired, .. } => Some((*key, range.clone(), *repaired)),
        _ => None,
    };
    verified.damage.iter().filter_map(cell).collect()
}

const SECOND: CellKey = CellKey::Samples { channel: 1, cell: 2 };

#[tokio::test]
async fn a_whole_run_is_counted() {
    let given = archived().await;
    let verified = given.store.verify(given.run).await.unwrap();
    let lines = given.recorded.logs.len() as u64;
    assert!(verified.is_whole() && verified.damage.is_empty(), "{verified:?}");
    assert_eq!((verified.lines, verified.readable_lines), (lines, lines));
    assert_eq!((verified.samples, verified.readable_samples), (8_000, 8_000));
    assert_eq!(verified.cells, 2 * 4 + lines.div_ceil(16));
    let repaired = given.store.repair(given.run).await.unwrap();
    assert!(repaired.damage.is_empty());
}

#[tokio::test]
async fn a_flipped_byte_is_found_named_and_repaired_from_hot_storage() {
    let mut given = archived().await;
    given.flip("run_samples", "payload", "channel = 1 AND cell = 2");
    let verified = given.store.verify(given.run).await.unwrap();
    assert_eq!(cells(&verified), [(SECOND, 2_048..3_072, false)]);
    assert_eq!((verified.samples, verified.readable_samples), (8_000, 8_000 - 1_024));
    assert!(!verified.is_whole() && verified.readable_lines == verified.lines);
    let Damage::Cell { why: StoreError::Corrupt { what, .. }, .. } = &verified.damage[0] else {
        unreachable!("{verified:?}")
    };
    assert!(what.contains("channel 1") && what.contains("cell 2"), "{what}");

    let repaired = given.store.repair(given.run).await.unwrap();
    assert_eq!(cells(&repaired), [(SECOND, 2_048..3_072, true)]);
    assert!(repaired.is_whole() && repaired.readable_samples == 8_000);
    assert!(given.whole().await);
    given.content_is_as_recorded().await;
    // Found twice, it is one event.
    let events = given.store.events(given.run).await.unwrap();
    let maintained = events.iter().filter(|event| event.by.is_none());
    let told: Vec<_> = maintained.map(|event| (event.kind.clone(), event.text.as_deref().unwrap())).collect();
    let found = (StoreEventKind::FoundCorrupt, "channel 1, cell 2");
    assert_eq!(told, [found, (StoreEventKind::Repaired, "written anew: channel 1, cell 2")]);
}

/// Damage to a run that goes on must not keep it out of the archive, or in hot storage, for ever.
#[tokio::test]
async fn cells_of_an_open_run_that_are_damaged_are_written_again() {
    let (mut given, recorder) = begun().await;
    given.flip("run_samples", "payload", "channel = 1 AND cell = 0");
    given.sql("DELETE FROM run_samples WHERE channel = 0 AND cell = 0");
    given.flip("run_logs", "payload", "cell = 0");
    // The last cell goes on growing, and says that it is as long as it will ever be.
    given.sql("UPDATE run_samples SET end_index = 2048 WHERE channel = 1 AND cell = 1");
    end_small(&recorder).await;
    given.recorded = given.store.run(given.run).await.unwrap();
    // Another keeper than the one that wrote them.
    crate::lab::clean_walk(&Keeper::new(given.store.clone(), eager())).await;
    assert!(given.whole().await);
    given.content_is_as_recorded().await;
}

#[tokio::test]
async fn missing_cells_and_damaged_logs_and_summaries_are_repaired_together() {
    let mut given = archived().await;
    given.sql("DELETE FROM run_samples WHERE channel = 0 AND cell = 3");
    given.flip("run_samples", "summary", "channel = 1 AND cell = 0");
    given.flip("run_logs", "payload", "cell = 1");
    let first = given.store.verify(given.run).await.unwrap();
    let last = CellKey::Samples { channel: 0, cell: 3 };
    assert_eq!(cells(&first), [(CellKey::Lines(1), 16..32, false), (last, 3_072..4_000, false)]);
    assert!(matches!(first.damage[2], Damage::Summary { channel: 1, cell: 0, repaired: false, .. }), "{first:?}");
    assert_eq!(first.damage.len(), 3);
    let repaired = given.store.repair(given.run).await.unwrap();
    assert!(repaired.is_whole() && repaired.damage.len() == 3, "{repaired:?}");
    assert!(given.whole().await);
    given.content_is_as_recorded().await;
}

#[tokio::test]
async fn a_cell_that_can_be_read_and_is_too_short_is_repaired() {
    let given = archived().await;
    let digest = given.store.status(given.run).await.unwrap().archived.unwrap().digest;
    let mut short = given.cold.sample_cells(given.run, 1, 2..3).await.unwrap();
    short[0].series = short[0].series.slice(2_048..2_500);
    let cells = Checkpoint { samples: short, ..Checkpoint::default() };
    assert!(given.cold.repair(given.run, &cells, digest).await.unwrap());
    let repaired = given.store.repair(given.run).await.unwrap();
    assert_eq!(self::cells(&repaired), [(SECOND, 2_048..3_072, true)]);
    assert!(repaired.is_whole() && given.whole().await, "{repaired:?}");
    given.content_is_as_recorded().await;
}

#[tokio::test]
async fn what_hot_storage_has_let_go_of_stays_damaged_and_a_summary_needs_no_hot_storage() {
    let mut given = archived().await;
    given.flip("run_samples", "summary", "channel = 0 AND cell = 1");
    assert!(given.hot.forget(given.run));
    let repaired = given.store.repair(given.run).await.unwrap();
    assert!(repaired.is_whole() && repaired.damage.len() == 1, "{repaired:?}");
    assert!(given.whole().await);

    given.flip("run_samples", "payload", "channel = 1 AND cell = 2");
    let repaired = given.store.repair(given.run).await.unwrap();
    assert_eq!(cells(&repaired), [(SECOND, 2_048..3_072, false)]);
    assert!(!repaired.is_whole() && !given.whole().await);
}

#[tokio::test]
async fn a_run_with_another_digest_is_not_repaired() {
    let mut given = archived().await;
    given.sql("UPDATE runs SET digest = x'00000000000000000000000000000000000000000000000000000000000000ff'");
    let verified = given.store.verify(given.run).await.unwrap();
    assert!(matches!(verified.damage[..], [Damage::Digest { .. }]), "{verified:?}");
    given.flip("run_samples", "payload", "channel = 1 AND cell = 2");
    let repaired = given.store.repair(given.run).await.unwrap();
    assert_eq!(cells(&repaired), [(SECOND, 2_048..3_072, false)], "hot storage has other content than was archived");
    assert!(!repaired.is_whole());
}

#[tokio::test]
async fn attachments_are_verified_too() {
    let mut given = archived().await;
    let attachment = NewAttachment::new("picture.png".parse().unwrap(), "image/png");
    given.store.attach(given.run, &attachment, whole(vec![7; 300_000])).await.unwrap();
    assert!(given.whole().await);
    given.flip("attachment_chunks", "payload", "chunk = 0");
    let verified = given.store.verify(given.run).await.unwrap();
    assert!(matches!(&verified.damage[..], [Damage::Attachment { name, .. }] if name.as_str() == "picture.png"));
    assert_eq!(verified.readable_samples, 8_000, "the run itself is whole");
}

#[tokio::test]
async fn a_run_that_is_not_archived_has_no_digest_yet() {
    let given = archived().await;
    let mut head = crate::lab::small_head(1);
    head.id = given.store.new_run(head.job_type.clone()).id;
    given.store.create(&head).await.unwrap();
    assert!(matches!(given.store.verify(head.id).await, Err(StoreError::Precondition { .. })));
    let digest = given.store.verify(given.run).await.unwrap().digest;
    let nothing = Checkpoint::default();
    assert!(!given.store.cold().repair(head.id, &nothing, digest).await.unwrap());
}

/// One damaged row must not stop what is done for all the others.
#[tokio::test]
async fn a_run_whose_row_cannot_be_read_is_named_stops_nothing_and_can_be_deleted() {
    let (mut given, recorder) = begun().await;
    let (store, run) = (given.store.clone(), given.run);
    let other = small(&store, 1).await.id;
    store.cancel(other, None).await.unwrap();
    given.sql(&format!(
        "UPDATE runs SET head = '{{' || head, state_count = -1 WHERE hex(id) = '{:X}'",
        run.as_uuid().simple()
    ));
    let report = Keeper::new(store.clone(), eager()).walk().await.unwrap();
    assert_eq!((report.archived, report.errors.len()), (1, 1), "{report:?}");
    let swept = store.sweep(&SweepOptions::default()).await.unwrap();
    assert!(swept.unreadable.found == 1 && swept.runs.iter().all(|swept| swept.run == run), "{swept:?}");
    assert!(given.hot.forget(run), "it is named once wherever it is");
    assert_eq!(store.sweep(&SweepOptions::default()).await.unwrap().unreadable.found, 1);
    assert!(store.delete(run, true).await.unwrap());
    assert!(store.cold().get(run).await.unwrap().is_none());
    drop(recorder);
}

/// What a run measured means nothing without its head.
#[tokio::test]
async fn a_head_that_was_changed_behind_our_back_is_found() {
    let mut given = archived().await;
    for (column, from, to) in [
        ("head", "\"type\":\"run\"", "\"type\":\"ruN\""),
        ("head", "\"samples\":1024", "\"samples\":2048"),
        ("head", "\"worker\":\"worker\"", "\"worker\":\"Worker\""),
        ("positions", "4000", "3000"),
    ] {
        given.sql(&format!(
            "UPDATE runs SET {column} = replace({column}, '{from}', '{to}') WHERE {column} LIKE '%{from}%'"
        ));
        assert!(!given.whole().await, "{to}");
        given.sql(&format!("UPDATE runs SET {column} = replace({column}, '{to}', '{from}')"));
        assert!(given.whole().await, "{from}");
    }
    // What people change is no damage.
    let update = RunUpdate { error: Some("a person knows better".to_owned()), ..RunUpdate::default() };
    given.store.update(given.run, &update).await.unwrap();
    assert!(given.whole().await);
}

/// What hot storage lost does not take the place of what cold storage alone has, damaged or not.
#[tokio::test]
async fn a_damaged_cell_that_hot_storage_lost_is_for_people_to_bring_back() {
    let (mut given, recorder) = begun().await;
    let head = (*given.store.status(given.run).await.unwrap().head).clone();
    drop(recorder);
    assert!(given.hot.forget(given.run));
    let back = Positions { states: 2, lines: 19, samples: vec![1_900, 1_900], ..Positions::default() };
    let mark = WriterMark { writer: WriterId::from_bits(9), epoch: 1 };
    let none = Positions { samples: vec![0, 0], ..Positions::default() };
    let (worker, lease) = ("another".to_owned(), Duration::from_secs(60));
    let restore = Restore { head, worker, mark, lease, last_seq: 3, confirmed: none, next: back };
    assert_eq!(given.store.hot().restore(&restore).await.unwrap(), Restored::Restored);
    let cell = "channel = 0 AND cell = 0";
    let keep = format!("CREATE TABLE kept AS SELECT payload FROM run_samples WHERE {cell}");
    diesel::sql_query(keep).execute(&mut given.raw).unwrap();
    given.flip("run_samples", "payload", cell);
    let options = RecordOptions::default().with_writer(mark.writer);
    let again = given.store.record_with(given.run, "another", options).await.unwrap();
    end_small(&again).await;
    let walked = Keeper::new(given.store.clone(), eager()).walk().await.unwrap();
    assert!(matches!(&walked.errors[..], [(_, StoreError::Corrupt { .. })]), "{walked:?}");
    assert_eq!(walked.archived, 0);
    // Back from a backup, it is archived whole.
    given.sql(&format!("UPDATE run_samples SET payload = (SELECT payload FROM kept) WHERE {cell}"));
    crate::lab::clean_walk(&Keeper::new(given.store.clone(), eager())).await;
    let whole = given.store.run(given.run).await.unwrap();
    assert!(whole.series.iter().flat_map(|series| &series.gaps).all(|gap| gap.cause == GapCause::Device), "{whole:?}");
}
