//! Plain files, and files that are refused.

use super::command::{files, printed, refused, runs, said, text};
use super::round_trip::import;

fn again(dir: &std::path::Path, run: &str) -> String {
    text(runs(dir, &["export", run.trim(), "--format", "csv"]).output().unwrap())
}

#[test]
fn a_plain_file_needs_a_header_and_numbers() {
    let dir = tempfile::tempdir().unwrap();
    for (args, file, expected) in [
        (
            &[][..],
            "x,y\n1,2\n-3e2,\n",
            "index,x,y,x_missing,y_missing\n0,1.0,2.0,false,false\n1,-300.0,NaN,false,true\n",
        ),
        (&["--rate", "100"], "x\r\n 1 \r\nnan\r\n", "index,time_s,x,x_missing\n0,0.0,1.0,false\n1,0.01,NaN,false\n"),
        (
            &[],
            "t,x\n0.5,1\n0.75,2\n1,3",
            "index,time_s,x,x_missing\n0,0.5,1.0,false\n1,0.75,2.0,false\n2,1.0,3.0,false\n",
        ),
        (
            &["--rate", "3"],
            "time,x\n0.0,1\n0.333,2\n0.667,3\n",
            "index,time_s,x,x_missing\n0,0.0,1.0,false\n1,0.3333333333333333,2.0,false\n2,0.6666666666666666,3.0,false\n",
        ),
        (&[], "\u{feff}index,x\n0,1\n", "index,x,x_missing\n0,1.0,false\n"),
    ] {
        let run = text(import(dir.path(), &[&["--format", "csv"], args].concat(), file.as_bytes()));
        assert_eq!(again(dir.path(), &run), expected, "{file}");
    }
    let lines = "{\"x\":1,\"y\":null}\n\n{\"x\":-0.0,\"y\":2.5}\n";
    let run = text(import(dir.path(), &["--format", "jsonl"], lines.as_bytes()));
    let expected = "index,x,y,x_missing,y_missing\n0,1.0,NaN,false,true\n1,-0.0,2.5,false,false\n";
    assert_eq!(again(dir.path(), &run), expected);
}

#[test]
fn errors_name_line_and_column_and_leave_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for (format, file, parts) in [
        ("csv", "", &["line 1", "it is empty"][..]),
        ("csv", "x,x\n", &["line 1, column \"x\"", "two columns"]),
        ("csv", "index\n0\n", &["line 1", "no column of a channel"]),
        ("csv", "x,y\n1,2\n3\n", &["line 3", "1 columns where the header has 2"]),
        ("csv", "x,y\n1,2\n3,4,5\n", &["line 3", "3 columns"]),
        ("csv", "x,y\n1,2\n3,four\n", &["standard input, line 3, column \"y\"", "\"four\" is no number"]),
        ("csv", "\"x\ny\",z\n1,2\n3,o\n", &["line 4, column \"z\""]),
        ("csv", "index,x\n0,1\n2,1\n", &["line 3, column \"index\"", "sample index 2; 1 comes here"]),
        ("csv", "index,x\n-1,1\n", &["line 2, column \"index\"", "\"-1\" is no sample index"]),
        ("csv", "t,x\n0,1\n0.1,1\n0.3,1\n", &["line 4", "the step of time is", "--rate"]),
        ("csv", "t,x\n0,1\n0,1\n", &["line 3", "time does not go forward"]),
        ("csv", "t,x\ninf,1\n", &["line 2", "inf is no time"]),
        ("csv", "t,x\n,1\n", &["line 2, column \"t\"", "there is no number"]),
        ("csv", "t,x\n0,1\n", &["line 2", "one time says no rate; give --rate"]),
        ("csv", "x,x_missing\n1,maybe\n", &["line 2, column \"x_missing\"", "neither true nor false"]),
        ("csv", "x,x_missing\n,false\n", &["line 2, column \"x\"", "there is no number"]),
        ("csv", "index,x\n99999999999,1\n", &["a gap"]),
        ("jsonl", "", &["line 1", "it is empty"]),
        ("jsonl", "[1]\n", &["line 1", "no object of numbers"]),
        ("jsonl", "{\"x\":1}\n{\"x\":1,}\n", &["line 2", "no object of numbers"]),
        ("jsonl", "{\"x\":1}\n{\"y\":1}\n", &["line 2, column \"y\"", "another member"]),
        ("jsonl", "{\"x\":1,\"y\":1}\n{\"x\":1}\n", &["line 2", "1 members where the first line has 2"]),
        ("jsonl", "{\"x\":\"one\"}\n", &["line 1, column \"x\"", "no number"]),
        ("jsonl", "{\"x\":1e999}\n", &["line 1", "no object of numbers"]),
        ("jsonl", "{\"x\":null,\"x_flag\":\"ok\"}\n", &["line 1, column \"x\"", "no number"]),
        ("jsonl", "{\"x\":1,\"x_flag\":\"bad\"}\n", &["line 1, column \"x_flag\"", "ok, missing, nan"]),
        ("jsonl", "{\"index\":0.5,\"x\":1}\n", &["line 1, column \"index\"", "no sample index"]),
    ] {
        let said = refused(&import(dir.path(), &["--format", format], file.as_bytes()));
        assert!(parts.iter().all(|part| said.contains(part)), "{file:?}: {said}");
    }
    let invalid = import(dir.path(), &["--format", "csv"], b"x\n\xff\n");
    assert!(refused(&invalid).contains("line 2") && said(&invalid).contains("UTF-8"), "{}", said(&invalid));
    let wrong = import(dir.path(), &["--format", "csv", "--rate", "50"], b"t,x\n0,1\n0.1,2\n");
    assert!(refused(&wrong).contains("0.02 s at the rate of 50 Hz"), "{}", said(&wrong));
    for (args, why) in [
        (&["--rate", "0"][..], "0 is no rate"),
        (&["--label", "a=b", "--label", "a=c"], "given twice"),
        (&["--label", "a"], "is no label"),
        (&["--device", "not a device"], "invalid value"),
    ] {
        let said = refused(&import(dir.path(), &[&["--format", "csv"], args].concat(), b"x\n1\n"));
        assert!(said.contains(why), "{said}");
    }
    let said = refused(&runs(dir.path(), &["import", "/no/such.csv"]).output().unwrap());
    assert!(said.contains("cannot read /no/such.csv"), "{said}");
    assert!(refused(&import(dir.path(), &[], b"x\n1\n")).contains("give --format csv or jsonl"));
    assert_eq!(files(dir.path()), [""; 0]);
    // Only those that were refused by limits had opened the database; no run is in it.
    let listed = runs(dir.path(), &["list", "--total"]).output().unwrap();
    assert!(listed.status.success() && said_none(&listed), "{listed:?}");
}

fn said_none(listed: &std::process::Output) -> bool {
    said(listed).contains("0 in all")
}

#[test]
fn a_file_by_name_says_its_format() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("scope.csv");
    std::fs::write(&file, "x\n1\n").unwrap();
    let run = text(runs(dir.path(), &["import", file.to_str().unwrap()]).output().unwrap());
    let lines = dir.path().join("scope.jsonl");
    printed(runs(dir.path(), &["export", run.trim(), "--out", lines.to_str().unwrap()]).output().unwrap());
    printed(runs(dir.path(), &["import", lines.to_str().unwrap()]).output().unwrap());
}
