//! Mistakes: one clear line, the right exit code, and nothing secret.

use std::io::Read;
use std::process::Stdio;

use crate::verbs::golden::lucihub;

/// What a command said that failed with this code, and that it is one line without a backtrace.
fn said(args: &[&str], code: i32, set: &[(&str, &str)]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let up = lucihub(&["migrate", "up", "--dir"]).arg(dir.path()).output().unwrap();
    assert!(up.status.success());
    let mut command = lucihub(args);
    if !set.iter().any(|(name, _)| *name == "DATABASE_URL") {
        command.arg("--dir").arg(dir.path());
    }
    let output = command.envs(set.iter().copied()).env("RUST_BACKTRACE", "1").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
    assert!(output.stdout.is_empty() && !said.contains("panicked") && !said.contains("s3cret"), "{args:?}: {said}");
    said
}

/// What is typed, the exit code, the variables that are set, and what is said.
type Case<'a> = (&'a [&'a str], i32, &'a [(&'a str, &'a str)], &'a str);

#[test]
fn each_mistake_is_one_line_with_its_exit_code() {
    const ID: &str = "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e";
    let cases: [Case<'_>; 10] = [
        (&["runs", "show", ID], 1, &[], "run 0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e does not exist"),
        (&["runs", "why", "0198c1"], 1, &[], "a run that begins with 0198c1 does not exist"),
        (&["runs", "create"], 1, &[], "needs a Redis server that processes share"),
        (&["runs", "cancel", ID], 1, &[], "needs a Redis server"),
        (&["devices", "active"], 1, &[], "needs a Redis server"),
        (&["devices", "set", "x"], 1, &[], "nothing to change; give --input-type or --schema"),
        (&["devices", "set", "x", "--input-type", "circuit"], 1, &[], "device x does not exist"),
        (&["devices", "schema", "x"], 1, &[], "device x does not exist"),
        (&["runs", "list"], 1, &[("REDIS_URL_FILE", "/nowhere")], "cannot read /nowhere"),
        (&["runs", "list"], 3, &[("DATABASE_URL", "postgres://ada:s3cret@127.0.0.1:1/x")], "127.0.0.1:1"),
    ];
    for (args, code, set, words) in cases {
        let said = said(args, code, set);
        assert!(said.starts_with("lucihub: ") && said.lines().count() == 1 && said.contains(words), "{said}");
    }
    // What is typed wrong is told with the usage.
    for (args, words) in [
        (&["runs", "show", "latest"][..], "does not begin a UUID"),
        (&["runs", "show", "019"], "is too short"),
        (&["runs", "search", "ownr=ada"], "\"ownr\" is no field; use owner"),
        (&["runs", "list", "-o", "xml"], "possible values: table, json, jsonl, csv, ids"),
        (&["runs", "list", "--since", "6h", "--from", "2026-01-01T00:00:00Z"], "cannot be used with"),
        (&["runs", "label", "0198c1f0", "a"], "NAME=VALUE to set one"),
    ] {
        assert!(said(args, 1, &[]).contains(words), "{args:?}");
    }
}

#[test]
fn a_reader_that_leaves_is_no_mistake() {
    let mut child = lucihub(&["completions", "bash"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), &*said), (Some(0), ""));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_under_the_output_is_said() {
    for args in [&["completions", "bash"][..], &["config", "show", "-o", "csv"], &["config", "show", "--json"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let output = lucihub(args).stdout(full).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.starts_with("lucihub: cannot write the output: No space left"), "{args:?}: {said}");
    }
}

#[test]
fn settings_are_shown_with_where_they_come_from_and_without_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("redis");
    std::fs::write(&file, "redis://ada:s3cret@host:7\n").unwrap();
    let toml = dir.path().join("lab.toml");
    std::fs::write(&toml, "key_prefix = 'lab'\ndatabase_url = 'postgres://ada:s3cret@db/hub'\n").unwrap();
    let mut command = lucihub(&["config", "show", "--json", "--redis-ca-file", "/ca.pem"]);
    command.env("REDIS_URL_FILE", &file).env("LUCIHUB_CONFIG", &toml).env("LUCIHUB_WRITE_VERSION", "v2");
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && !text.contains("s3cret"), "{text}");
    let settings: Vec<serde_json::Value> = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let found: Vec<(&str, &str, String)> = settings
        .iter()
        .map(|s| (s["setting"].as_str().unwrap(), s["value"].as_str().unwrap(), s["from"].as_str().unwrap().to_owned()))
        .collect();
    let from_toml = toml.display().to_string();
    assert_eq!(
        found,
        [
            ("database_url", "PostgreSQL at db:5432, database hub", from_toml.clone()),
            ("redis_url", "redis://host:7", format!("{}, which REDIS_URL_FILE names", file.display())),
            ("redis_ca_file", "/ca.pem", "--redis-ca-file".to_owned()),
            ("key_prefix", "lab", from_toml),
            ("write_version", "v2", "LUCIHUB_WRITE_VERSION".to_owned()),
        ]
    );
}
