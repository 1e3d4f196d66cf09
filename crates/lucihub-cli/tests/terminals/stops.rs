//! Ctrl-C, and servers that come late, go away and come back, while a command waits.

use std::time::{Duration, Instant};

use lucihub_testkit::servers::{PostgresOptions, PostgresServer, RedisOptions, RedisServer};

use crate::terminals::process::{Running, bare, lucihub, printed, said};

#[test]
fn ctrl_c_ends_the_wait_for_a_keeper() {
    let server = RedisServer::start(RedisOptions::new());
    let dir = tempfile::tempdir().unwrap();
    for presses in [1, 2] {
        let command = lucihub(&["demo", "--no-keeper", "--fast", "--samples", "1000"], dir.path(), &server.url());
        let mut demo = Running::start(command);
        let run = demo.hears("run ");
        demo.hears("recorded; waiting up to 60 s");
        let begun = Instant::now();
        demo.interrupt();
        if presses == 2 {
            // Two signals that wait together are delivered as one.
            std::thread::sleep(Duration::from_millis(200));
            demo.interrupt();
        }
        let (printed, said) = demo.ends_with(2);
        let most = if presses == 2 { 4 } else { 30 };
        assert!(begun.elapsed() < Duration::from_secs(most), "{presses}: {:?}", begun.elapsed());
        assert!(said.contains(&format!("stopped before run {run} was archived; it waits in hot storage")), "{said}");
        assert_eq!(printed, "");
    }
    let once = lucihub(&["archive"], dir.path(), &server.url()).output().unwrap();
    assert!(printed(&once).contains("2 runs archived"), "nothing is lost: {}", printed(&once));
}

#[test]
fn ctrl_c_cancels_the_run_and_says_what_it_waits_for() {
    let server = RedisServer::start(RedisOptions::new());
    let dir = tempfile::tempdir().unwrap();
    let command = lucihub(&["demo", "--no-keeper", "--samples", "500000"], dir.path(), &server.url());
    let mut demo = Running::start(command);
    demo.hears("in a third one: ");
    demo.hears_of("inprogress");
    demo.interrupt();
    demo.hears("cancelled; waiting up to 5 s for a `lucihub archive --watch` to archive it, or until Ctrl-C again");
    demo.interrupt();
    demo.ends_with(2);
    let once = lucihub(&["archive"], dir.path(), &server.url()).output().unwrap();
    assert!(printed(&once).contains("1 run archived"));
    let list = lucihub(&["runs", "list", "--state", "cancelled", "--state", "bogus"], dir.path(), "").output().unwrap();
    assert!(printed(&list).contains("lucidac-demo"), "{}", printed(&list));
    let bogus = "warning: bogus is no state that this version knows: queued, inprogress";
    assert!(said(&list).starts_with(bogus) && said(&list).lines().count() == 1, "{}", said(&list));
}

#[test]
fn a_watching_keeper_waits_for_its_server() {
    let server = RedisServer::start(RedisOptions::new());
    let dir = tempfile::tempdir().unwrap();
    server.kill();
    let watch = || Running::start(lucihub(&["archive", "--watch"], dir.path(), &server.url()));
    let mut keeper = watch();
    let why = keeper.hears("lucihub: redis://");
    assert!(why.contains("is unavailable") && why.ends_with("waiting for it until Ctrl-C"), "{why}");
    keeper.interrupt();
    keeper.ends();
    let mut keeper = watch();
    keeper.hears("lucihub: redis://");
    server.restart();
    keeper.hears("keeping the runs of ");
    keeper.terminate();
    keeper.ends();
}

#[test]
fn a_watching_keeper_waits_for_its_database() {
    let redis = RedisServer::start(RedisOptions::new());
    let postgres = PostgresServer::start(PostgresOptions::new());
    let url = format!("{}?sslmode=disable", postgres.admin_url(&postgres.fresh_database(None)));
    let of_database = |args: &[&str]| {
        let mut command = bare(args, &redis.url());
        command.env("DATABASE_URL", &url);
        command
    };
    printed(&of_database(&["migrate", "up"]).output().unwrap());
    postgres.kill();
    let mut keeper = Running::start(of_database(&["archive", "--watch"]));
    let why = keeper.hears("lucihub: PostgreSQL at ");
    assert!(why.contains("is unavailable") && why.ends_with("waiting for it until Ctrl-C"), "{why}");
    postgres.restart();
    keeper.hears("keeping the runs of ");
    keeper.terminate();
    keeper.ends();
}

#[test]
fn an_outage_is_said_and_no_line_is_printed_twice() {
    let server = RedisServer::start(RedisOptions::new());
    let dir = tempfile::tempdir().unwrap();
    let command = |args: &[&str]| lucihub(args, dir.path(), &server.url());
    let mut keeper = Running::start(command(&["archive", "--watch"]));
    keeper.hears("keeping the runs of ");
    // Long enough to go on for a while when the server is back.
    let mut demo = Running::start(command(&["demo", "--no-keeper", "--samples", "800000"]));
    let run = demo.hears("run ");
    let mut follower = Running::start(command(&["runs", "logs", "-f", &run]));
    demo.hears_of("inprogress");
    // What was printed before the server goes is what could come twice; with less of it the test shows less, never wrongly.
    std::thread::sleep(Duration::from_secs(2));
    server.kill();
    let away = format!("{} does not answer; ", server.url());
    let kept = demo.hears(&away);
    assert!(kept.starts_with("what is recorded is kept here, "), "{kept}");
    assert_eq!(follower.hears(&away), "following waits for it");
    server.restart_empty();
    let back = format!("{} answers again", server.url());
    demo.hears(&back);
    follower.hears(&back);
    demo.ends();
    let followed = follower.ends();
    keeper.terminate();
    keeper.ends();
    let logs = command(&["runs", "logs", &run]).output().unwrap();
    assert_eq!(followed, printed(&logs), "every line once, in order");
}
