//! Fuzz targets: the cells and documents of a row, behind its checksum.

use std::collections::BTreeMap;

use lucihub_models_core::{
    Bucket, EnvelopeBuilder, FinalValue, Gap, GapCause, HeadDocument, JobType, LogLine, RunHead, SUMMARY_WIDTH, Series,
    Timestamp, WriteAs,
};
use lucihub_testkit::fuzz;

use crate::codec::{gaps, lines, samples, summary};
use crate::head::{HeadColumns, StoredHead, labels};
use crate::types::{Free, Json};

fn within<T>(most: usize, decode: impl FnOnce() -> T) -> T {
    fuzz::within(most as u64, |act| allocation_counter::measure(act).bytes_max, decode)
}

/// The codec, and a number of four bytes.
fn numbered(codec: i64, count: usize, bytes: &[u8]) -> Vec<u8> {
    [&codec.to_le_bytes()[..1], &count.to_le_bytes()[..4], bytes].concat()
}

fn numbers(input: &mut &[u8]) -> (i64, u64) {
    (fuzz::number(input, 1).cast_signed(), fuzz::number(input, 4))
}

#[test]
fn samples_of_a_cell() {
    let steps: Vec<f64> = (0..700_u32).map(|n| f64::from(n * n % 977) * 0.125).collect();
    let odd = [0.0, -0.0, f64::NAN, f64::INFINITY, f64::from_bits(1), f64::from_bits(0xfff0_0000_0000_0001)];
    let rounded = steps.iter().map(|step| step * 1.1 + 0.3).collect();
    let lists = [vec![], vec![0.5], odd.to_vec(), steps, vec![0.25; 300], (0..300).map(f64::from).collect(), rounded];
    let valid = lists.map(|values| {
        let (codec, packed) = samples::encode(&values);
        numbered(codec, values.len(), &packed)
    });
    fuzz::target(include_str!("../fuzz/samples_of_a_cell.hex"), &valid, 3_000, |mut input| {
        let (codec, count) = numbers(&mut input);
        // The samples, and the numbers that they are steps of.
        let room = 10 * usize::try_from(count.min(samples::MAX_SAMPLES)).unwrap();
        let decoded = within(room + 64 * input.len() + (1 << 20), || samples::decode(codec, input, count));
        let Ok(values) = decoded else { return };
        assert_eq!(values.len() as u64, count);
        // Encoding a million samples takes longer than a thousand decodings of some.
        if values.len() < 4_096 {
            let (codec, packed) = samples::encode(&values);
            let back = samples::decode(codec, &packed, count).unwrap();
            assert!(back.iter().zip(&values).all(|(a, b)| a.to_bits() == b.to_bits()));
        }
    });
}

#[test]
fn lines_of_a_cell() {
    let line = |text: &str| LogLine::new(Timestamp::EPOCH, text).level("info").source("worker");
    let newer: LogLine = serde_json::from_str(r#"{"text":"","later":{"n":[1,-2.5]}}"#).unwrap();
    let few = [line("a\u{2028}\0"), newer];
    let many = vec![line("the same again"); 40];
    let valid = [&few[..], &many].map(|all| {
        let (codec, packed) = lines::encode(all).unwrap();
        numbered(codec, all.len(), &packed)
    });
    fuzz::target(include_str!("../fuzz/lines_of_a_cell.hex"), &valid, 6_000, |mut input| {
        let (codec, count) = numbers(&mut input);
        // What unpacks to more than this many times itself is left to the test of the limits.
        let decoded = within(2_048 * input.len() + (4 << 20), || lines::decode(codec, input, count));
        let Ok(all) = decoded else { return };
        assert_eq!(all.len() as u64, count);
        let (codec, packed) = lines::encode(&all).unwrap();
        assert_eq!(lines::decode(codec, &packed, count), Ok(all));
    });
}

#[test]
fn gaps_of_a_cell() {
    let list = [
        Gap::new(70_000..70_200, GapCause::Device),
        Gap::new(70_200..70_201, GapCause::Overflow).inferred(),
        Gap::new(1 << 20..1 << 40, GapCause::from("cosmic")),
    ];
    let input = |first: u64, end: u64, gaps: &[Gap]| {
        [&first.to_le_bytes()[..], &end.to_le_bytes(), &gaps::encode(first, gaps)].concat()
    };
    let late = Gap::new(u64::MAX - 4..u64::MAX, GapCause::Store);
    let valid = [input(65_536, 1 << 41, &list), input(1 << 63, u64::MAX, &[late]), input(0, 0, &[])];
    fuzz::target("", &valid, 20_000, |mut input| {
        let (first, end) = (fuzz::number(&mut input, 8), fuzz::number(&mut input, 8));
        let Ok(all) = within(128 * input.len() + 4_096, || gaps::decode(input, first, end)) else { return };
        assert_eq!(gaps::decode(&gaps::encode(first, &all), first, end).as_ref(), Ok(&all));
        let missing = all.iter().map(Gap::len).sum::<u64>();
        let Some(present) = end.checked_sub(first).map(|all| all - missing) else { return };
        // With as many samples as are left it is a series.
        if present < 10_000 {
            let values = (0..present).map(|_| 0.5).collect();
            assert!(Series { first, end, gaps: all, values }.is_consistent());
        }
    });
}

#[test]
fn summary_of_a_cell() {
    let mut series = Series::starting_at(4_096);
    series.push_values(&[0.5, f64::NAN, -0.25]);
    series.push_gap(Gap::new(0..8_000, GapCause::Device));
    series.push_values(&[1.0, -0.0]);
    let input = |first: u64, end: u64, values: u64, bytes: &[u8]| {
        [&first.to_le_bytes()[..], &end.to_le_bytes(), &values.to_le_bytes(), bytes].concat()
    };
    let valid = [input(series.first, series.end, 5, &summary::encode(&series)), input(0, 0, 0, &[])];
    fuzz::target("", &valid, 10_000, |mut input| {
        let mut next = || fuzz::number(&mut input, 8);
        let (first, end, values) = (next(), next(), next());
        let decoded = within(2 * input.len() + 4_096, || summary::decode(input, first, end, values));
        let Ok(buckets) = decoded else { return };
        assert_eq!(buckets.iter().map(|bucket| bucket.count).sum::<u64>(), values);
        assert_eq!(buckets.iter().flat_map(stored).collect::<Vec<u8>>(), input);
        // What a plot makes of them.
        if first.is_multiple_of(SUMMARY_WIDTH) && first < end {
            let mut builder = EnvelopeBuilder::new(first / 4_096 * 4_096, 4_096);
            builder.buckets(first, SUMMARY_WIDTH, &buckets);
            builder.reach(end);
            assert_eq!(builder.finish().buckets.iter().map(|bucket| bucket.count).sum::<u64>(), values);
        }
    });
}

fn stored(bucket: &Bucket) -> Vec<u8> {
    let numbers = [bucket.min, bucket.max, bucket.first, bucket.last].map(|n| n.to_bits().to_le_bytes());
    let counts = [bucket.count, bucket.nan].map(|n| u16::try_from(n).unwrap().to_le_bytes());
    [numbers.as_flattened(), counts.as_flattened()].concat()
}

/// What stands between two columns of an input.
const EDGE: u8 = 0xff;

#[test]
fn head_of_a_run() {
    let mut head =
        RunHead::queued("0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e".parse().unwrap(), JobType::Run, Timestamp::EPOCH);
    head.final_values = vec![FinalValue::new("/0", f64::NAN)];
    let document = HeadDocument::write(&head).unwrap();
    let all = BTreeMap::from([("a\"b".to_owned(), "\u{2028}\0".to_owned())]);
    let Json(all) = labels(&all).unwrap();
    let valid = [&*document, &all, "failed", "{\"k\" : -0.0}", "null"].map(str::as_bytes).join(&EDGE);
    fuzz::target("", &[valid], 6_000, |input| {
        let columns: Option<Vec<&str>> = input.split(|b| *b == EDGE).map(|c| std::str::from_utf8(c).ok()).collect();
        let Some(columns) = columns else { return };
        let column = |n: usize| columns.get(n).copied().unwrap_or("{}").to_owned();
        let row = |head: &str, labels: &str| StoredHead {
            head: Json(head.to_owned()),
            labels: Json(labels.to_owned()),
            error: Some(Free(column(2))),
            input: Some(Json(column(3))),
            output: Some(Json(column(4))),
        };
        let (document, all) = (column(0), column(1));
        let read = within(1_024 * input.len() + 65_536, || row(&document, &all).read(|| "row".to_owned()));
        let Ok(head) = read else { return };
        if HeadColumns::of(&head, &WriteAs::default(), Timestamp::EPOCH).is_err() {
            return;
        }
        let bare = |mut head: RunHead| {
            (head.input, head.output) = (None, None);
            head.labels.clear();
            HeadDocument::write(&head).unwrap()
        };
        let (document, Json(all)) = (bare(head.clone()), labels(&head.labels).unwrap());
        let again = row(&document, &all).read(|| "row".to_owned()).unwrap();
        assert_eq!((&again.labels, &again.error, &again.input), (&head.labels, &head.error, &head.input));
        assert_eq!(bare(again), document);
    });
}
