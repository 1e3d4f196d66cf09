//! Log cells: one line in, one line out, whatever is in it.

use lucihub_models_core::{LogCell, LogLine, Timestamp};

use super::Store;
use super::given::{at, cells, checkpoint, create, head, id, lines};

/// Any Unicode is one line, with all its fields, known and unknown.
pub async fn a_line_stays_one_line(store: Store) {
    let mut cut = LogLine::new(at(3), "x".repeat(70_000)).cut(64 * 1024);
    cut.cut_from = Some(u64::MAX);
    let newer =
        r#"{"text": "t", "at": "2026-01-05T08:00:00.000001Z", "station": 7, "more": {"a": [1.5, null, "\u0000"]}}"#;
    let all: Vec<LogLine> = vec![
        LogLine::from(String::new()),
        LogLine::from("no time".to_owned()),
        LogLine::new(at(1), "one\ntwo\r\nthree\n").level("warn\n").source("a\u{0}b"),
        LogLine::new(at(0), "line\u{2028}separator\u{2029}paragraph\u{85}next"),
        LogLine::new(at(0), "\u{0}").level("").source(""),
        LogLine::new(Timestamp::MIN, "\u{0}a\u{0}\u{1b}[31m\u{7f}"),
        LogLine::new(Timestamp::MAX, "\u{feff}e\u{301} \u{1f9ee} \u{10ffff} \u{202e}"),
        LogLine::new(at(2), "\\ \" ' ` $1 {} %s \t").level("info").source("worker-2"),
        LogLine::new(at(2), "z".repeat(64 * 1024)),
        cut,
        serde_json::from_str(newer).unwrap(),
    ];
    assert!(!all[10].extra.is_empty(), "the last one has unknown fields");
    let mut queued = head(1);
    queued.grid.lines = 16;
    create(&*store, &queued).await;
    let cell = LogCell { cell: 0, first: 0, lines: all };
    checkpoint(&*store, queued.id, &cells([cell.clone()], [])).await;
    let stored = store.log_cells(queued.id, 0..1).await.unwrap();
    assert_eq!(stored, std::slice::from_ref(&cell));
    assert_eq!(stored[0].hash(), cell.hash());
}

/// Cells come back ascending, in any range; cells that are not there are left out.
pub async fn ranges_of_log_cells_read_exactly(store: Store) {
    let all = [lines(12..16), lines(0..4), lines(4..5), lines(4 << 40..(4 << 40) + 2)];
    let (run, other) = (head(1), head(2));
    create(&*store, &run).await;
    create(&*store, &other).await;
    checkpoint(&*store, run.id, &cells(all.clone(), [])).await;
    checkpoint(&*store, other.id, &cells([lines(0..1)], [])).await;
    for (range, expected) in [
        (0..0, &[][..]),
        (2..3, &[]),
        (5..1 << 40, &[]),
        (0..1, &[1]),
        (0..4, &[1, 2, 0]),
        (1..3, &[2]),
        (3..(1 << 40) + 1, &[0, 3]),
    ] {
        let expected: Vec<LogCell> = expected.iter().map(|&n: &usize| all[n].clone()).collect();
        assert_eq!(store.log_cells(run.id, range.clone()).await.unwrap(), expected, "{range:?}");
    }
    assert_eq!(store.log_cells(other.id, 0..9).await.unwrap(), [lines(0..1)]);
    assert_eq!(store.log_cells(id(3), 0..9).await.unwrap(), [], "an absent run");
}

/// A full cell of the default size, with long lines, comes back whole.
pub async fn a_large_log_cell_comes_back_whole(store: Store) {
    let mut queued = head(1);
    queued.grid.lines = 1_024;
    create(&*store, &queued).await;
    let line = |n: u64| LogLine::new(at(5), format!("{n} ").repeat(usize::try_from(n).unwrap()));
    let cell = LogCell { cell: 2, first: 2_048, lines: (0..1_024).map(line).collect() };
    checkpoint(&*store, queued.id, &cells([cell.clone()], [])).await;
    assert_eq!(store.log_cells(queued.id, 0..9).await.unwrap(), [cell]);
    assert_eq!(store.get(queued.id).await.unwrap().unwrap().positions.lines, 3_072);
}
