//! Log lines: each comes back as it was, under its number.

use lucihub_models_core::{BatchBody, LogLine, Timestamp};

use super::stage::Stage;
use crate::harness::HotHarness;
use crate::models::{lines, lines_body};

/// A line is any Unicode; no character in it makes it two.
pub async fn lines_keep_every_character(h: &dyn HotHarness) {
    let stage = Stage::new(h, "lines_keep_every_character");
    let mut writer = stage.writer(0).await;
    let texts =
        ["", "a\nb\r\n", "\0nul\0", "\u{2028}\u{2029}", "{\"json\": [1]}", "\u{1f680} ä \u{10ffff}", "%s %n $1 ?"];
    writer.apply(lines_body(texts)).await;
    let read = stage.store.lines(writer.run, 0..99).await.unwrap().unwrap();
    assert_eq!(read.lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(), texts);
    assert_eq!((read.first, read.end()), (0, texts.len() as u64));
}

/// A line keeps time, level, source, cut length, and fields of newer components.
pub async fn lines_keep_every_field(h: &dyn HotHarness) {
    let stage = Stage::new(h, "lines_keep_every_field");
    let mut writer = stage.writer(0).await;
    let newer = r#"{"text":"t","cut_from":70000,"thread":{"id":18446744073709551615,"x":[null,-0.5]}}"#;
    let all = vec![
        LogLine::new(Timestamp::MIN, "first").level("debug"),
        LogLine::new(Timestamp::MAX, "last").source("a\nb"),
        LogLine::new(Timestamp::EPOCH, "long text").cut(4),
        serde_json::from_str::<LogLine>(newer).unwrap(),
        LogLine::from("untimed".to_owned()),
    ];
    writer.apply(BatchBody { lines: all.clone().into(), ..BatchBody::default() }).await;
    assert_eq!(stage.store.lines(writer.run, 0..99).await.unwrap().unwrap().lines, all);
}

/// Every range gives its lines, wherever batches meet, and is clipped to what is there.
pub async fn ranges_are_clipped(h: &dyn HotHarness) {
    let stage = Stage::new(h, "ranges_are_clipped");
    let mut writer = stage.writer(0).await;
    let all = lines(12);
    for part in [0..1, 1..4, 4..4, 4..11, 11..12] {
        writer.apply(BatchBody { lines: all[part].into(), ..BatchBody::default() }).await;
    }
    for start in 0..14 {
        for end in 0..15_u64 {
            let read = stage.store.lines(writer.run, start..end).await.unwrap().unwrap();
            let first = start.min(12);
            assert_eq!(read.first, first, "{start}..{end}");
            let to = usize::try_from(end.clamp(first, 12)).unwrap();
            assert_eq!(read.lines, all[usize::try_from(first).unwrap()..to], "{start}..{end}");
        }
    }
    let read = stage.store.lines(writer.run, 10..u64::MAX).await.unwrap().unwrap();
    assert_eq!((read.first, read.lines.len()), (10, 2));
    let past = stage.store.lines(writer.run, u64::MAX - 1..u64::MAX).await.unwrap().unwrap();
    assert_eq!((past.first, past.lines.len()), (12, 0));
}

/// A run without lines has none, from 0.
pub async fn no_lines_yet(h: &dyn HotHarness) {
    let stage = Stage::new(h, "no_lines_yet");
    let run = stage.open(1).await;
    let read = stage.store.lines(run, 0..10).await.unwrap().unwrap();
    assert_eq!((read.first, read.lines.len()), (0, 0));
}

/// Many lines in one batch, and many batches, keep their order.
pub async fn many_lines_keep_their_order(h: &dyn HotHarness) {
    let stage = Stage::new(h, "many_lines_keep_their_order");
    let mut writer = stage.writer(0).await;
    let all = lines(9_000);
    writer.apply(BatchBody { lines: all[..8_500].into(), ..BatchBody::default() }).await;
    for line in all[8_500..].chunks(5) {
        writer.apply(BatchBody { lines: line.into(), ..BatchBody::default() }).await;
    }
    assert_eq!(stage.get(writer.run).await.next.lines, 9_000);
    assert_eq!(stage.store.lines(writer.run, 0..10_000).await.unwrap().unwrap().lines, all);
}
