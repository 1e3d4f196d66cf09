//! What asks before it deletes, and what is ended by Ctrl-C, in a terminal.

use lucihub_testkit::servers::{RedisOptions, RedisServer};
use serde_json::Value;

use crate::terminals::process::{Running, lucihub, printed};
use crate::terminals::screen::Shown;

#[test]
fn what_is_lost_is_asked_for_first() {
    let dir = tempfile::tempdir().unwrap();
    let ask = |args: &[&str]| lucihub(args, dir.path(), "").output().unwrap();
    let done: Value = serde_json::from_str(printed(&ask(&["demo", "--fast", "--json", "--samples", "1000"]))).unwrap();
    let run = done["run_id"].as_str().unwrap();
    let left = || printed(&ask(&["runs", "list", "-o", "ids"])).trim().to_owned();
    for answer in ["no\n", "y\n", "\n", "\u{4}"] {
        let mut shown = Shown::start(&["runs", "delete", run], dir.path(), "");
        shown.shows(&["succeeded", "This deletes it with all that it recorded.", "Type yes to go on:"]);
        shown.press(answer);
        assert_eq!(shown.ended().exit_code(), 1, "{answer:?}");
        shown.shows(&["nothing was changed"]);
        assert_eq!(left(), run, "{answer:?}");
    }
    // Ctrl-C at the question is no answer either.
    let mut shown = Shown::start(&["runs", "delete", run], dir.path(), "");
    shown.shows(&["Type yes to go on:"]);
    shown.press("\u{3}");
    assert!(!shown.ended().success());
    assert_eq!(left(), run);

    let mut shown = Shown::start(&["gc", "--keep", "succeeded=0s"], dir.path(), "");
    shown.shows(&["This deletes archived runs", "Type yes to go on:"]);
    shown.press("no\n");
    assert_eq!(shown.ended().exit_code(), 1);
    assert_eq!(left(), run);

    let mut shown = Shown::start(&["runs", "delete", run], dir.path(), "");
    shown.shows(&["Type yes to go on:"]);
    shown.press("yes\n");
    assert_eq!(shown.ended().exit_code(), 0);
    assert_eq!(left(), "");
}

#[test]
fn a_log_that_is_followed_ends_with_ctrl_c() {
    let server = RedisServer::start(RedisOptions::new());
    let dir = tempfile::tempdir().unwrap();
    let mut demo = Running::start(lucihub(&["demo", "--no-keeper", "--samples", "2000000"], dir.path(), &server.url()));
    let run = demo.hears("run ");
    let mut shown = Shown::start(&["runs", "logs", "-f", &run], dir.path(), &server.url());
    shown.shows(&["circuit accepted"]);
    shown.press("\u{3}");
    assert_eq!(shown.ended().exit_code(), 0, "{}", shown.text());
    // The run goes on without it.
    let status: Value = serde_json::from_str(printed(
        &lucihub(&["runs", "show", &run, "--json"], dir.path(), &server.url()).output().unwrap(),
    ))
    .unwrap();
    assert_eq!(status["source"], "live");
}
