//! Every format, read back by numpy, pandas and polars.

#[cfg(feature = "export")]
#[tokio::test]
async fn numpy_pandas_and_polars_read_every_format() {
    use std::path::Path;
    use std::process::Command;

    use serde_json::json;

    use super::command::{export, printed, said};
    use super::recorded::{BASE, NAMES, recorded, sample};

    const SAMPLES: u64 = 2_000;
    let Some(python) = std::env::var_os("LUCIHUB_TEST_PYTHON") else {
        panic!(
            "LUCIHUB_TEST_PYTHON names no Python with what requirements.txt lists; \
             `cargo xtask test -- -p lucihub-cli` makes one and runs this test"
        );
    };
    let dir = recorded(SAMPLES).await;
    for format in ["csv", "jsonl", "npz", "json", "arrow", "parquet"] {
        let file = dir.path().join(format!("run.{format}"));
        printed(export(dir.path(), &["--out", file.to_str().unwrap()]));
    }
    let bits = |channel: usize| -> Vec<Option<String>> {
        (0..SAMPLES).map(|n| sample(channel, n, SAMPLES).map(|value| value.to_bits().to_string())).collect()
    };
    let expected = json!({
        "names": NAMES,
        "times": (0..SAMPLES).map(|n| BASE.seconds(n).to_bits()).collect::<Vec<_>>(),
        "bits": (0..NAMES.len()).map(bits).collect::<Vec<_>>(),
    });
    std::fs::write(dir.path().join("expected.json"), expected.to_string()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transfer/read_back.py");
    let output = Command::new(python).arg(script).arg(dir.path()).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let read = String::from_utf8(output.stdout).unwrap();
    assert_eq!(read.lines().count(), 9, "{read}");
}
