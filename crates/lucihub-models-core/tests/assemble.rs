//! Chunks against the samples that the device measured: what came is at its index, what did not is a gap.

use std::collections::BTreeMap;

use lucihub_models_core::assemble::{Assembler, AssemblerOptions, Carrier, Reconciled};
use lucihub_models_core::{Gap, GapCause, Series};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::chunks::{NAME, Told, WINDOW, column, columns, one_carrier, options};
use crate::given::{cases, floats};

/// One chunk of a carrier and its way: how many later ones may overtake it.
#[derive(Debug, Clone)]
struct Sent {
    size: u64,
    delay: u32,
    copies: Vec<u32>,
    lost: bool,
}

fn sent(sizes: impl Strategy<Value = u64>, lossy: bool) -> impl Strategy<Value = Sent> {
    (sizes, 0..=WINDOW, vec(0_u32..40, 0..3), prop::bool::weighted(if lossy { 0.3 } else { 0.0 }))
        .prop_map(|(size, delay, copies, lost)| Sent { size, delay, copies, lost })
}

/// The numbers in the order of arrival. No chunk comes after one that is more
/// than the window past it; copies come later, whenever they like.
fn arrivals(chunks: &[Sent]) -> Vec<usize> {
    let mut ways = Vec::new();
    for (number, chunk) in chunks.iter().enumerate().filter(|(_, chunk)| !chunk.lost) {
        let way = number + chunk.delay as usize;
        ways.push((way, 0, number));
        ways.extend(chunk.copies.iter().map(|later| (way + *later as usize, 1, number)));
    }
    ways.sort_unstable();
    ways.into_iter().map(|(_, _, number)| number).collect()
}

/// Sends chunks of one carrier with two channels, and ends.
fn run(options: AssemblerOptions, chunks: &[Sent], order: &[usize], expected: Option<u64>) -> (Told, Reconciled) {
    let (mut assembler, mut told) = (one_carrier(options), Told::default());
    for &number in order {
        let columns = columns(&[0, 1], number, chunks[number].size);
        told.hear(assembler.chunk(NAME, u32::try_from(number).unwrap(), &columns).unwrap());
    }
    let finished = assembler.finish(expected);
    told.hear(finished.pieces);
    (told, finished.carriers[0].clone())
}

fn total(chunks: &[Sent]) -> u64 {
    chunks.iter().map(|chunk| chunk.size).sum()
}

/// What a channel must read where every length is known.
fn truth(channel: u32, chunks: &[Sent]) -> Series {
    let mut series = Series::default();
    for (number, chunk) in chunks.iter().enumerate() {
        if chunk.lost {
            series.push_gap(Gap::new(series.end..series.end + chunk.size, GapCause::Device));
        } else {
            series.push_values(&column(channel, number, chunk.size));
        }
    }
    series
}

/// The chunks after the last one that came; they have no number.
fn cut_unheard(chunks: &mut Vec<Sent>) -> u64 {
    let heard = chunks.iter().rposition(|chunk| !chunk.lost).map_or(0, |last| last + 1);
    total(&chunks.split_off(heard))
}

prop_compose! {
    /// Chunks of one size, the last one perhaps shorter. The first one comes.
    fn steady()(size in 2_u64..40, mut chunks in vec(sent(Just(1), true), 2..60), last in any::<Index>()) -> Vec<Sent> {
        chunks.iter_mut().for_each(|chunk| chunk.size = size);
        chunks[0].lost = false;
        chunks.last_mut().unwrap().size = 1 + last.index(usize::try_from(size).unwrap()) as u64;
        chunks
    }
}

prop_compose! {
    /// Chunks whose sizes are known to vary before the first loss can be decided.
    fn varying()(mut chunks in vec(sent(50_u64..=100, true), 3..60)) -> Vec<Sent> {
        (chunks[0].size, chunks[1].size) = (100, 50);
        (chunks[0].lost, chunks[1].lost) = (false, false);
        chunks
    }
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn disorder_and_copies_change_nothing(chunks in vec(sent(1_u64..50, false), 1..60)) {
        let (told, end) = run(options(), &chunks, &arrivals(&chunks), Some(total(&chunks)));
        for channel in [0, 1] {
            prop_assert_eq!(told.of(channel), truth(channel, &chunks));
        }
        prop_assert!(end.is_as_expected());
        let copies: usize = chunks.iter().map(|chunk| chunk.copies.len()).sum();
        prop_assert_eq!((end.stats.chunks, end.stats.duplicates), (chunks.len() as u64, copies as u64));
        prop_assert_eq!((end.stats.late, end.stats.lost_chunks, end.stats.lost_samples), (0, 0, 0));
    }

    #[test]
    fn of_one_size_every_gap_is_exact(mut chunks in steady()) {
        let (all, order) = (total(&chunks), arrivals(&chunks));
        let (told, end) = run(options(), &chunks, &order, Some(all));
        let lost = all - chunks.iter().filter(|chunk| !chunk.lost).map(|chunk| chunk.size).sum::<u64>();
        let unheard = cut_unheard(&mut chunks);
        for channel in [0, 1] {
            let mut wanted = truth(channel, &chunks);
            wanted.push_gap(Gap::new(wanted.end..wanted.end + unheard, GapCause::Device).inferred());
            prop_assert_eq!(told.of(channel), wanted);
        }
        prop_assert_eq!((end.end, end.missing, end.surplus), (all, unheard, 0));
        prop_assert_eq!((end.stats.lost_samples, end.stats.inferred_samples), (lost, unheard));
        prop_assert_eq!(end.stats.lost_chunks, chunks.iter().filter(|chunk| chunk.lost).count() as u64);
        prop_assert_eq!(end.stats.late, 0);
    }

    #[test]
    fn of_varying_sizes_order_and_values_are_kept(mut chunks in varying(), expected in 1_u64..9_000) {
        let order = arrivals(&chunks);
        let (told, end) = run(options(), &chunks, &order, Some(expected));
        cut_unheard(&mut chunks);
        for channel in [0, 1] {
            let series = told.of(channel);
            prop_assert!(series.is_consistent());
            prop_assert!(series.gaps.iter().all(|gap| gap.inferred));
            // Between the same samples as in truth there is a gap, or there is none.
            let stretches = |series: &Series| series.segments().map(|(_, values)| values.to_vec()).collect::<Vec<_>>();
            prop_assert_eq!(stretches(&series), stretches(&truth(channel, &chunks)));
            prop_assert_eq!(series.end, end.end);
        }
        prop_assert_eq!(end.end, expected + end.surplus, "a shortfall is filled, a surplus told");
        prop_assert!(end.missing == 0 || end.surplus == 0);
        prop_assert_eq!(end.stats.inferred_samples, end.stats.lost_samples);
    }

    #[test]
    fn a_run_within_the_window_ends_where_it_must(mut chunks in varying()) {
        chunks.last_mut().unwrap().lost = false;
        let options = options().with_window_chunks(100);
        let (told, end) = run(options, &chunks, &arrivals(&chunks), Some(total(&chunks)));
        prop_assert_eq!(told.of(0).end, total(&chunks));
        prop_assert!(end.is_as_expected());
        // The lengths of neighbours that are lost together do not matter, those of two losses do.
        let losses = chunks.chunk_by(|a, b| a.lost == b.lost).filter(|group| group[0].lost).count();
        if losses == 1 {
            let mut wanted = truth(1, &chunks);
            wanted.gaps[0].inferred = true;
            prop_assert_eq!(told.of(1), wanted);
        }
    }

    #[test]
    fn carriers_do_not_mix(left in steady(), right in steady(), starts in (any::<u16>(), any::<u16>()), index in 0_u64..1 << 40, turns in vec(any::<bool>(), 0..200)) {
        let mut assembler = Assembler::new(options());
        assembler.carrier(Carrier::new("left", [2, 0]).first_chunk(starts.0.into())).unwrap();
        assembler.carrier(Carrier::new("right", [1]).first_chunk(starts.1.into()).first_index(index)).unwrap();
        let mut queues = [arrivals(&left).into_iter().peekable(), arrivals(&right).into_iter().peekable()];
        let mut turns = turns.into_iter().cycle();
        let mut told = Told(BTreeMap::from([(1, Series::starting_at(index))]));
        while queues.iter_mut().any(|queue| queue.peek().is_some()) {
            let side = usize::from(turns.next().unwrap_or(queues[0].peek().is_none()));
            let side = if queues[side].peek().is_some() { side } else { 1 - side };
            let number = queues[side].next().unwrap();
            let (name, first, channels, chunks) =
                if side == 0 { ("left", starts.0, &[2, 0][..], &left) } else { ("right", starts.1, &[1][..], &right) };
            let columns = columns(channels, number, chunks[number].size);
            told.hear(assembler.chunk(name, u32::from(first) + u32::try_from(number).unwrap(), &columns).unwrap());
        }
        told.hear(assembler.finish(None).pieces);
        let (mut left, mut right) = (left, right);
        cut_unheard(&mut left);
        cut_unheard(&mut right);
        prop_assert_eq!(told.of(0), truth(0, &left));
        prop_assert_eq!(told.of(2), truth(2, &left));
        let mut wanted = Series::starting_at(index);
        let moved = truth(1, &right);
        for gap in &moved.gaps {
            wanted.gaps.push(Gap::new(index + gap.first..index + gap.end, GapCause::Device));
        }
        wanted.end = index + moved.end;
        wanted.values = moved.values;
        prop_assert_eq!(told.of(1), wanted);
    }

    #[test]
    fn what_waits_is_bounded(numbers in vec(0_u32..400, 1..200), sizes in vec(1_u64..=16, 1..9), window in 0_u32..20, most in 0_usize..400) {
        let options = options().with_window_chunks(window).with_window_values(most).with_chunk_samples(16);
        let (mut assembler, mut told) = (one_carrier(options), Told::default());
        for (number, size) in numbers.into_iter().zip(sizes.into_iter().cycle()) {
            told.hear(assembler.chunk(NAME, number, &columns(&[0, 1], number as usize, size)).unwrap());
            prop_assert!(assembler.waiting_values() <= most.min(window as usize * 16 * 2));
        }
        told.hear(assembler.finish(None).pieces);
        let values = &told.of(0).values;
        prop_assert!(values.is_sorted_by(|a, b| a < b), "no sample twice, none out of order");
    }

    #[test]
    fn garbage_is_refused_or_placed(messages in vec(garbage(), 0..60), expected in prop::option::of(any::<u64>()), limits in (any::<u32>(), 0_usize..99, any::<u32>(), any::<u32>())) {
        let options = AssemblerOptions::default()
            .with_window_chunks(limits.0 >> (limits.0 % 32)).with_window_values(limits.1)
            .with_chunk_samples(limits.2 >> (limits.2 % 32)).with_jump_chunks(limits.3 >> (limits.3 % 32));
        let (mut assembler, mut told) = (one_carrier(options), Told::default());
        for (name, number, columns) in messages {
            let before = format!("{assembler:?}");
            match assembler.chunk(name, number, &columns) {
                Ok(pieces) => told.hear(pieces),
                Err(invalid) => {
                    prop_assert!(invalid.to_string().len() < 400);
                    prop_assert_eq!(format!("{assembler:?}"), before, "refused, yet it left a trace");
                }
            }
        }
        let finished = assembler.finish(expected);
        told.hear(finished.pieces);
        let end = &finished.carriers[0];
        for channel in [0, 1] {
            let series = told.of(channel);
            prop_assert!(series.is_consistent());
            prop_assert_eq!(series.end, end.end);
            prop_assert_eq!(series.gaps.iter().map(Gap::len).sum::<u64>(), end.stats.lost_samples);
        }
    }
}

fn garbage() -> impl Strategy<Value = (&'static str, u32, Vec<Vec<f64>>)> {
    let name = prop_oneof![9 => Just(NAME), 1 => Just("\u{2028}"), 1 => Just("")];
    let number = prop_oneof![4 => 0_u32..90, 1 => any::<u32>(), 1 => u32::MAX - 2..=u32::MAX];
    let equal = (0_usize..6, vec(floats(), 6)).prop_map(|(size, values)| vec![values[..size].to_vec(); 2]);
    let columns = prop_oneof![4 => equal, 1 => vec(vec(floats(), 0..4), 0..4)];
    (name, number, columns)
}
