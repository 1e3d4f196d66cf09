//! Places in a run: positions, cursors, windows.

use std::ops::Range;

use lucihub_models_core::{Cursor, Positions, RunId};
use proptest::collection::vec;
use proptest::prelude::*;

fn counts() -> impl Strategy<Value = u64> + Clone {
    prop_oneof![4 => 0_u64..100, 1 => any::<u64>(), 1 => Just(u64::MAX)]
}

/// Positions of up to 12 channels, many alike, some of them at 0 at the end.
pub fn positions() -> impl Strategy<Value = Positions> + Clone {
    (counts(), counts(), counts(), vec(prop_oneof![Just(0), Just(7), counts()], 0..12))
        .prop_map(|(states, phases, lines, samples)| Positions { states, phases, lines, samples })
}

/// A cursor in any run.
pub fn cursors() -> impl Strategy<Value = Cursor> + Clone {
    (any::<u128>(), positions()).prop_map(|(id, at)| Cursor::new(RunId::from_uuid(uuid::Uuid::from_u128(id)), at))
}

/// A range that begins and ends in `0..=most`, past it, or backwards.
pub fn windows(most: u64) -> impl Strategy<Value = Range<u64>> + Clone {
    let end = prop_oneof![6 => 0..=most.saturating_add(3), 1 => Just(u64::MAX)];
    (end.clone(), end).prop_map(|(start, end)| start..end)
}
