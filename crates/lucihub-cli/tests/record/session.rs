//! Every kind of frame, and what becomes of it.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use lucihub_models_core::{Gap, GapCause, RunState};
use serde_json::{Value, json};

use crate::record::lab::{Lab, bits};

#[test]
fn what_a_worker_says_is_stored_bit_for_bit() {
    let lab = Lab::new();
    let run = lab.queue("lucidac-1");
    let mut worker = lab.record(run, &[]);
    let taken = worker.hears("taken");
    assert_eq!((&taken["run"], &taken["worker"]), (&json!(run.to_string()), &json!("bench")));
    assert_eq!(taken["next"], json!({"states": 1, "phases": 0, "lines": 0, "samples": [0, 0]}));
    assert_eq!((&taken["head"]["input"], &taken["version"]), (&json!({"circuit": [1e3]}), &json!("v2")));
    assert_eq!(taken["head"]["channels"][1]["name"], "y");

    worker.says(r#"{"state":"inprogress","reason":"circuit accepted"}"#);
    worker.says(r#"{"describe":{"channels":[{"name":"x"},{"name":"y"},{"name":"z","unit":"V"}],"rate_hz":1e5,"firmware":"1.4"}}"#);
    worker.says(r#"{"phase":"OP","carrier":"04-E9-E5-00-00-01","device_ns":1200}"#);
    worker.says(r#"{"log":"one\nline","level":"info","source":"bench"}"#);
    let odd = [
        f64::from_bits(0x7ff8_0000_0000_0123),
        -0.0,
        f64::NEG_INFINITY,
        5e-324,
        0.1,
        f64::from_bits(0xfff0_0000_0000_0001),
    ];
    worker.measures(0, 0, &odd);
    worker.says(r#"{"samples":{"channel":1,"first":0,"values":[0.1,null,null,-0.0]}}"#);
    worker.says(r#"{"gap":{"channel":2,"end":5,"cause":"overflow"}}"#);
    worker.says(r#"{"overload":{"element":"M0/I3","sample":4}}"#);
    worker.says(r#"{"flush":true}"#);
    let at = json!({"states": 2, "phases": 1, "lines": 1, "samples": [6, 4, 5]});
    while worker.hears("applied") != at {}
    lab.checkpoint();
    worker.says(r#"{"log":"still there"}"#);
    let is_safe = |confirmed: Value| confirmed["samples"] == at["samples"] && confirmed["lines"] == 1;
    while !is_safe(worker.hears("confirmed")) {}

    // Late: dropped, and told.
    worker.measures(0, 2, &[9.0, 9.0]);
    let late = worker.hears("error");
    assert_eq!((&late["frame"], &late["fatal"]), (&json!(11), &json!(false)), "{late}");
    assert!(late["message"].as_str().unwrap().starts_with("channel 0: samples from index 2 came after"), "{late}");

    worker.says(r#"{"final":{"element":"M0/I3","value":0.25}}"#);
    worker.says(r#"{"finish":"succeeded","output":{"b": 1.0,"a":[]},"reason":"all taken"}"#);
    assert_eq!(worker.hears("ended"), json!({"state": "succeeded"}));
    let (rest, said) = worker.has_ended_with(0);
    assert!(rest.is_empty() && said.starts_with(&format!("recording run {run} as bench\n")), "{rest:?} {said}");

    let stored = lab.archived(run);
    let head = &stored.head;
    assert_eq!((head.state(), head.worker.as_deref()), (&RunState::Succeeded, Some("bench")));
    let reasons: Vec<_> = head.states.iter().map(|change| change.reason.as_deref()).collect();
    assert_eq!(reasons, [None, Some("circuit accepted"), Some("all taken")]);
    assert_eq!((head.channels.len(), head.time_base.unwrap().rate_hz.to_bits()), (3, 1e5_f64.to_bits()));
    assert_eq!((head.firmware.as_deref(), head.phases[0].device_ns), (Some("1.4"), Some(1200)));
    assert_eq!((head.overloads[0].sample, head.final_values[0].value.to_bits()), (Some(4), 0.25_f64.to_bits()));
    assert_eq!(head.output.as_ref().unwrap().as_str(), r#"{"b": 1.0,"a":[]}"#);
    let lines: Vec<_> = stored.logs.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(lines, ["one\nline", "still there"]);
    assert_eq!(bits(&stored.series[0].values), bits(&odd));
    assert_eq!(bits(&stored.series[1].values), bits(&[0.1, -0.0]));
    assert_eq!(stored.series[1].gaps, [Gap::new(1..3, GapCause::Device)]);
    assert_eq!(stored.series[2].gaps, [Gap::new(0..5, GapCause::Overflow)]);
}

#[test]
fn a_worker_is_read_no_faster_than_the_server_takes_it() {
    const FRAME: usize = 8_192;
    const FRAMES: usize = 512;
    let lab = Lab::new();
    let run = lab.queue("lucidac-1");
    let mut worker = lab.record(run, &[]);
    worker.hears("taken");
    worker.says(r#"{"state":"inprogress"}"#);
    lab.server.stop();
    let (mut pipe, written) = (worker.input(), Arc::new(AtomicUsize::new(0)));
    let count = written.clone();
    let filling = std::thread::spawn(move || {
        let values = vec![0_u8; 8 * FRAME];
        for n in 0..FRAMES {
            let line =
                format!("{{\"samples\":{{\"channel\":0,\"first\":{},\"bytes\":{}}}}}\n", n * FRAME, values.len());
            pipe.write_all(line.as_bytes()).unwrap();
            pipe.write_all(&values).unwrap();
            count.fetch_add(values.len(), Ordering::SeqCst);
        }
        pipe.write_all(b"{\"finish\":\"succeeded\"}\n").unwrap();
        pipe
    });
    // It stands still once the recorder is full, long before all of it is there.
    let (mut last, mut since) = (0, Instant::now());
    while since.elapsed() < Duration::from_secs(2) {
        std::thread::sleep(Duration::from_millis(50));
        let now = written.load(Ordering::SeqCst);
        if now != last {
            (last, since) = (now, Instant::now());
        }
    }
    assert!(last < 16 << 20, "{last} bytes were read while nothing was taken");
    lab.server.cont();
    assert_eq!(worker.hears("ended"), json!({"state": "succeeded"}));
    drop(filling.join().unwrap());
    worker.has_ended_with(0);
    let series = &lab.archived(run).series[0];
    assert_eq!((series.values.len(), series.gaps.len()), (FRAME * FRAMES, 0));
}
