//! Texts, times and log lines.

use lucihub_models_core::{LogLine, Timestamp};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// Text of up to 40 characters: newline, NUL, U+2028, emoji, quotes and braces
/// among ordinary ones.
pub fn texts() -> impl Strategy<Value = String> + Clone {
    let trouble = prop::sample::select(vec![
        '\n',
        '\r',
        '\0',
        '\u{2028}',
        '\u{2029}',
        '\u{85}',
        '\u{feff}',
        '\u{1f9ea}',
        '\u{200d}',
        '\u{10ffff}',
        '"',
        '\'',
        '\\',
        '{',
        '}',
        ':',
        '%',
        '_',
        '*',
        '\u{301}',
    ]);
    let one = prop_oneof![2 => trouble, 2 => prop::char::range(' ', '~'), 1 => any::<char>()];
    vec(one, 0..40).prop_map(String::from_iter)
}

/// Any point in time, the first and the last ones often.
pub fn timestamps() -> impl Strategy<Value = Timestamp> + Clone {
    let (min, max) = (Timestamp::MIN.as_micros(), Timestamp::MAX.as_micros());
    let micros = prop_oneof![1 => Just(min), 1 => Just(max), 1 => -1_000_000_i64..1_000_000, 4 => min..=max];
    micros.prop_map(|micros| Timestamp::from_micros(micros).unwrap_or(Timestamp::EPOCH))
}

/// A log line with any of its fields.
pub fn log_lines() -> impl Strategy<Value = LogLine> + Clone {
    (texts(), option::of(timestamps()), option::of(texts()), option::of(texts()), option::of(any::<u64>())).prop_map(
        |(text, at, level, source, cut_from)| {
            let mut line = LogLine::from(text);
            (line.at, line.level, line.source, line.cut_from) = (at, level, source, cut_from);
            line
        },
    )
}
