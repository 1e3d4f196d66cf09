//! Text formats, windows, and files that are there whole or not at all.

use super::command::{export, files, printed, refused, runs, said, text};
use super::recorded::{BASE, RUN, head, record_as, recorded, sample};

#[tokio::test]
async fn csv_is_as_it_was_looked_at() {
    let dir = recorded(1_000).await;
    let csv = text(export(dir.path(), &["--format", "csv", "--from", "398", "--to", "402"]));
    let header = "index,time_s,x,channel_1,\"a, \"\"b\"\"\nü\",never,\
                  x_missing,channel_1_missing,\"a, \"\"b\"\"\nü_missing\",never_missing\n";
    let rows = "\
398,0.0378,0.8948974609375,0.0024937655860349127,3.9800000000000004e-7,NaN,false,false,false,true
399,0.037899999999999996,0.892822265625,-399.0,3.99e-7,NaN,false,false,false,true
400,0.038,NaN,-0.0,4.0000000000000003e-7,NaN,true,false,false,true
401,0.038099999999999995,NaN,NaN,4.01e-7,NaN,true,false,false,true
";
    assert_eq!(csv, format!("{header}{rows}"));
    let some =
        text(export(dir.path(), &["--format", "csv", "--channels", "never,0", "--from", "-2ms", "--to", "-1.9ms"]));
    assert_eq!(some, "index,time_s,never,x,never_missing,x_missing\n0,-0.002,NaN,0.0,true,false\n");
}

#[tokio::test]
async fn json_lines_flag_what_json_has_no_number_for() {
    let dir = recorded(1_000).await;
    let lines = text(export(dir.path(), &["--format", "jsonl", "--channels", "0,1", "--from", "398", "--to", "404"]));
    let rows = r#"
{"index":398,"time_s":0.0378,"x":0.8948974609375,"channel_1":0.0024937655860349127,"x_flag":"ok","channel_1_flag":"ok"}
{"index":399,"time_s":0.037899999999999996,"x":0.892822265625,"channel_1":-399.0,"x_flag":"ok","channel_1_flag":"ok"}
{"index":400,"time_s":0.038,"x":null,"channel_1":-0.0,"x_flag":"missing","channel_1_flag":"ok"}
{"index":401,"time_s":0.038099999999999995,"x":null,"channel_1":null,"x_flag":"missing","channel_1_flag":"nan"}
{"index":402,"time_s":0.0382,"x":null,"channel_1":null,"x_flag":"missing","channel_1_flag":"inf"}
{"index":403,"time_s":0.0383,"x":null,"channel_1":null,"x_flag":"missing","channel_1_flag":"-inf"}
"#;
    assert_eq!(lines, rows[1..]);
    let odd = text(export(dir.path(), &["--format", "jsonl", "--channels", "2", "--to", "1"]));
    let name = r#""a, \"b\"\nü"#;
    assert_eq!(odd, format!("{{\"index\":0,\"time_s\":-0.002,{name}\":null,{name}_flag\":\"missing\"}}\n"));
}

#[tokio::test]
async fn the_document_is_what_clients_of_the_hub_read() {
    let dir = recorded(1_000).await;
    let document: serde_json::Value =
        serde_json::from_slice(&printed(export(dir.path(), &["--format", "json"]))).unwrap();
    let lists = document["measurements"].as_array().unwrap();
    assert_eq!((lists.len(), &document["run"], &document["state"]), (4, &RUN.into(), &"succeeded".into()));
    assert_eq!(
        (document["rate_hz"].as_f64(), document["origin_s"].as_f64()),
        (Some(BASE.rate_hz), Some(BASE.origin_s))
    );
    assert_eq!((document["first"].as_u64(), document["end"].as_u64()), (Some(0), Some(1_000)));
    assert_eq!(
        document["channels"][1],
        serde_json::json!({
            "channel": 1, "name": "channel_1", "unit": "V", "carrier": null, "probe": null
        })
    );
    assert_eq!(
        document["final_values"],
        serde_json::json!([
            { "element": "0/ADC0", "value": 0.25, "is": "ok" }, { "element": "0/ADC1", "value": null, "is": "nan" }
        ])
    );
    for (channel, list) in lists.iter().enumerate() {
        let list = list.as_array().unwrap();
        assert_eq!(list.len(), 1_000);
        let mut is = vec!["ok"; 1_000];
        for flag in document["flags"][channel].as_array().unwrap() {
            let [first, end] = ["first", "end"].map(|edge| usize::try_from(flag[edge].as_u64().unwrap()).unwrap());
            is[first..end].fill(flag["is"].as_str().unwrap());
        }
        for (n, (value, is)) in (0..).zip(list.iter().zip(is)) {
            let (wanted, word) = match sample(channel, n, 1_000) {
                None => (None, "missing"),
                Some(nan) if nan.is_nan() => (None, "nan"),
                Some(f64::INFINITY) => (None, "inf"),
                Some(f64::NEG_INFINITY) => (None, "-inf"),
                Some(value) => (Some(value.to_bits()), "ok"),
            };
            assert_eq!((value.as_f64().map(f64::to_bits), is), (wanted, word), "channel {channel}, sample {n}");
        }
    }
}

#[tokio::test]
async fn a_run_without_time_or_samples_has_a_header() {
    let dir = tempfile::tempdir().unwrap();
    let mut head = head();
    head.time_base = None;
    record_as(dir.path(), head, 0).await;
    let csv = text(export(dir.path(), &["--format", "csv", "--channels", "0,3"]));
    assert_eq!(csv, "index,x,never,x_missing,never_missing\n");
    assert_eq!(text(export(dir.path(), &["--format", "jsonl"])), "");
    let said = refused(&export(dir.path(), &["--format", "csv", "--from", "5"]));
    assert!(said.contains("no samples were recorded"), "{said}");
}

#[tokio::test]
async fn a_file_is_replaced_by_force_alone_and_whole() {
    let dir = recorded(1_000).await;
    let file = dir.path().join("run.csv");
    let out = ["--out", file.to_str().unwrap()];
    let first = export(dir.path(), &out);
    assert!(first.status.success() && first.stdout.is_empty(), "{}", said(&first));
    assert!(said(&first).contains("run.csv, 1,000 sample indices of channels: 4"), "{}", said(&first));
    let whole = std::fs::read(&file).unwrap();
    assert_eq!(whole, printed(export(dir.path(), &["--format", "csv"])));

    let again = refused(&export(dir.path(), &out));
    assert!(again.contains("run.csv") && again.contains("--force"), "{again}");
    std::fs::write(&file, "before").unwrap();
    printed(export(dir.path(), &[&out[..], &["--force"]].concat()));
    assert_eq!(std::fs::read(&file).unwrap(), whole);
    assert_eq!(files(dir.path()), ["run.csv"]);

    let nowhere = dir.path().join("no/such.csv");
    let said = refused(&export(dir.path(), &["--out", nowhere.to_str().unwrap()]));
    assert!(said.contains("such.csv: there is no such folder"), "{said}");
    for (place, why) in [("/dev/null", "it is no file"), (dir.path().to_str().unwrap(), "it is a folder")] {
        let said = refused(&export(dir.path(), &["--format", "csv", "--force", "--out", place]));
        assert!(said.contains(why), "{said}");
    }
}

#[tokio::test]
async fn what_cannot_be_exported_is_said() {
    let dir = recorded(1_000).await;
    for (args, why) in [
        (&[][..], "give --format csv"),
        (&["--out", "run.txt"], "run.txt says no format"),
        (&["--format", "xlsx"], "invalid value 'xlsx'"),
        (&["--format", "csv", "--channels", "9"], "no channel 9; it has 0 to 3"),
        (&["--format", "csv", "--channels", "y"], "no channel named \"y\""),
        (&["--format", "csv", "--from", "1000"], "nothing was recorded from sample 1000 on"),
        (&["--format", "csv", "--from", "soon"], "neither a sample nor a time"),
    ] {
        let said = refused(&export(dir.path(), args));
        assert!(said.contains(why), "{args:?}: {said}");
    }
}

#[tokio::test]
async fn nobody_who_reads_on_is_no_failure() {
    let dir = recorded(66_000).await;
    for format in ["csv", "jsonl", "json", "npz"] {
        let mut child = runs(dir.path(), &["export", RUN, "--format", format])
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{format}: {}", said(&output));
    }
}
