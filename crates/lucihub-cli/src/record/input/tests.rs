//! Lines and raw samples, at their limits, cut anywhere, and of any bytes.

use proptest::prelude::*;

use super::*;

fn all(input: &[u8]) -> (Vec<Frame>, Next) {
    let mut frames = Frames::new(input);
    let mut taken = Vec::new();
    loop {
        match frames.next() {
            Next::Frame(number, frame) => {
                taken.push(frame);
                assert_eq!(number, taken.len() as u64);
            }
            last => return (taken, last),
        }
    }
}

fn refused(input: &[u8]) -> Refused {
    match all(input) {
        (_, Next::Refused(refused)) => refused,
        (taken, last) => panic!("{taken:?} {last:?}"),
    }
}

#[test]
fn lines_and_raw_samples_take_turns() {
    let odd =
        [f64::from_bits(0x7ff8_0000_0000_0123), -0.0, f64::INFINITY, 5e-324, f64::from_bits(0x0a0a_0a0a_0a0a_0a0a)];
    let mut input = b"{\"state\":\"inprogress\",\"reason\":\"ready\"}\r\n\n  \n".to_vec();
    input.extend(b"{\"samples\":{\"channel\":1,\"first\":100,\"bytes\":40}}\n");
    odd.iter().for_each(|value| input.extend(value.to_le_bytes()));
    input.extend(b"{\"samples\":{\"channel\":0,\"first\":7,\"values\":[null,1,-0.0,null,null,0.1]}}\n{\"flush\":true}");
    let (taken, last) = all(&input);
    assert!(matches!(last, Next::End(None)), "the last line needs no newline: {last:?}");
    let [Frame::State(change), Frame::Samples(raw), Frame::Samples(text), Frame::Flush] = &taken[..] else {
        panic!("{taken:?}")
    };
    assert_eq!((change.state.as_str(), change.reason.as_deref()), ("inprogress", Some("ready")));
    let [Part::Values(100, values)] = &raw.parts[..] else { panic!("{raw:?}") };
    let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    assert_eq!((raw.channel, bits(values)), (1, bits(&odd)));
    let [Part::Missing(8), Part::Values(8, two), Part::Missing(12), Part::Values(12, one)] = &text.parts[..] else {
        panic!("{text:?}")
    };
    assert_eq!((bits(two), bits(one)), (bits(&[1.0, -0.0]), bits(&[0.1])));
}

#[test]
fn every_frame_is_read() {
    let input = br#"
{"phase":"OP","carrier":"04-E9-E5-00-00-01","device_ns":17,"at":"2026-11-23T18:30:00Z"}
{"log":"line\nwith \u0000","level":"warn","source":"bench","at":"2026-11-23T18:30:00.000001+01:00"}
{"describe":{"channels":[{"name":"x","unit":"V"}],"rate_hz":1e4,"firmware":"1.2","entity_digest":"d","op_time_ns":5}}
{"describe":{"time_base":{"rate_hz":10,"origin_s":0.5}}}
{"gap":{"channel":0,"end":12}}
{"gap":{"channel":0,"end":12,"cause":"overflow"}}
{"overload":{"element":"M0/I3","sample":9}}
{"final":{"element":"M0/I3","value":"7ff8000000000001"}}
{"finish":"failed","output":{"b":1.0, "a":1e2},"error":"broke","reason":"no answer"}"#;
    let (taken, last) = all(input);
    assert!(matches!(last, Next::End(None)) && taken.len() == 9, "{taken:?} {last:?}");
    let Frame::Finish(state, end) = &taken[8] else { panic!("{taken:?}") };
    assert_eq!(state.as_str(), "failed");
    assert_eq!(end.output.as_ref().unwrap().as_str(), r#"{"b":1.0, "a":1e2}"#, "byte for byte");
    assert_eq!((end.error.as_deref(), end.reason.as_deref()), (Some("broke"), Some("no answer")));
    let Frame::Final(value) = &taken[7] else { panic!("{taken:?}") };
    assert_eq!(value.value.to_bits(), 0x7ff8_0000_0000_0001);
    let Frame::Log(line) = &taken[1] else { panic!("{taken:?}") };
    assert_eq!(line.text, "line\nwith \0");
}

#[test]
fn what_is_no_frame_is_refused_with_its_number_and_what_to_do() {
    let cases: [(&str, &str); 22] = [
        ("nonsense", "expected"),
        ("[]", "a frame, which is a JSON object"),
        ("{}", "it has one of the fields state, phase, log"),
        (r#"{"samples":{},"log":"a"}"#, "both samples and log"),
        (r#"{"log":"a","log":"b"}"#, "both log and log"),
        (r#"{"log":"a","levle":"b"}"#, "unknown field `levle`, expected one of"),
        (r#"{"log":1}"#, "expected a string"),
        (r#"{"log":"a","at":"yesterday"}"#, "yesterday"),
        (r#"{"state":"succeeded"}"#, r#"write {"finish":"succeeded"}"#),
        (r#"{"finish":"inprogress"}"#, "ends no run"),
        (r#"{"finish":"succeeded","output":{"a":1,"a":2}}"#, "stands twice"),
        (r#"{"flush":false}"#, "leave the frame out"),
        (r#"{"gap":{"channel":0,"end":5,"cause":"store"}}"#, "device or overflow"),
        (r#"{"describe":{"rate_hz":1,"time_base":{"rate_hz":1}}}"#, "give one of them"),
        (r#"{"samples":{"channel":0,"first":0}}"#, "give values, or the bytes that follow"),
        (r#"{"samples":{"channel":0,"first":0,"values":[],"bytes":8}}"#, "not both"),
        (r#"{"samples":{"channel":0,"first":0,"values":[NaN]}}"#, "expected"),
        (r#"{"samples":{"channel":0,"first":0,"values":[1e400]}}"#, "out of range"),
        (r#"{"samples":{"channel":-1,"first":0,"values":[]}}"#, "-1"),
        (r#"{"samples":{"channel":0,"first":18446744073709551615,"values":[1]}}"#, "past 2^64"),
        (r#"{"samples":{"channel":0,"first":0,"bytes":12}}"#, "a sample is 8 bytes"),
        (r#"{"samples":{"channel":0,"first":0,"bytes":8388616}}"#, "at most 8388608 follow"),
    ];
    for (line, says) in cases {
        let refused = refused(format!("{{\"log\":\"first\"}}\n{line}\n{{\"log\":\"not read\"}}\n").as_bytes());
        assert!(refused.frame == 2 && refused.why.contains(says), "{line}: {refused:?}");
    }
    assert!(refused(b"{\"log\":\"\xff\"}\n").why.contains("not UTF-8"));
    let long = refused(format!("{{\"log\":\"a\",\"{}\":1}}\n", "\u{1b}é".repeat(10_000)).as_bytes());
    assert!(long.why.chars().count() < 500 && !long.why.contains('\u{1b}'), "{}", long.why);
}

#[test]
fn a_line_is_read_up_to_its_limit_and_no_further() {
    let line = |bytes: usize| format!("{{\"log\":\"{}\"}}", "x".repeat(bytes - 10));
    assert!(matches!(all(line(LINE).as_bytes()), (taken, Next::End(None)) if taken.len() == 1));
    assert!(refused(line(LINE + 1).as_bytes()).why.contains("of more than 2097152 bytes"));
    // A source that never ends: nothing past the limit is asked for.
    let mut frames = Frames::new(BufReader::new(io::repeat(b'{')));
    assert!(matches!(frames.next(), Next::Refused(Refused { frame: 1, .. })));
    assert!(frames.line.capacity() <= 2 * (LINE + 1));
}

#[test]
fn raw_samples_of_the_limit_are_read() {
    let mut input = format!("{{\"samples\":{{\"channel\":0,\"first\":0,\"bytes\":{RAW}}}}}\n").into_bytes();
    input.resize(input.len() + usize::try_from(RAW).unwrap(), 1);
    let (taken, last) = all(&input);
    assert!(matches!((&taken[..], last), ([Frame::Samples(_)], Next::End(None))));
}

/// A few frames, among them raw samples that look like lines.
fn session() -> Vec<u8> {
    let mut input = b"{\"log\":\"\xc3\xa4\"}\n{\"samples\":{\"channel\":0,\"first\":0,\"bytes\":16}}\n".to_vec();
    input.extend(b"\n\n{\"log\":\"x\"}\n\n\n");
    input.extend(b"{\"finish\":\"succeeded\"}\n");
    input
}

#[test]
fn input_that_ends_anywhere_gives_whole_frames_alone() {
    let input = session();
    let (whole, _) = all(&input);
    assert_eq!(whole.len(), 3);
    for end in 0..input.len() {
        let (taken, last) = all(&input[..end]);
        assert!(matches!(last, Next::End(_)), "{end}: {last:?}");
        assert_eq!(format!("{:?}", Shown(&taken)), format!("{:?}", Shown(&whole[..taken.len()])), "{end}");
    }
}

/// Frames without the times at which they were read.
struct Shown<'a>(&'a [Frame]);

impl std::fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |frame: &Frame| match frame {
            Frame::Log(line) => format!("{:?}", line.text),
            other => format!("{other:?}"),
        };
        f.debug_list().entries(self.0.iter().map(shown)).finish()
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_harm(input in proptest::collection::vec(any::<u8>(), 0..4_000)) {
        all(&input);
    }

    #[test]
    fn a_session_with_flipped_bytes_is_read_without_harm(
        flips in proptest::collection::vec((0_usize..200, any::<u8>()), 0..8), from in 0_usize..40
    ) {
        let mut input = session();
        for (at, byte) in flips {
            let at = at % input.len();
            input[at] = byte;
        }
        all(&input[from..]);
    }

    #[test]
    fn json_of_any_shape_is_a_frame_or_refused(
        kind in proptest::sample::select(&["state", "phase", "log", "describe", "samples", "gap", "overload", "final",
            "flush", "finish", "output", ""][..]),
        value in "(null|true|0|-1|1e9|\"[a-z]{0,9}\"|[{][}]|\\[[0-9,]{0,9}\\]|[{]\"channel\":[0-9]{1,3},\"first\":[0-9]{1,25}(,\"bytes\":[0-9]{1,20})?[}])"
    ) {
        all(format!("{{\"{kind}\":{value}}}\n").as_bytes());
    }

    #[test]
    fn samples_keep_every_bit(bits in proptest::collection::vec(any::<u64>(), 0..200), first in any::<u32>()) {
        let mut input = format!("{{\"samples\":{{\"channel\":3,\"first\":{first},\"bytes\":{}}}}}\n", 8 * bits.len()).into_bytes();
        bits.iter().for_each(|bits| input.extend(bits.to_le_bytes()));
        let (taken, _) = all(&input);
        let [Frame::Samples(samples)] = &taken[..] else { panic!("{taken:?}") };
        let read: Vec<u64> = samples.parts.iter().flat_map(|part| match part {
            Part::Values(_, values) => values.iter().map(|value| value.to_bits()).collect::<Vec<_>>(),
            Part::Missing(_) => panic!("{samples:?}"),
        }).collect();
        prop_assert_eq!(read, bits);
    }
}
