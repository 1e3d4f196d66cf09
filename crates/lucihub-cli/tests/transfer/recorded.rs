//! A run with all that is hard to write: gaps, NaN, infinities, -0.0, odd names, channels of different lengths.

use std::path::Path;

use lucihub_models_core::{Channel, FinalValue, GapCause, JobType, RunHead, RunState, TimeBase, Timestamp};
use lucihub_store::record::End;
use lucihub_store::{Keeper, KeeperOptions, Store, Urls};

pub(crate) const RUN: &str = "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e";
/// The names of its columns. The third has a comma, quotes, a line break and a letter beyond ASCII.
pub(crate) const NAMES: [&str; 4] = ["x", "channel_1", "a, \"b\"\nü", "never"];
pub(crate) const BASE: TimeBase = TimeBase { rate_hz: 10_000.0, origin_s: -0.002 };

/// A sample, of a run with so many; none where it is missing.
pub(crate) fn sample(channel: usize, n: u64, samples: u64) -> Option<f64> {
    let t = u32::try_from(n).unwrap();
    match channel {
        0 if (400..440).contains(&n) || n == samples - 1 => None,
        0 => Some((0.9 * (f64::from(t) / 50.0).sin() * 8_192.0).round() / 8_192.0),
        1 => Some(match n % 8 {
            0 => -0.0,
            1 => f64::from_bits(0x7FF8_0000_0000_0000 | n),
            2 => f64::INFINITY,
            3 => f64::NEG_INFINITY,
            4 => f64::MIN_POSITIVE * (f64::from(t) + 1.0),
            5 => f64::MAX,
            6 => 1.0 / (f64::from(t) + 3.0),
            _ => -f64::from(t),
        }),
        2 if (10..samples / 4 * 3).contains(&n) => Some(f64::from(t) * 1e-9),
        _ => None,
    }
}

pub(crate) fn head() -> RunHead {
    let mut head = RunHead::queued(RUN.parse().unwrap(), JobType::Run, Timestamp::EPOCH);
    head.channels = NAMES.iter().map(|name| Channel::named(*name)).collect();
    head.channels[1] = Channel::default().in_unit("V");
    head.time_base = Some(BASE);
    head
}

/// Makes a database with one archived run.
pub(crate) async fn record(dir: &Path, samples: u64) {
    record_as(dir, head(), samples).await;
}

pub(crate) async fn record_as(dir: &Path, head: RunHead, samples: u64) {
    let url = format!("sqlite:{}", dir.join("lucihub.sqlite").display());
    let store = Store::open(&Urls::new("memory:", url)).await.unwrap();
    store.create(&head).await.unwrap();
    let recorder = store.record(head.id, "worker").await.unwrap();
    recorder.state(RunState::InProgress).await.unwrap();
    for (channel, _) in head.channels.iter().enumerate() {
        let number = u32::try_from(channel).unwrap();
        let mut n = 0;
        while n < samples {
            let values: Vec<f64> = (n..samples).map_while(|n| sample(channel, n, samples)).collect();
            recorder.samples(number, n, &values).await.unwrap();
            n += values.len() as u64;
            let missing = (n..samples).take_while(|n| sample(channel, *n, samples).is_none()).count() as u64;
            n += missing;
            // What never came, and what only ended early.
            if missing > 0 && channel < 2 {
                recorder.gap(number, n, GapCause::Device).await.unwrap();
            }
        }
    }
    let last = vec![FinalValue::new("0/ADC0", 0.25), FinalValue::new("0/ADC1", f64::NAN)];
    recorder.finish(RunState::Succeeded, End::default().with_final_values(last)).await.unwrap();
    let report = Keeper::new(store, KeeperOptions::default()).walk().await.unwrap();
    assert_eq!(report.archived, 1);
}

/// A folder with one.
pub(crate) async fn recorded(samples: u64) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path(), samples).await;
    dir
}
