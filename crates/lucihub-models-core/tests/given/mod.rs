//! What the property tests are given: rare floats, hostile texts, runs with all of their parts.

use lucihub_models_core::{
    Channel, FinalValue, Gap, GapCause, JobType, JsonText, LogLine, Overload, Phase, PhaseChange, Relation,
    RelationKind, Run, RunHead, RunId, RunState, Series, StateChange, TimeBase, Timestamp,
};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

/// Fewer cases where one is large.
pub(crate) fn cases(count: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(count) }
}

pub(crate) fn floats() -> impl Strategy<Value = f64> + Clone {
    let nan = (any::<bool>(), 1_u64..1 << 52)
        .prop_map(|(minus, payload)| f64::from_bits(u64::from(minus) << 63 | 0x7ff << 52 | payload));
    let special =
        prop::sample::select(vec![0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE, 5e-324, f64::MAX]);
    prop_oneof![2 => nan, 2 => special, 3 => any::<u64>().prop_map(f64::from_bits), 2 => -1.25..1.25]
}

pub(crate) fn texts() -> impl Strategy<Value = String> + Clone {
    let trouble = prop::sample::select(vec!['\n', '\0', '\u{2028}', '"', '\\', '{', '\u{1f9ea}', '\u{feff}', '.']);
    vec(prop_oneof![trouble, any::<char>()], 0..12).prop_map(String::from_iter)
}

pub(crate) fn times() -> impl Strategy<Value = Timestamp> + Clone {
    let (min, max) = (Timestamp::MIN.as_micros(), Timestamp::MAX.as_micros());
    prop_oneof![Just(min), Just(max), -2_i64..2, min..=max]
        .prop_map(|micros| Timestamp::from_micros(micros).unwrap_or(Timestamp::EPOCH))
}

pub(crate) fn run_ids() -> impl Strategy<Value = RunId> + Clone {
    any::<u128>().prop_map(|bits| RunId::from_uuid(uuid::Uuid::from_u128(bits)))
}

pub(crate) fn causes() -> impl Strategy<Value = GapCause> + Clone {
    prop_oneof![Just(GapCause::Device), Just(GapCause::Overflow), texts().prop_map(|word| GapCause::from(&*word))]
}

/// A consistent series with gaps.
pub(crate) fn series() -> impl Strategy<Value = Series> {
    let part = prop_oneof![vec(floats(), 1..20).prop_map(Ok), (1_u64..30, causes(), any::<bool>()).prop_map(Err),];
    (0_u64..5_000, vec(part, 0..12)).prop_map(|(first, parts)| {
        let mut series = Series::starting_at(first);
        for part in parts {
            match part {
                Ok(values) => series.push_values(&values),
                Err((length, cause, inferred)) => {
                    let gap = Gap::new(series.end..series.end + length, cause);
                    series.push_gap(if inferred { gap.inferred() } else { gap });
                }
            }
        }
        series
    })
}

pub(crate) fn lines() -> impl Strategy<Value = LogLine> + Clone {
    (texts(), option::of(times()), option::of(texts()), option::of(any::<u64>())).prop_map(
        |(text, at, level, cut_from)| {
            let mut line = LogLine::from(text);
            (line.at, line.level, line.cut_from) = (at, level, cut_from);
            line
        },
    )
}

fn states() -> impl Strategy<Value = StateChange> {
    let word = prop_oneof![Just(RunState::InProgress), texts().prop_map(|word| RunState::from(&*word))];
    (word, times(), option::of(texts())).prop_map(|(state, at, reason)| {
        let mut change = StateChange::new(state, at);
        change.reason = reason;
        change
    })
}

/// Documents as the strict reader takes them.
fn documents() -> impl Strategy<Value = JsonText> + Clone {
    prop::sample::select(vec![
        "{}",
        "-0.0",
        "[1e3, 1.0e+3,\t0.1]",
        "{ \"a\" : \"\\u0000\\u2028\" }",
        "123456789012345678901234567890",
    ])
    .prop_map(JsonText::from_stored)
}

prop_compose! {
    pub(crate) fn heads()(
        id in run_ids(),
        word in texts(),
        at in times(),
        changes in vec(states(), 0..4),
        labels in btree_map(texts(), texts(), 0..3),
        (input, output) in (option::of(documents()), option::of(documents())),
        channels in vec(texts(), 0..3),
        rate in option::of(1e-300_f64..1e300),
        numbers in (option::of(any::<u64>()), option::of(any::<u32>()), option::of(any::<i32>())),
        finals in vec((texts(), floats()), 0..3),
        phases in vec((texts(), times(), any::<u64>()), 0..3),
    ) -> RunHead {
        let mut head = RunHead::queued(id, JobType::from(&*word), at);
        head.states.extend(changes);
        head.owner = Some(word.clone());
        head.labels = labels;
        (head.input, head.output) = (input, output);
        head.channels = channels.into_iter().map(Channel::named).collect();
        head.time_base = rate.map(TimeBase::from_rate);
        (head.op_time_ns, head.k0, head.priority) = numbers;
        head.final_values = finals.into_iter().map(|(element, value)| FinalValue::new(element, value)).collect();
        head.phases = phases
            .iter()
            .map(|(phase, at, ns)| PhaseChange::new(Phase::from(&**phase), *at).at_device_ns(*ns))
            .collect();
        head.overloads = phases.into_iter().map(|(element, at, n)| Overload::new(element, at).at_sample(n)).collect();
        head.related_to = vec![Relation::new(RelationKind::from(&*word), id)];
        head
    }
}

prop_compose! {
    pub(crate) fn runs()(head in heads(), logs in vec(lines(), 0..5), series in vec(series(), 0..3)) -> Run {
        Run { head, logs, series, extra: lucihub_models_core::Extra::default() }
    }
}
