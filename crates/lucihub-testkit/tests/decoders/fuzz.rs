//! The targets: no input makes a decoder panic, and what it gives reads back as the same.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use lucihub_models_core::assemble::{Assembled, Assembler, AssemblerOptions, Carrier};
use lucihub_models_core::{
    AnyDevice, AnyRun, AttachmentName, Cursor, DeviceId, DeviceModel, Digest, EnvelopeBuilder, Gap, HeadDocument,
    JsonText, Limits, LogLine, Order, PageCursor, Positions, RunFilter, RunId, RunModel, Series, StoreEvent, Timestamp,
};
use lucihub_testkit::fuzz;
use serde::Serialize;
use serde::de::DeserializeOwned;

const RUN: &str = r#"{"version":"v2","run":{"head":{"id":"0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e","type":"run",
"created_at":"2026-11-23T17:30:00.250000Z","states":[{"state":"queued","at":"2026-11-23T17:30:00.250000Z"},
{"state":"done","at":"2026-11-23T17:30:01Z","reason":"r"}],"device":"lucidac-1","device_type":"lucidac","owner":"ada",
"labels":{"a":"b"},"input_type":"circuit","input":{"ic": -0.0},"output":null,"error":"e","k0":10000,"priority":-1,
"channels":[{"name":"x","carrier":"c","probe":"p","unit":"V"},{"newer":[1,{"a":1.5e300}]}],
"time_base":{"rate_hz":1e5,"origin_s":-0.1},"op_time_ns":18446744073709551615,"ic_time_ns":0,
"phases":[{"phase":"OP","at":"2026-11-23T17:30:00Z","device_ns":7,"carrier":"c"}],
"overloads":[{"element":"/0/m0","at":"2026-11-23T17:30:00Z","sample":9}],
"final_values":[{"element":"/0","value":"7ff8000000000001"},{"element":"/1","value":-0.0}],
"related_to":[{"kind":"sweep","run":"0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e"}],"worker":"w","firmware":"1",
"entity_digest":"d","parameter_schema":"s","grid":{"samples":65536,"lines":1024},"newer":true},
"logs":[{"text":"t\u2028","at":"2026-11-23T17:30:00Z","level":"l","source":"s","cut_from":9,"newer":1}],
"series":[{"first":4,"end":12,"gaps":[{"first":5,"end":7,"cause":"device"},
{"first":9,"end":10,"cause":"cosmic","inferred":true}],"values":[0.5,-0.25,"fff0000000000000",1,2]},
{"end":0,"values":[]}]}}"#;

const OLD_RUN: &str = r#"{"version":"v1","run":{"id":"0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e","type":"verify",
"states":[{"timestamp":"2026-11-23T17:30:00Z","status":"done"}],"logs":["a","b"],"channels":3,
"measurements":[[0.5,-0.0],[1e-300]],"device_id":"lucidac-1","input_type":"circuit","input":[1,2],"output":{}}}"#;

const DEVICE: &str = r#"{"version":"v2","device":{"id":"lucidac-1","type":"lucidac","input_type":"circuit",
"parameter_schema":{"type":"object"},"firmware":"1","entity_digest":"d","seen_at":"2026-11-23T17:30:00Z","newer":[]}}"#;

const OLD_DEVICE: &str = r#"{"version":"v1","device":{"id":"lucidac-1","type":"lucidac","input_type":"circuit",
"parameter_schema":true}}"#;

/// What a document may hold at once: a list of the smallest items that JSON has takes some hundred times its text.
fn of_json<T>(text: &[u8], decode: impl FnOnce() -> T) -> T {
    within(1024 * text.len() as u64 + 65_536, decode)
}

fn within<T>(most: u64, decode: impl FnOnce() -> T) -> T {
    fuzz::within(most, |act| allocation_counter::measure(act).bytes_max, decode)
}

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// A target of a decoder of text.
fn of_texts(kept: &str, valid: &[&str], rounds: u64, check: impl Fn(&str)) {
    fuzz::target(kept, &texts(valid), rounds, |input| check(&String::from_utf8_lossy(input)));
}

#[test]
fn run_document() {
    let kept = include_str!("../../fuzz/run_document.hex");
    of_texts(kept, &[RUN, OLD_RUN], 4_000, |text| {
        let Ok(run) = of_json(text.as_bytes(), || AnyRun::from_json(text)) else { return };
        let written = run.to_json().unwrap();
        assert_eq!(AnyRun::from_json(&written).unwrap().to_json().unwrap(), written);
        // A channel that version 1 only counts is an entry in version 2.
        let new = within(65_536 * 256 + 1024 * text.len() as u64, || run.clone().into_latest());
        ask(&new);
        match &run {
            AnyRun::V1(old) => {
                ask(old);
                assert_eq!((old.id(), old.line_count(), old.state()), (new.id(), new.line_count(), new.state()));
                assert_eq!((old.input(), old.output()), (new.input(), new.output()));
            }
            _ => assert!(new.series.iter().all(Series::is_consistent)),
        }
        for series in &new.series {
            use_series(series);
        }
    });
}

/// Everything that a run of any version answers.
fn ask(run: &dyn RunModel) {
    let _ = (run.id(), run.job_type(), run.device(), run.state(), run.input(), run.output());
    for line in [0, run.line_count(), usize::MAX] {
        let _ = run.line(line);
    }
    for channel in (0..run.channel_count().min(4)).chain([usize::MAX]) {
        for index in (0..20).chain([u64::MAX - 1, u64::MAX]) {
            let _ = run.sample(channel, index);
        }
    }
}

/// What readers do with a series.
fn use_series(series: &Series) {
    let samples = series.segments().map(|(_, values)| values.len()).sum::<usize>();
    assert_eq!(samples, series.values.len());
    let middle = series.first.midpoint(series.end);
    let mut halves = series.slice(0..middle);
    if halves.end == middle {
        halves.append(&series.slice(middle..u64::MAX));
        assert_eq!(halves.values.len(), series.values.len());
    }
    if series.end - series.first < 1 << 20 {
        assert_eq!(series.dense(0.0).len() as u64, series.end - series.first);
        let mut envelope = EnvelopeBuilder::new(series.first / 1_024 * 1_024, 1_024);
        envelope.series(series);
        assert_eq!(envelope.finish().buckets.iter().map(|b| b.count).sum::<u64>(), series.values.len() as u64);
    }
}

#[test]
fn device_document() {
    of_texts("", &[DEVICE, OLD_DEVICE], 4_000, |text| {
        let Ok(device) = of_json(text.as_bytes(), || AnyDevice::from_json(text)) else { return };
        let written = device.to_json().unwrap();
        assert_eq!(AnyDevice::from_json(&written).unwrap(), device);
        let new = device.clone().into_latest();
        if let AnyDevice::V1(old) = &device {
            let both: [&dyn DeviceModel; 2] = [old, &new];
            let [old, new] = both.map(|d| (d.id().clone(), d.device_type().clone(), d.input_type().cloned()));
            assert_eq!(old, new);
        }
    });
}

#[test]
fn head_document() {
    let head = AnyRun::from_json(RUN).unwrap().into_latest().head;
    let valid = HeadDocument::write(&head).unwrap();
    of_texts("", &[&valid], 4_000, |text| {
        let Ok(head) = of_json(text.as_bytes(), || HeadDocument::read(text)) else { return };
        let written = HeadDocument::write(&head).unwrap();
        assert_eq!(HeadDocument::write(&HeadDocument::read(&written).unwrap()).unwrap(), written);
        let _ = (head.state(), head.check(&Limits::default()));
    });
}

#[test]
fn store_event() {
    let event = r#"{"id":"0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e","at":"2026-11-23T17:30:00.000000Z","kind":"restored","by":"w","text":"t\\u2028","newer":{"a":[1,-2.5]}}"#;
    of_texts("", &[event, &format!("[{event},{event}]")], 8_000, |text| {
        if let Ok(event) = of_json(text.as_bytes(), || StoreEvent::from_json(text)) {
            assert_eq!(StoreEvent::from_json(&event.to_json()).as_ref(), Ok(&event));
            let _ = event.check(&Limits::default());
        }
        let Ok(all) = of_json(text.as_bytes(), || StoreEvent::list_from_json(text)) else { return };
        let kept = StoreEvent::merged(Vec::new(), all);
        let written = StoreEvent::list_to_json(&kept);
        assert_eq!(StoreEvent::merged(kept.clone(), StoreEvent::list_from_json(&written).unwrap()), kept);
    });
}

#[test]
fn json_text() {
    let valid = [RUN, "[ 1e3 ,-0.0]\n", "{\"a\":\"\\ud83e\\uddea\\u0000\",\"b\":[[],{}]}", "12345678901234567890123"];
    of_texts("", &valid, 8_000, |text| {
        let Ok(json) = of_json(text.as_bytes(), || JsonText::parse("input", text, &Limits::default())) else { return };
        assert_eq!(json.as_str(), text);
        let written = serde_json::to_string(&[&json]).unwrap();
        let [back]: [JsonText; 1] = serde_json::from_str(&written).unwrap();
        assert_eq!(back.as_str(), text.trim_ascii());
    });
}

#[test]
fn line_and_series() {
    fn stable<T: Serialize + DeserializeOwned + PartialEq + Debug>(text: &str) -> Option<T> {
        let read: T = of_json(text.as_bytes(), || serde_json::from_str(text)).ok()?;
        let written = serde_json::to_string(&read).unwrap();
        assert_eq!(serde_json::from_str::<T>(&written).unwrap(), read);
        Some(read)
    }
    let kept = include_str!("../../fuzz/line_and_series.hex");
    let valid = [
        r#"{"text":"t","at":"2026-11-23T17:30:00Z","level":"l","source":"s","cut_from":9,"newer":{"a":[1,-2.5]}}"#,
        r#"{"first":4,"end":9,"gaps":[{"first":5,"end":7,"cause":"x","inferred":true}],"values":[0.5,"7ff8000000000001",1]}"#,
        r#"{"states":1,"phases":2,"lines":3,"samples":[18446744073709551615,0]}"#,
    ];
    of_texts(kept, &valid, 12_000, |text| {
        let _ = (stable::<Gap>(text), stable::<Positions>(text), stable::<LogLine>(text).map(|line| line.size()));
        if let Some(series) = stable::<Series>(text) {
            assert!(series.is_consistent());
            for index in (0..20).chain([u64::MAX - 1, u64::MAX]) {
                let _ = series.get(index);
            }
            use_series(&series);
        }
    });
}

#[test]
fn cursor() {
    let run = "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e";
    let valid = [&*format!("1.{run}.2.0.40.700x2_650x1"), &format!("1.{run}.0.0.0."), &format!("1.{run}.1.1.1.7x999")];
    of_texts("", &valid, 8_000, |text| {
        // 65,536 channels at most, and a list doubles as it grows.
        let read = within(3 * 8 * 65_536 + 64 * text.len() as u64 + 4_096, || text.parse::<Cursor>());
        let Ok(read) = read else { return };
        assert_eq!(read.to_string().parse::<Cursor>().unwrap(), read);
    });
}

#[test]
fn page_cursor() {
    let id = "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e".parse().unwrap();
    let valid = PageCursor::new(&RunFilter::default().owner("ada"), Order::Oldest, Timestamp::MAX, id).to_string();
    of_texts("", &[&valid, &valid[..66]], 8_000, |text| {
        let bytes: Option<Vec<u8>> =
            (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect();
        // Once as it is, and once with the checksum that belongs to it.
        let sealed = bytes.map(|bytes| {
            let sum = Digest::of(bytes.get(..33).unwrap_or(&bytes)).to_string();
            format!("{}{}", text.get(..66).unwrap_or(text), &sum[..8])
        });
        for text in [Some(text.to_owned()), sealed].into_iter().flatten() {
            if let Ok(read) = within(4_096 + 16 * text.len() as u64, || text.parse::<PageCursor>()) {
                assert_eq!(read.to_string(), text);
            }
        }
    });
}

#[test]
fn small_texts() {
    fn stable<T: FromStr<Err: Debug> + Display + PartialEq + Debug>(text: &str) {
        let read = within(4_096 + 16 * text.len() as u64, || text.parse::<T>());
        if let Ok(read) = read {
            assert_eq!(read.to_string().parse::<T>().unwrap(), read);
        }
    }
    let digest = Digest::of(b"abc").to_string();
    let valid = [
        "2026-11-23T18:30:00.25+01:00",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
        "2016-12-31T23:59:60Z",
        "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e",
        "{0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e}",
        "lucidac-04-e9:e5_1.x",
        &digest,
    ];
    of_texts("", &valid, 20_000, |text| {
        stable::<Timestamp>(text);
        stable::<RunId>(text);
        stable::<DeviceId>(text);
        stable::<AttachmentName>(text);
        stable::<Digest>(text);
    });
}

/// Chunks as a device might send them: number, samples per channel, channels, and whether the run ends there.
#[test]
fn chunks() {
    let honest: Vec<u8> =
        [0_u32, 1, 3, 2, 2, 9, 4, 5].iter().flat_map(|n| [&n.to_le_bytes()[..], &[4, 2]].concat()).collect();
    let far: Vec<u8> =
        [0_u32, 60_000, u32::MAX].iter().flat_map(|n| [&n.to_le_bytes()[..], &[1, 2]].concat()).collect();
    fuzz::target("", &[[&[6, 40][..], &honest].concat(), [&[0, 0][..], &far].concat()], 4_000, |mut input| {
        let window = u32::try_from(fuzz::number(&mut input, 1)).unwrap();
        let expected = fuzz::number(&mut input, 1);
        let options = AssemblerOptions::default().with_window_chunks(window).with_window_values(512);
        let mut assembler = Assembler::new(options);
        assembler.carrier(Carrier::new("c", [0, 1])).unwrap();
        let mut ends = [0; 2];
        while !input.is_empty() {
            let number = u32::try_from(fuzz::number(&mut input, 4)).unwrap();
            let size = usize::try_from(fuzz::number(&mut input, 1)).unwrap();
            let channels = usize::try_from(fuzz::number(&mut input, 1) % 4).unwrap();
            let columns = vec![vec![0.5; size]; channels];
            let told = within(65_536, || assembler.chunk("c", number, &columns));
            hear(told.unwrap_or_default(), &mut ends);
            assert!(assembler.waiting_values() <= 512 + 2 * 255);
        }
        let expected = if expected == 255 { u64::MAX } else { expected << 3 };
        hear(assembler.finish((expected > 0).then_some(expected)).pieces, &mut ends);
        assert!(ends[0] == ends[1] && (expected == 0 || ends[0] >= expected));
    });
}

/// Each piece begins where the one before it ended.
fn hear(pieces: Vec<Assembled>, ends: &mut [u64; 2]) {
    for piece in pieces {
        let (channel, first, end) = match piece {
            Assembled::Samples(block) => (block.channel, block.first, block.end()),
            Assembled::Gap(mark) => (mark.channel, mark.gap.first, mark.gap.end),
        };
        let at = &mut ends[channel as usize];
        assert!(first == *at && end > first);
        *at = end;
    }
}
