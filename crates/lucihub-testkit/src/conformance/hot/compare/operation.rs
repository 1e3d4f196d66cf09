//! What is done to both stores. Runs, workers and channels are small numbers.

use std::ops::Range;

use lucihub_models_core::RunState;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::strategies::{texts, windows};

/// Which number a batch gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbering {
    /// The next one.
    Next,
    /// One of an earlier batch, so many before the last one.
    Earlier(u64),
    /// One too far.
    Ahead(u64),
    /// The next one, under a mark with another epoch.
    WrongEpoch,
}

/// What a batch brings.
#[derive(Debug, Clone)]
pub struct Content {
    /// Texts of lines.
    pub lines: Vec<String>,
    /// Channel, how far from the next index, how many samples.
    pub blocks: Vec<(u32, i64, u64)>,
    /// Channel and length of a known gap at the next index.
    pub gap: Option<(u32, u64)>,
    /// States.
    pub states: Vec<RunState>,
}

/// One operation.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Operation {
    /// Opens a run.
    Open(usize),
    /// A worker takes a run over.
    TakeOver(usize, usize),
    /// A worker renews its lease.
    Renew(usize, usize),
    /// A person cancels a run.
    Cancel(usize),
    /// A worker appends to a run.
    Append(usize, usize, Numbering, Content),
    /// The keeper confirms this share of a run, in sixteenths.
    Confirm(usize, u64),
    /// The keeper trims this share of a run, in sixteenths.
    Trim(usize, u64),
    /// The keeper lets a run leave after so many seconds.
    Expire(usize, u64),
    /// Someone removes a run, by force or not.
    Remove(usize, bool),
    /// So many seconds pass.
    Advance(u64),
    /// A reader reads lines.
    Lines(usize, Range<u64>),
    /// A reader reads a window of a channel.
    Window(usize, u32, Range<u64>),
    /// Scanner, device, whether it is always active.
    Announce(usize, usize, bool),
    /// A scanner withdraws a device.
    Withdraw(usize, usize),
}

/// How many runs, workers, devices and scanners operations know, each.
pub(super) const FEW: usize = 2;

/// How many channels each run has.
pub(super) const CHANNELS: u32 = 2;

/// Up to `most` operations, of which many append.
pub fn operations(most: usize) -> impl Strategy<Value = Vec<Operation>> {
    let few = || 0..FEW;
    let append = (few(), few(), numberings(), contents()).prop_map(|(r, w, n, c)| Operation::Append(r, w, n, c));
    let one = prop_oneof![
        3 => few().prop_map(Operation::Open),
        4 => (few(), few()).prop_map(|(run, worker)| Operation::TakeOver(run, worker)),
        1 => (few(), few()).prop_map(|(run, worker)| Operation::Renew(run, worker)),
        1 => few().prop_map(Operation::Cancel),
        16 => append,
        3 => (few(), 0_u64..=17).prop_map(|(run, share)| Operation::Confirm(run, share)),
        2 => (few(), 0_u64..=17).prop_map(|(run, share)| Operation::Trim(run, share)),
        1 => (few(), 0_u64..100).prop_map(|(run, seconds)| Operation::Expire(run, seconds)),
        1 => (few(), any::<bool>()).prop_map(|(run, force)| Operation::Remove(run, force)),
        2 => prop_oneof![1_u64..40, 40_u64..200].prop_map(Operation::Advance),
        3 => (few(), windows(30)).prop_map(|(run, range)| Operation::Lines(run, range)),
        5 => (few(), 0..=CHANNELS, windows(200)).prop_map(|(run, channel, r)| Operation::Window(run, channel, r)),
        1 => (few(), few(), any::<bool>()).prop_map(|(s, d, always)| Operation::Announce(s, d, always)),
        1 => (few(), few()).prop_map(|(scanner, device)| Operation::Withdraw(scanner, device)),
    ];
    vec(one, 0..=most)
}

fn numberings() -> impl Strategy<Value = Numbering> {
    prop_oneof![
        12 => Just(Numbering::Next),
        3 => (0_u64..12).prop_map(Numbering::Earlier),
        1 => (1_u64..5).prop_map(Numbering::Ahead),
        1 => Just(Numbering::WrongEpoch),
    ]
}

fn contents() -> impl Strategy<Value = Content> {
    let block = (0..CHANNELS, prop_oneof![6 => Just(0_i64), 2 => 1_i64..20, 1 => -5_i64..0], 1_u64..60);
    let state = prop_oneof![
        6 => Just(RunState::InProgress),
        1 => Just(RunState::Succeeded),
        1 => Just(RunState::Failed),
        1 => Just(RunState::Queued),
        2 => Just(RunState::Other("halted".to_owned())),
    ];
    let states = prop_oneof![4 => Just(Vec::new()), 1 => vec(state, 1..3)];
    let gap = proptest::option::weighted(0.2, (0..=CHANNELS, 0_u64..30));
    (vec(texts(), 0..3), vec(block, 0..3), gap, states).prop_map(|(lines, blocks, gap, states)| Content {
        lines,
        blocks,
        gap,
        states,
    })
}
