//! The live screen, in a terminal of its own.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use lucihub_testkit::servers::{RedisOptions, RedisServer};
use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, SlavePty, native_pty_system};

use crate::process::{Running, lucihub, until};

const SIZE: PtySize = PtySize { rows: 30, cols: 100, pixel_width: 0, pixel_height: 0 };

/// A command in a terminal, and what that shows.
struct Shown {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    /// Held, so that the terminal and its settings outlive the command.
    _slave: Box<dyn SlavePty + Send>,
    keys: Box<dyn Write + Send>,
    screen: Arc<Mutex<vt100::Parser>>,
    /// The settings of the terminal before the command had it.
    before: String,
}

/// How a terminal is set: echo, lines, signals and so on.
fn settings(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().unwrap())
}

impl Shown {
    fn start(args: &[&str], dir: &Path, redis: &str) -> Self {
        let pair = native_pty_system().openpty(SIZE).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_lucihub"));
        command.args(args);
        command.arg("--dir");
        command.arg(dir);
        command.env("REDIS_URL", redis);
        command.env("TERM", "xterm-256color");
        for name in ["DATABASE_URL", "LUCIHUB_REDIS_CA_FILE", "LUCIHUB_KEY_PREFIX", "CARGO", "NO_COLOR"] {
            command.env_remove(name);
        }
        let before = settings(&*pair.master);
        assert!(before.contains("ICANON"), "{before}");
        let child = pair.slave.spawn_command(command).unwrap();
        let screen = Arc::new(Mutex::new(vt100::Parser::new(SIZE.rows, SIZE.cols, 0)));
        let (mut reader, seen) = (pair.master.try_clone_reader().unwrap(), screen.clone());
        std::thread::spawn(move || {
            let mut bytes = [0; 4_096];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                seen.lock().unwrap().process(&bytes[..count]);
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Self { child, master: pair.master, _slave: pair.slave, keys, screen, before }
    }

    fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    /// Waits until the screen shows all of these, and returns it.
    fn shows(&self, parts: &[&str]) -> String {
        let mut last = String::new();
        let begun = std::time::Instant::now();
        loop {
            let text = self.text();
            if parts.iter().all(|part| text.contains(part)) {
                return text;
            }
            last.clone_from(&text);
            assert!(begun.elapsed().as_secs() < 90, "it does not show {parts:?}:\n{last}");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// How it ended; the terminal is then as it was before.
    fn ended(&mut self) -> ExitStatus {
        let status = until("it ends", || self.child.try_wait().unwrap());
        until("the terminal is given back", || {
            let parser = self.screen.lock().unwrap();
            (!parser.screen().alternate_screen() && !parser.screen().hide_cursor()).then_some(())
        });
        assert_eq!(settings(&*self.master), self.before, "set as before");
        status
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        // Fails only for one that has ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn samples(text: &str) -> u64 {
    let (before, _) = text.split_once(" sample").unwrap();
    before.lines().last().unwrap().trim().replace(',', "").parse().unwrap_or(0)
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
