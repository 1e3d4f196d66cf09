//! A command in a terminal of its own, and what that shows.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, SlavePty, native_pty_system};

use crate::terminals::process::until;

const SIZE: PtySize = PtySize { rows: 30, cols: 100, pixel_width: 0, pixel_height: 0 };

/// A command in a terminal, and what that shows.
pub(crate) struct Shown {
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
    pub(crate) fn start(args: &[&str], dir: &Path, redis: &str) -> Self {
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

    pub(crate) fn process(&self) -> String {
        self.child.process_id().unwrap().to_string()
    }

    pub(crate) fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    /// Waits until the screen shows all of these, and returns it.
    pub(crate) fn shows(&self, parts: &[&str]) -> String {
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

    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Whether keys reach the command one by one, and it has the screen for itself.
    pub(crate) fn is_raw(&self) -> bool {
        !settings(&*self.master).contains("ICANON") && self.screen.lock().unwrap().screen().alternate_screen()
    }

    /// How it ended; the terminal is then as it was before.
    pub(crate) fn ended(&mut self) -> ExitStatus {
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
