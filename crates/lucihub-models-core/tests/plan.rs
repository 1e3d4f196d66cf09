//! Plans: what passes tiles the indices, what does not is refused with its reason.

use lucihub_models_core::{
    Batch, BatchBody, Channel, Gap, GapCause, GapMark, JobType, Limits, Piece, Plan, Positions, Reject, RunHead, RunId,
    RunState, SampleBlock, StateChange, Timestamp, WriterId, WriterMark,
};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::given::{cases, floats, lines};

const CHANNELS: u32 = 3;

fn head() -> RunHead {
    let id = RunId::from_uuid(uuid::Uuid::from_u128(7));
    let mut head = RunHead::queued(id, JobType::Run, Timestamp::EPOCH);
    head.channels = vec![Channel::default(); CHANNELS as usize];
    head
}

/// Channel, indices jumped over, length of a known gap, samples.
type Part = (u32, u64, u64, Vec<f64>);

fn parts() -> impl Strategy<Value = Vec<Part>> {
    vec((0..CHANNELS, 0_u64..9, 0_u64..9, vec(floats(), 0..9)), 0..9)
}

/// A legal body of these parts, and where each channel ends.
fn body(parts: &[Part], next: &Positions) -> (BatchBody, Positions) {
    let (mut body, mut at) = (BatchBody::default(), next.clone());
    for (channel, jump, known, values) in parts {
        let channel = *channel;
        let mut first = at.sample(channel) + jump;
        if *known > 0 {
            body.gaps.push(GapMark { channel, gap: Gap::new(first..first + known, GapCause::Overflow) });
            first += known;
            at.set_sample(channel, first);
        }
        if !values.is_empty() {
            body.blocks.push(SampleBlock { channel, first, values: values.as_slice().into() });
            at.set_sample(channel, first + values.len() as u64);
        }
    }
    (body, at)
}

fn positions() -> impl Strategy<Value = Positions> {
    vec(0_u64..1_000, 0..4).prop_map(|samples| Positions { samples, ..Positions::default() })
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn pieces_tile_the_indices(parts in parts(), next in positions()) {
        let (body, end) = body(&parts, &next);
        let plan = Plan::new(&body, &head(), &next, &Limits::default()).unwrap();
        prop_assert!(plan.pieces.is_sorted_by(|a, b| a.0 < b.0), "each channel once, ascending");
        let mut covered = next.clone();
        for (channel, pieces) in &plan.pieces {
            prop_assert!(!pieces.is_empty());
            for piece in pieces {
                prop_assert_eq!(piece.first(), covered.sample(*channel), "no hole and no overlap");
                prop_assert!(piece.end() > piece.first());
                covered.set_sample(*channel, piece.end());
            }
        }
        prop_assert_eq!(&covered, &end);
        let mut moved = next.clone();
        plan.advance(&body, &mut moved);
        prop_assert_eq!(moved, end);
    }

    #[test]
    fn jumps_are_gaps_of_the_device(parts in parts(), next in positions()) {
        let (body, _) = body(&parts, &next);
        let plan = Plan::new(&body, &head(), &next, &Limits::default()).unwrap();
        let gaps = |cause: GapCause| -> u64 {
            let pieces = plan.pieces.iter().flat_map(|(_, pieces)| pieces);
            pieces.map(|piece| match piece {
                Piece::Gap(gap) if gap.cause == cause => gap.len(),
                _ => 0,
            }).sum()
        };
        let known: u64 = body.gaps.iter().map(|mark| mark.gap.len()).sum();
        let values: usize = body.blocks.iter().map(|block| block.values.len()).sum();
        let written: usize = plan.pieces.iter().flat_map(|(_, pieces)| pieces).map(|piece| match piece {
            Piece::Block { values, .. } => values.len(),
            Piece::Gap(_) => 0,
        }).sum();
        prop_assert_eq!((gaps(GapCause::Overflow), written), (known, values));
        let mut end = next.clone();
        plan.advance(&body, &mut end);
        let all: u64 = (0..CHANNELS).map(|channel| end.sample(channel) - next.sample(channel)).sum();
        prop_assert_eq!(gaps(GapCause::Device), all - known - values as u64);
    }

    #[test]
    fn samples_before_the_next_index_are_refused(next in 1_u64..1_000, back in 1_u64..1_000, values in vec(floats(), 1..9)) {
        let first = next.saturating_sub(back);
        let at = Positions { samples: vec![0, next], ..Positions::default() };
        let block = SampleBlock { channel: 1, first, values: values.into() };
        let body = BatchBody { blocks: vec![block], ..BatchBody::default() };
        let refused = Plan::new(&body, &head(), &at, &Limits::default()).unwrap_err();
        prop_assert_eq!(refused, Reject::SampleOrder { channel: 1, first, next });
    }

    #[test]
    fn states_go_through_the_table(words in vec(prop::sample::select(vec!["queued", "inprogress", "succeeded", "failed", "cancelled", "novel"]), 0..6)) {
        let states: Vec<RunState> = words.into_iter().map(RunState::from).collect();
        let changes = states.iter().map(|state| StateChange::new(state.clone(), Timestamp::EPOCH)).collect();
        let body = BatchBody { states: changes, ..BatchBody::default() };
        let mut way = vec![RunState::Queued];
        let mut wrong = None;
        for to in &states {
            let from = way.last().unwrap().clone();
            if from.step_to(to).is_none() {
                wrong = Some(Reject::State { from, to: to.clone() });
                break;
            }
            if from != *to {
                way.push(to.clone());
            }
        }
        match (Plan::new(&body, &head(), &Positions::default(), &Limits::default()), wrong) {
            (Ok(plan), None) => {
                let mut after = head();
                after.apply(&body, &plan);
                prop_assert_eq!(after.states.iter().map(|change| change.state.clone()).collect::<Vec<_>>(), way.clone());
                prop_assert_eq!(plan.seal().is_some(), plan.states.last().is_some_and(|change| change.state.is_terminal()));
                let written = Positions { states: plan.states.len() as u64, ..Positions::default() };
                let mut moved = Positions::default();
                plan.advance(&body, &mut moved);
                prop_assert_eq!(moved, written);
            }
            (Err(refused), Some(wrong)) => prop_assert_eq!(refused, wrong),
            (plan, wrong) => prop_assert!(false, "{plan:?} where {wrong:?}"),
        }
    }

    #[test]
    fn a_digest_is_the_content(a in vec(lines(), 0..3), b in vec(lines(), 0..3), x in vec(floats(), 1..4), y in vec(floats(), 1..4)) {
        let batch = |seq, lines: &[_], values: &[f64]| {
            let block = SampleBlock { channel: 0, first: 0, values: values.into() };
            let body = BatchBody { lines: lines.into(), blocks: vec![block], ..BatchBody::default() };
            Batch::new(head().id, WriterMark { writer: WriterId::from_bits(1), epoch: 1 }, seq, body)
        };
        let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        let same = a == b && bits(&x) == bits(&y);
        prop_assert_eq!(batch(1, &a, &x).digest() == batch(1, &b, &y).digest(), same);
        prop_assert_eq!(batch(1, &a, &x).digest(), batch(2, &a, &x).digest(), "the number is not content");
    }
}

#[test]
fn sizes_count_what_a_batch_costs() {
    let block = SampleBlock { channel: 0, first: 0, values: vec![0.0; 1_000].into() };
    let body = BatchBody { blocks: vec![block], ..BatchBody::default() };
    assert!((8_000..8_100).contains(&body.size()));
    assert!(BatchBody::default().is_empty() && BatchBody::default().size() == 0);
}

/// Samples may have the bits of what stands between blocks; where one block ends still is content.
#[test]
fn a_digest_tells_where_a_block_ends() {
    let number = f64::from_bits;
    let batch = |blocks: [(u32, &[f64]); 2]| {
        let blocks = blocks.map(|(channel, values)| SampleBlock { channel, first: 0, values: values.into() });
        let body = BatchBody { blocks: blocks.into(), ..BatchBody::default() };
        Batch::new(head().id, WriterMark { writer: WriterId::from_bits(1), epoch: 1 }, 1, body).digest()
    };
    // Without the counts both would be: 1.0, channel 1, index 0, 2.0, channel 1, index 0, 3.0.
    let early = batch([(0, &[1.0]), (1, &[2.0, number(1), number(0), 3.0])]);
    let late = batch([(0, &[1.0, number(1), number(0), 2.0]), (1, &[3.0])]);
    assert_ne!(early, late);
}
