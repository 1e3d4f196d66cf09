//! Fuzz targets: what Redis stores and answers, changed on its way or on purpose.

use std::ops::Range;

use fred::types::Value;
use lucihub_models_core::{
    AttachmentInfo, Digest, Gap, GapCause, HeadDocument, JobType, LogLine, Piece, RunHead, RunId, Series, Timestamp,
    WriterId, WriterMark,
};
use lucihub_testkit::fuzz;
use lucihub_testkit::models::store_event as store_event_numbered;

use super::attachments;
use super::block::{LOG, Place, pack_lines, pack_lost_lines, pack_samples, read_lines, read_samples, seal};
use super::events;
use super::head::{head_args, read_head};
use super::range::{read_entries, read_extent};
use super::reply::{Reply, position_args};
use super::snapshot::{Fields, mark_text};

/// Bytes of the header of a block: format, checksum.
const SEAL: usize = 5;

fn run() -> RunId {
    "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e".parse().unwrap()
}

fn within<T>(most: usize, decode: impl FnOnce() -> T) -> T {
    fuzz::within(most as u64, |act| allocation_counter::measure(act).bytes_max, decode)
}

/// The input of a block: its first position, its end, where the reader begins, how many it wants, then kind and body.
fn of_block(first: u64, end: u64, from: u64, count: u8, kind_and_body: &[u8]) -> Vec<u8> {
    [&first.to_le_bytes()[..], &end.to_le_bytes(), &from.to_le_bytes(), &[count], kind_and_body].concat()
}

/// A block under the checksum that belongs to it, its end, and the range that is read.
fn block(channel: u32, mut input: &[u8]) -> (Vec<u8>, u64, Range<u64>) {
    let mut next = || fuzz::number(&mut input, 8);
    let (first, end, from) = (next(), next(), next());
    let count = fuzz::number(&mut input, 1);
    if input.is_empty() {
        return (Vec::new(), end, 0..0);
    }
    let block = [&[0; SEAL][..], input].concat();
    let entry = seal(Place { run: run(), channel, first, end }, block);
    (entry.block.to_vec(), end, from..from.saturating_add(count))
}

#[test]
fn sample_block() {
    let values = |first: u64, values: &[f64]| Piece::Block { first, values: values.into() };
    let gap = |range: Range<u64>, cause: &str| Piece::Gap(Gap::new(range, GapCause::from(cause)).inferred());
    let lists = [
        vec![values(7, &[0.5, -0.0, f64::NAN])],
        vec![values(7, &[0.5, 1.5]), gap(9..20, "device"), gap(20..1 << 41, "cosmic"), values(1 << 41, &[2.5])],
        vec![gap(u64::MAX - 9..u64::MAX - 2, ""), values(u64::MAX - 2, &[0.5, 1.0])],
    ];
    let mut valid = Vec::new();
    for pieces in lists {
        let mut entries = Vec::new();
        let first = pieces[0].first();
        pack_samples(run(), 3, &pieces, &mut entries);
        for entry in entries {
            valid.push(of_block(first, entry.end, first + 1, 200, &entry.block[SEAL..]));
        }
    }
    fuzz::target(include_str!("../../fuzz/sample_block.hex"), &valid, 12_000, |input| {
        let (block, end, range) = block(3, input);
        let read = |range: &Range<u64>| {
            let mut series = Series::starting_at(range.start);
            let first = read_samples(run(), 3, end, &block, range, &mut series);
            first.map(|first| (first, series))
        };
        let Ok((first, series)) = within(8 * block.len() + 4_096, || read(&range)) else { return };
        assert!(first <= end, "a block ends before it begins");
        if first > range.start || range.start > end {
            return;
        }
        assert!(series.is_consistent() && series.end == range.end.min(end).max(range.start));
        let (_, all) = read(&(first..end)).unwrap();
        assert_eq!(all.slice(range.clone()), series);
        let mut pieces = Vec::new();
        for (at, values) in all.segments() {
            pieces.push(Piece::Block { first: at, values: values.into() });
        }
        pieces.extend(all.gaps.iter().cloned().map(Piece::Gap));
        pieces.sort_by_key(Piece::first);
        let (mut entries, mut back) = (Vec::new(), Series::starting_at(first));
        pack_samples(run(), 3, &pieces, &mut entries);
        for entry in entries {
            read_samples(run(), 3, entry.end, &entry.block, &(first..end), &mut back).unwrap();
        }
        assert_eq!(back, all);
    });
}

#[test]
fn line_block() {
    let lines = [LogLine::new(Timestamp::EPOCH, "a\u{2028}\0").level("info"), LogLine::lost()];
    let entry = pack_lines(run(), 5, &lines).unwrap().remove(0);
    let lost = pack_lost_lines(run(), 9..1 << 40);
    let valid =
        [of_block(5, entry.end, 6, 100, &entry.block[SEAL..]), of_block(9, lost.end, 20, 100, &lost.block[SEAL..])];
    fuzz::target("", &valid, 8_000, |input| {
        let (block, end, range) = block(LOG, input);
        let read = |range: &Range<u64>| {
            let mut lines = Vec::new();
            read_lines(run(), end, &block, range, &mut lines).map(|first| (first, lines))
        };
        // At most 255 lines are wanted; those that are lost take no bytes of the block.
        let Ok((first, lines)) = within(256 * block.len() + 256 * 512, || read(&range)) else { return };
        let wanted = range.start.clamp(first, end)..range.end.clamp(first, end);
        assert_eq!(lines.len() as u64, wanted.end - wanted.start);
        for entry in pack_lines(run(), wanted.start, &lines).unwrap() {
            let mut back = Vec::new();
            let first = read_lines(run(), entry.end, &entry.block, &(0..u64::MAX), &mut back).unwrap();
            let from = usize::try_from(first - wanted.start).unwrap();
            assert_eq!(back, lines[from..from + back.len()]);
        }
    });
}

#[test]
fn store_event() {
    let event = store_event_numbered(7);
    let valid = [events::stored(run(), &event)].map(|stored| format!("{}\n{stored}", event.id).into_bytes());
    fuzz::target("", &valid, 12_000, |input| {
        let text = String::from_utf8_lossy(input);
        let (id, stored) = text.split_once('\n').unwrap_or(("", &text));
        // Behind the time stands the checksum of what follows.
        let sealed = stored.split_once(' ').and_then(|(at, rest)| {
            let (_, rest) = rest.split_once(' ')?;
            Some(format!("{at} {:08x} {rest}", events::checksum(run(), rest)))
        });
        for stored in [Some(stored.to_owned()), sealed].into_iter().flatten() {
            let read = within(1024 * stored.len() + 65_536, || events::parse(run(), id, &stored));
            let Ok(read) = read else { continue };
            assert_eq!(events::parse(run(), id, &events::stored(run(), &read)).unwrap(), read);
        }
    });
}

#[test]
fn attachment() {
    let info = AttachmentInfo {
        name: "a.b".parse().unwrap(),
        media_type: "text/plain; charset=\"utf-8\"".into(),
        size: 3,
        digest: Digest::of(b"abc"),
        created_at: Timestamp::from_micros(17).unwrap(),
    };
    let valid = [false, true].map(|by_worker| {
        let stored = format!("17 {}", attachments::known(run(), &info, by_worker));
        [&b"a.b\n"[..], stored.as_bytes()].concat()
    });
    fuzz::target("", &valid, 12_000, |input| {
        let text = String::from_utf8_lossy(input);
        let (name, stored) = text.split_once('\n').unwrap_or(("a.b", &text));
        // Behind the time stands the checksum of what follows.
        let sealed = stored.split_once(' ').and_then(|(at, rest)| {
            let (_, rest) = rest.split_once(' ')?;
            Some(format!("{at} {:08x} {rest}", attachments::checksum(run(), name, rest)))
        });
        for stored in [Some(stored.to_owned()), sealed].into_iter().flatten() {
            let read = within(16 * stored.len() + 4_096, || attachments::parse(run(), name, &stored));
            let Ok(read) = read else { continue };
            let again = attachments::known(run(), &read.info, read.by_worker);
            let again = format!("{} {again}", read.info.created_at.as_micros());
            assert_eq!(attachments::parse(run(), name, &again).unwrap(), read);
        }
    });
}

/// A reply of scripts from bytes: each value begins with its kind.
fn value(input: &mut &[u8], depth: usize) -> Value {
    match fuzz::number(input, 1) {
        0 => Value::Null,
        1 => Value::Integer(fuzz::number(input, 8).cast_signed()),
        2 | 3 if depth > 0 => {
            let count = fuzz::number(input, 1);
            Value::Array((0..count).map_while(|_| (!input.is_empty()).then(|| value(input, depth - 1))).collect())
        }
        4 => Value::Boolean(true),
        5 => Value::Double(0.5),
        kind => {
            let length = usize::try_from(fuzz::number(input, 2)).unwrap().min(input.len());
            let (text, rest) = input.split_at(length);
            *input = rest;
            // As the client gives it: text if it is UTF-8.
            match std::str::from_utf8(text) {
                Ok(text) if kind != 6 => Value::from(text),
                _ => Value::Bytes(text.to_vec().into()),
            }
        }
    }
}

/// The bytes that [`value`] makes a value of.
fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::Null => vec![0],
        Value::Integer(number) => [&[1][..], &number.to_le_bytes()].concat(),
        Value::Array(items) => {
            let count = u8::try_from(items.len()).unwrap();
            [2, count].into_iter().chain(items.iter().flat_map(bytes)).collect()
        }
        other => {
            let text = other.as_bytes().unwrap();
            [&[7][..], &u16::try_from(text.len()).unwrap().to_le_bytes(), text].concat()
        }
    }
}

fn list(texts: &[&str]) -> Value {
    Value::Array(texts.iter().map(|text| Value::from(*text)).collect())
}

fn reply(input: &mut &[u8]) -> Reply {
    let mut parts = Vec::new();
    while !input.is_empty() && parts.len() < 64 {
        parts.push(value(input, 3));
    }
    Reply::new("test", parts)
}

/// One channel may claim the memory of a million, see `reply.rs`; a list doubles as it grows.
const POSITIONS: usize = 16 << 20;

#[test]
fn positions_and_fields() {
    let mark = mark_text(WriterMark { writer: WriterId::from_bits(7), epoch: 2 });
    let fields = [
        ("incarnation", "i"),
        ("head_rev", "1"),
        ("confirmed_rev", "2"),
        ("changed_at", "1795455000000000"),
        ("mark", &*mark),
        ("worker", "w"),
        ("lease_until", "1795455000000000"),
        ("tip", "i.7.2.41.digest"),
        ("seal", "done"),
        ("cancel", "1"),
        ("next:states", "3"),
        ("next:12", "99"),
    ];
    let fields: Vec<&str> = fields.iter().flat_map(|(name, value)| [*name, value]).collect();
    let valid = [
        [bytes(&list(&fields)), bytes(&list(&["lines", "3", "0", "7", "12", "18446744073709551615"]))].concat(),
        [bytes(&Value::from("extent")), bytes(&list(&["i"])), bytes(&Value::Integer(7))].concat(),
        ["extent", "i", "5", "9"].iter().flat_map(|text| bytes(&Value::from(*text))).collect(),
    ];
    fuzz::target("", &valid, 8_000, |input| {
        let memory = 256 * input.len() + 65_536;
        let taken = |take: &dyn Fn(Reply)| within(memory + POSITIONS, || take(reply(&mut &*input)));
        taken(&|mut reply| drop(Fields::read(&mut reply)));
        taken(&|reply| drop(read_extent(reply)));
        taken(&|mut reply| drop((reply.number(), reply.time(), reply.seal(), reply.bytes(), reply.optional_nested())));
        taken(&|reply| drop(reply.into_positions()));
        let mut reply = reply(&mut &*input);
        let _ = Fields::read(&mut reply);
        let Ok(positions) = reply.positions() else { return };
        let mut args = Vec::new();
        position_args(&positions, &mut args);
        let back = Reply::new("test", vec![Value::Array(args.split_off(1))]).positions().unwrap();
        assert_eq!(back, positions);
    });
}

#[test]
fn entries() {
    let entry = |id: &str, block: &[u8]| {
        Value::Array(vec![id.into(), Value::Array(vec!["b".into(), Value::Bytes(block.to_vec().into())])])
    };
    let valid = [bytes(&Value::Array(vec![entry("7-0", b"\x01\xff"), entry("4503599627370496-0", b"")]))];
    fuzz::target("", &valid, 8_000, |input| {
        let found = value(&mut &*input, 4);
        let Ok(stored) = within(64 * input.len() + 4_096, || read_entries(found.clone())) else { return };
        let again = stored.iter().map(|stored| entry(&format!("{}-0", stored.end), &stored.block)).collect();
        let again = read_entries(Value::Array(again)).unwrap();
        assert!(stored.iter().zip(&again).all(|(a, b)| a.end == b.end && a.block == b.block));
    });
}

#[test]
fn head() {
    let mut head = RunHead::queued(run(), JobType::Run, Timestamp::EPOCH);
    head.labels.insert("a\"b".to_owned(), "\u{2028}\0".to_owned());
    head.input = Some("{\"k\" : [ 1.50, -0.0 ]}".parse().unwrap());
    let mut args = Vec::new();
    head_args(&head, HeadDocument::newest(), &mut args).unwrap();
    let stored = |args: Vec<Value>| {
        let mut args = args.into_iter();
        let mut part = || {
            let count = args.next().unwrap().into_string().unwrap().parse().unwrap();
            Value::Array(args.by_ref().take(count).collect())
        };
        (0..5).map(|_| part()).collect::<Vec<_>>()
    };
    let valid: Vec<u8> = stored(args).iter().flat_map(bytes).collect();
    fuzz::target("", &[valid], 6_000, |input| {
        let mut reply = reply(&mut &*input);
        let Ok((head, _)) = within(1024 * input.len() + 65_536, || read_head(&mut reply, HeadDocument::VERSION)) else {
            return;
        };
        let written = HeadDocument::write(&head).unwrap();
        let mut args = Vec::new();
        head_args(&head, HeadDocument::newest(), &mut args).unwrap();
        let (again, _) = read_head(&mut Reply::new("test", stored(args)), HeadDocument::VERSION).unwrap();
        assert_eq!(HeadDocument::write(&again).unwrap(), written);
    });
}
