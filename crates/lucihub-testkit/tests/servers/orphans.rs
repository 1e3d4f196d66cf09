//! What a test process that is killed leaves behind.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use lucihub_testkit::servers::{RedisOptions, RedisServer};

/// Where it is set, this test plays the process that is killed: it writes its server's port to the file, and waits.
const VICTIM: &str = "LUCIHUB_TESTKIT_VICTIM";

#[test]
fn nothing_outlives_a_killed_test_process_for_long() {
    if let Some(file) = env::var_os(VICTIM) {
        return be_the_victim(Path::new(&file));
    }
    let place = tempfile::tempdir().expect("a temporary folder");
    let file = place.path().join("port");
    let mut victim = this_test(place.path(), &file);
    wait_until("it has started its server", || file.exists());
    let port: u16 = fs::read_to_string(&file).expect("its file").parse().expect("a port");
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok(), "its server listens");
    victim.kill().expect("it waits to be killed");
    victim.wait().expect("a child of this process");
    wait_until("its server is gone", || TcpStream::connect(("127.0.0.1", port)).is_err());
    assert_eq!(folders(place.path()), 1, "nobody could remove its folder");

    let end = this_test(place.path(), Path::new("")).wait().expect("a child of this process");
    assert!(end.success());
    assert_eq!(folders(place.path()), 0, "the next one has removed both");
}

fn be_the_victim(file: &Path) {
    let server = RedisServer::start(RedisOptions::new());
    if file.as_os_str().is_empty() {
        return;
    }
    let whole = file.with_extension("new");
    fs::write(&whole, server.port().to_string()).and_then(|()| fs::rename(&whole, file)).expect("a new file");
    thread::sleep(Duration::from_secs(60));
}

/// This test in a process of its own, with another temporary folder.
fn this_test(temporary: &Path, file: &Path) -> Child {
    let name = "orphans::nothing_outlives_a_killed_test_process_for_long";
    let program = env::current_exe().expect("the file of this test");
    let mut command = Command::new(program);
    command
        .args(["--exact", name, "--quiet"])
        .env(VICTIM, OsStr::new(file))
        .env("TMPDIR", temporary)
        .stdout(Stdio::null());
    command.spawn().expect("this test starts")
}

fn folders(place: &Path) -> usize {
    let entries = fs::read_dir(place).expect("a folder").flatten();
    entries.filter(|entry| entry.path().is_dir()).count()
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(30), "{what}: not in 30 s");
        thread::sleep(Duration::from_millis(10));
    }
}
