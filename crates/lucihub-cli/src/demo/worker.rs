//! The demo's worker: what runs beside a device.

use std::time::Duration;

use indicatif::{BinaryBytes, ProgressBar};
use lucihub_models_core::{Channel, FinalValue, LogLine, Phase, PhaseChange, RunHead, RunId, RunState, TimeBase};
use lucihub_store::record::End;
use lucihub_store::{RecordOptions, Recorder, Store};

use super::lorenz::{CHANNELS, CHUNK, K0, NAMES, RATE_HZ, Signals};
use crate::args::DemoArgs;
use crate::failure::Failure;
use crate::{outage, output};

const CARRIER: &str = "04-E9-E5-DE-40-01";
const IC_TIME_NS: u64 = 100_000;

/// What the API knows of the run when it creates it.
pub(super) fn describe(head: &mut RunHead, samples: u64) {
    let channel = |(n, name): (usize, &&str)| Channel::named(*name).on(CARRIER, format!("ADC{n}"));
    head.channels = NAMES.iter().enumerate().map(channel).collect();
    head.time_base = Some(TimeBase::from_rate(f64::from(RATE_HZ)));
    head.op_time_ns = Some(op_time_ns(samples));
    head.ic_time_ns = Some(IC_TIME_NS);
    head.k0 = Some(K0);
}

fn op_time_ns(samples: u64) -> u64 {
    samples * 1_000_000_000 / u64::from(RATE_HZ)
}

/// Takes the run over, records it to its end, and says how it ended. Meanwhile it says when the server is away.
pub(super) async fn work(
    store: &Store,
    run: RunId,
    signals: &Signals,
    args: &DemoArgs,
    bar: &ProgressBar,
) -> Result<RunState, Failure> {
    let recorder = store.record(run, "demo-worker").await?;
    let recording = record(store, &recorder, signals, args.fast);
    let Some(server) = args.place.hot.server() else { return recording.await };
    let kept = || {
        let (bytes, most) = (recorder.stats().waiting_bytes as u64, RecordOptions::default().queue_bytes as u64);
        let (bytes, most) = (BinaryBytes(bytes), BinaryBytes(most));
        format!("what is recorded is kept here, {bytes} so far, and from {most} on the device waits")
    };
    let watching = outage::watch(store, &server, kept, |text| bar.suspend(|| output::say(text)));
    tokio::select! {
        recorded = recording => recorded,
        never = watching => match never {},
    }
}

async fn record(store: &Store, recorder: &Recorder, signals: &Signals, fast: bool) -> Result<RunState, Failure> {
    recorder.state(RunState::InProgress).await?;
    say(store, recorder, "info", "circuit accepted, 1 carrier, 8 ADC channels".to_owned()).await?;
    phase(store, recorder, Phase::Ic, 0).await?;
    phase(store, recorder, Phase::Op, IC_TIME_NS).await?;
    say(store, recorder, "info", format!("sampling at {RATE_HZ} Hz per channel")).await?;

    let op = tokio::time::Instant::now();
    let chunks = signals.samples().div_ceil(CHUNK);
    for number in 0..chunks {
        if recorder.cancel_requested() {
            say(store, recorder, "warn", format!("told to stop at chunk {number}")).await?;
            recorder.finish(RunState::Cancelled, End::default().because("asked for")).await?;
            return Ok(RunState::Cancelled);
        }
        let range = number * CHUNK..((number + 1) * CHUNK).min(signals.samples());
        if !fast {
            // A chunk arrives when its last sample was taken.
            tokio::time::sleep_until(op + Duration::from_nanos(op_time_ns(range.end))).await;
        }
        if range == signals.lost() {
            continue;
        }
        for channel in 0..CHANNELS {
            let values = signals.values(channel, range.clone());
            let channel = u32::try_from(channel).unwrap_or(u32::MAX);
            recorder.samples(channel, range.start, values).await?;
        }
        if (number + 1) % 25 == 0 {
            say(store, recorder, "debug", format!("chunk {} of {chunks}", number + 1)).await?;
        }
    }
    phase(store, recorder, Phase::OpEnd, IC_TIME_NS + op_time_ns(signals.samples())).await?;
    let lost = signals.lost();
    say(store, recorder, "warn", format!("1 chunk never came: samples {} to {}", lost.start, lost.end - 1)).await?;
    let last = |n: usize| FinalValue::new(format!("{CARRIER}/ADC{n}"), signals.last(n));
    recorder.finish(RunState::Succeeded, End::default().with_final_values((0..CHANNELS).map(last).collect())).await?;
    Ok(RunState::Succeeded)
}

async fn say(store: &Store, recorder: &Recorder, level: &str, text: String) -> Result<(), Failure> {
    Ok(recorder.line(LogLine::new(store.now(), text).level(level).source("demo-worker")).await?)
}

async fn phase(store: &Store, recorder: &Recorder, phase: Phase, device_ns: u64) -> Result<(), Failure> {
    Ok(recorder.phase(PhaseChange::new(phase, store.now()).at_device_ns(device_ns).on(CARRIER)).await?)
}
