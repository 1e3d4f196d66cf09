//! The live screen, in a terminal of its own.

use lucihub_testkit::servers::{RedisOptions, RedisServer};

use crate::terminals::process::{Running, lucihub, until};
use crate::terminals::screen::Shown;

/// The braille cells that have dots.
fn dots(text: &str) -> usize {
    text.chars().filter(|c| ('\u{2801}'..='\u{28ff}').contains(c)).count()
}

fn samples(text: &str) -> u64 {
    let (before, _) = text.split_once(" sample").unwrap();
    before.lines().last().unwrap().trim().replace(',', "").parse().unwrap_or(0)
}

#[test]
fn a_run_is_watched_live_and_the_terminal_given_back() {
    let server = RedisServer::start(RedisOptions::new());
    let dir = tempfile::tempdir().unwrap();
    let mut demo = Running::start(lucihub(&["demo", "--no-keeper", "--samples", "2000000"], dir.path(), &server.url()));
    let run = demo.hears("run ");

    let mut shown = Shown::start(&["runs", "watch", &run], dir.path(), &server.url());
    shown.shows(&["inprogress", "live", "lucidac-demo", "worker demo-worker", "x1", "phase OP", "q quit"]);
    assert!(shown.is_raw());
    let first = until("every channel is drawn", || {
        Some(shown.text()).filter(|text| dots(text) > 100 && text.contains("x1*y1"))
    });
    assert!(first.contains("not yet in cold storage: ") && first.contains(" %"), "{first}");
    let more = until("the run goes on on the screen", || {
        Some(shown.text()).filter(|text| samples(text) > samples(&first) + 500_000)
    });
    assert_ne!(first, more);
    if let Some(file) = std::env::var_os("LUCIHUB_PICTURE") {
        std::fs::write(file, &more).unwrap();
    }
    shown.press("\u{1b}[C");
    shown.shows(&["━ x1"]);
    until("one channel is drawn", || (!shown.text().contains("━ y1")).then_some(()));
    shown.press("+");
    until("a part is drawn", || (!shown.text().contains("(all)")).then_some(()));
    shown.press("p");
    shown.shows(&["held; p goes on"]);
    shown.press("\u{3}");
    let status = shown.ended();
    assert_eq!(status.exit_code(), 0, "{}", shown.text());
    assert!(shown.text().contains(&format!("run {run} inprogress: 8 channels, ")), "{}", shown.text());

    let shown = &mut Shown::start(&["runs", "watch", &run], dir.path(), &server.url());
    shown.shows(&["inprogress", "live"]);
    let id = shown.process();
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert_eq!(shown.ended().exit_code(), 0);
}

#[test]
fn the_last_picture_stays_when_the_run_has_ended() {
    let server = RedisServer::start(RedisOptions::new());
    let dir = tempfile::tempdir().unwrap();
    let mut demo = Running::start(lucihub(&["demo", "--samples", "150000"], dir.path(), &server.url()));
    let run = demo.hears("run ");
    let mut shown = Shown::start(&["runs", "watch", &run], dir.path(), &server.url());
    assert_eq!(shown.ended().exit_code(), 0);
    let text = shown.text();
    assert!(text.contains(&format!("run {run} succeeded: 8 channels, ")), "{text}");
    assert!(dots(&text) > 100 && text.contains("OP_END"), "{text}");
    demo.ends();
    // From the archive, without a server.
    server.kill();
    let mut stays = Shown::start(&["runs", "watch", &run, "--stay"], dir.path(), &server.url());
    stays.shows(&["succeeded", "archive", "x1"]);
    stays.press("q");
    assert_eq!(stays.ended().exit_code(), 0);
}

#[test]
fn a_server_that_goes_away_is_waited_for() {
    let server = RedisServer::start(RedisOptions::new());
    let dir = tempfile::tempdir().unwrap();
    let mut demo = Running::start(lucihub(&["demo", "--no-keeper", "--samples", "2000000"], dir.path(), &server.url()));
    let run = demo.hears("run ");
    let mut shown = Shown::start(&["runs", "watch", &run], dir.path(), &server.url());
    shown.shows(&["inprogress", "live", "x1"]);
    server.kill();
    shown.shows(&["hot storage cannot be reached, waiting", "stale", "x1"]);
    server.restart();
    // It comes back empty; the demo's recorder puts the run back, and the screen goes on.
    let back = shown.shows(&["inprogress", "live", "/s; not yet in cold storage"]);
    until("the run goes on on the screen", || {
        Some(shown.text()).filter(|text| text.contains(" sample") && samples(text) > samples(&back) + 100_000)
    });
    shown.press("q");
    assert_eq!(shown.ended().exit_code(), 0);
}

#[test]
fn off_a_terminal_it_prints_lines() {
    let server = RedisServer::start(RedisOptions::new());
    let dir = tempfile::tempdir().unwrap();
    let mut demo = Running::start(lucihub(&["demo", "--samples", "60000"], dir.path(), &server.url()));
    let run = demo.hears("run ");
    let (lines, said) = Running::start(lucihub(&["runs", "watch", &run], dir.path(), &server.url())).ends_with(0);
    assert!(lines.contains("circuit accepted") && said.contains("succeeded"), "{lines}{said}");
    assert!(!lines.contains('\u{1b}'), "no screen: {lines}");
    demo.ends();
}
