//! The assembler at its limits: the last chunk that is waited for, and the first that is not.

use lucihub_models_core::assemble::{Assembled, Assembler, Carrier};

use crate::chunks::{NAME, columns, one_carrier, options};

const NOTHING: [i64; 0] = [];

/// Sends one chunk of two channels; the lengths of what is given out on channel 0, gaps negative.
fn send(assembler: &mut Assembler, number: u32, size: u64) -> Vec<i64> {
    lengths(assembler.chunk(NAME, number, &columns(&[0, 1], number as usize, size)).unwrap())
}

fn lengths(pieces: Vec<Assembled>) -> Vec<i64> {
    pieces
        .into_iter()
        .filter_map(|piece| match piece {
            Assembled::Samples(block) => (block.channel == 0).then(|| i64::try_from(block.values.len()).unwrap()),
            Assembled::Gap(mark) => (mark.channel == 0).then(|| -i64::try_from(mark.gap.len()).unwrap()),
        })
        .collect()
}

#[test]
fn the_window_ends_one_past_its_size() {
    let mut assembler = one_carrier(options().with_window_chunks(2));
    assert_eq!(send(&mut assembler, 0, 10), [10]);
    assert_eq!(send(&mut assembler, 2, 10), NOTHING);
    assert_eq!(send(&mut assembler, 3, 10), NOTHING, "chunk 1 may be overtaken by two");
    assert_eq!(send(&mut assembler, 4, 10), [-10, 10, 10, 10], "and by no third");
    assert_eq!(send(&mut assembler, 1, 10), NOTHING, "its place is a gap by now");
    assert_eq!(send(&mut assembler, 3, 10), NOTHING);
    let stats = assembler.stats(NAME).unwrap();
    assert_eq!((stats.chunks, stats.late, stats.duplicates, stats.lost_chunks), (4, 1, 1, 1));
    assert_eq!((stats.lost_samples, stats.inferred_samples), (10, 0));
}

#[test]
fn values_that_wait_end_the_wait() {
    let mut assembler = one_carrier(options().with_window_values(40));
    assert_eq!(send(&mut assembler, 1, 10), NOTHING);
    assert_eq!(send(&mut assembler, 2, 10), NOTHING, "40 values of two channels");
    assert_eq!(send(&mut assembler, 4, 1), [-10, 10, 10]);
}

#[test]
fn a_late_chunk_of_another_size_ends_exactness() {
    let mut assembler = one_carrier(options().with_window_chunks(0));
    for number in [0, 1, 3] {
        send(&mut assembler, number, 10);
    }
    assert_eq!(assembler.stats(NAME).unwrap().inferred_samples, 0);
    assert_eq!(send(&mut assembler, 2, 6), NOTHING);
    assert_eq!(send(&mut assembler, 5, 10), [-10, 10]);
    assert_eq!(assembler.stats(NAME).unwrap().inferred_samples, 10, "chunk 4 may have been as short");
}

#[test]
fn a_longer_chunk_ends_exactness_at_once() {
    let mut assembler = one_carrier(options().with_window_chunks(0));
    for number in [0, 1] {
        send(&mut assembler, number, 10);
    }
    assert_eq!(send(&mut assembler, 3, 20), [-15, 20], "the mean of the neighbours");
    assert_eq!(assembler.stats(NAME).unwrap().inferred_samples, 15);
}

#[test]
fn old_losses_are_forgotten() {
    let mut assembler = one_carrier(options().with_window_chunks(0));
    for number in 0..66 {
        send(&mut assembler, 2 * number, 1);
    }
    let counts = |assembler: &Assembler| assembler.stats(NAME).map(|stats| (stats.duplicates, stats.late)).unwrap();
    assert_eq!(send(&mut assembler, 2, 1), NOTHING);
    assert_eq!(counts(&assembler), (1, 0), "64 losses are known, and what came since");
    assert_eq!(send(&mut assembler, 0, 1), NOTHING);
    assert_eq!(counts(&assembler), (1, 1), "of this one nothing is known");
}

#[test]
fn no_option_unbinds_the_window() {
    let options = options().with_window_chunks(u32::MAX).with_window_values(usize::MAX);
    let mut assembler = one_carrier(options);
    for number in 1..=1 << 16 {
        assert_eq!(send(&mut assembler, number, 1), NOTHING);
    }
    assert_eq!(send(&mut assembler, (1 << 16) + 1, 1).len(), 1 + (1 << 16) + 1);
    assert_eq!(assembler.waiting_values(), 0);
}

#[test]
fn what_sizes_do_not_explain_is_missing_at_the_end() {
    let feed = || {
        let mut assembler = one_carrier(options());
        for (number, size) in [(0, 10), (1, 20), (3, 30)] {
            send(&mut assembler, number, size);
        }
        assembler
    };
    let end = |expected| {
        let finished = feed().finish(Some(expected));
        let carrier = &finished.carriers[0];
        (lengths(finished.pieces), carrier.missing, carrier.surplus)
    };
    assert_eq!(end(70), (vec![-10, 30], 0, 0), "the least size seen");
    assert_eq!(end(90), (vec![-30, 30], 0, 0), "the greatest");
    assert_eq!(end(91), (vec![-25, 30, -6], 6, 0), "one past");
    assert_eq!(end(69), (vec![-25, 30], 0, 16), "one below");
}

#[test]
fn a_silent_carrier_is_one_gap() {
    let finished = one_carrier(options()).finish(Some(1_000));
    assert_eq!(lengths(finished.pieces), [-1_000]);
    assert_eq!((finished.carriers[0].missing, finished.carriers[0].stats.inferred_samples), (1_000, 1_000));
    assert!(one_carrier(options()).finish(None).pieces.is_empty());
}

#[test]
fn limits_hold_at_the_limit_and_fail_one_past() {
    let mut assembler = one_carrier(options().with_jump_chunks(5).with_chunk_samples(8));
    let mut refused = |number, columns: &[Vec<f64>]| assembler.chunk(NAME, number, columns).unwrap_err().to_string();
    assert!(refused(6, &columns(&[0, 1], 6, 8)).contains("skips 6 numbers; at most 5"));
    assert!(refused(0, &columns(&[0, 1], 0, 9)).contains("9 samples; use 1 to 8"));
    assert!(refused(0, &columns(&[0, 1], 0, 0)).contains("0 samples"));
    assert!(refused(0, &columns(&[0], 0, 8)).contains("1 channels; the carrier has 2"));
    assert!(refused(0, &[vec![0.0], vec![0.0; 2]]).contains("of 1 and of 2 samples"));
    assert!(assembler.chunk("other", 0, &columns(&[0, 1], 0, 8)).is_err());
    assert_eq!(send(&mut assembler, 5, 8), NOTHING, "five are skipped");
    assert_eq!(send(&mut assembler, 11, 8), [-40, 8], "and five more, from the greatest number on");
}

#[test]
fn numbers_go_to_the_end_of_the_wire_type() {
    let mut assembler = Assembler::new(options());
    assembler.carrier(Carrier::new(NAME, [0, 1]).first_chunk(u32::MAX - 1)).unwrap();
    assert_eq!(send(&mut assembler, u32::MAX, 3), NOTHING);
    assert_eq!(send(&mut assembler, u32::MAX - 1, 3), [3, 3]);
    assert_eq!(send(&mut assembler, 0, 3), NOTHING, "before the first one");
    assert_eq!(assembler.stats(NAME).unwrap().late, 1);
}

#[test]
fn carriers_are_checked_when_added() {
    let mut assembler = one_carrier(options());
    let mut refused = |carrier| assembler.carrier(carrier).unwrap_err().to_string();
    assert!(refused(Carrier::new(NAME, [2])).contains("added before"));
    assert!(refused(Carrier::new("b", [])).contains("no channels"));
    assert!(refused(Carrier::new("b", [2, 1])).contains("channel 1 is taken"));
    assert!(refused(Carrier::new("b", [2, 2])).contains("channel 2 is taken"));
    assert!(refused(Carrier::new("b", [2]).first_index((1 << 40) + 1)).contains("first index"));
    assert!(assembler.carrier(Carrier::new("b", [2]).first_index(1 << 40)).is_ok());
    assert!(assembler.stats("c").is_none());
}
