//! Three processes on one run: who records, who follows, who archives; and what they say when the server is not to be had.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use lucihub_testkit::servers::{RedisOptions, RedisServer};

/// How long anything may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(60);

fn lucihub(dir: &Path, redis: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lucihub"));
    command.current_dir(dir).env_remove("DATABASE_URL").env("REDIS_URL", redis);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn answer(dir: &Path, redis: &str, args: &[&str]) -> Output {
    lucihub(dir, redis).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A process that does not outlive the test.
struct Started(Child);

impl Started {
    fn new(mut command: Command) -> Self {
        Self(command.spawn().unwrap())
    }

    /// Waits for its end, and gives what it printed.
    fn end(mut self) -> (bool, String) {
        let mut out = String::new();
        self.0.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        (self.0.wait().unwrap().success(), out)
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks until it is so.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "not in {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn three_processes_share_a_run() {
    let (server, dir) = (RedisServer::start(RedisOptions::new()), tempfile::tempdir().unwrap());
    let (redis, dir) = (server.url(), dir.path());
    let mut demo = lucihub(dir, &redis);
    demo.args(["demo", "--no-keeper", "--json", "--samples", "60000"]);
    let mut demo = Started::new(demo);
    // The first thing that the demo says is the run's id.
    let mut said = BufReader::new(demo.0.stderr.take().unwrap()).lines();
    let run = said.next().unwrap().unwrap().strip_prefix("run ").unwrap().to_owned();
    let rest = std::thread::spawn(move || said.map(Result::unwrap).collect::<Vec<_>>());

    let mut follow = lucihub(dir, &redis);
    follow.args(["runs", "logs", "--follow", "--json", &run]);
    let follow = Started::new(follow);
    until("the run is seen live", || {
        let shown = answer(dir, &redis, &["runs", "show", &run]);
        text(&shown.stdout).contains("live").then_some(())
    });
    let devices = answer(dir, &redis, &["devices", "list", "--json"]);
    assert!(devices.status.success(), "{}", text(&devices.stderr));
    let mut keep = lucihub(dir, &redis);
    keep.args(["archive", "--watch"]);
    let keep = Started::new(keep);

    let (ended_well, report) = demo.end();
    assert!(ended_well, "{report}\n{:?}", rest.join());
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["run_id"], *run);

    // The follower ends by itself, and had every line once, in order.
    let (ended_well, followed) = follow.end();
    assert!(ended_well, "{followed}");
    drop(keep);
    let archived = answer(dir, &redis, &["runs", "logs", "--json", &run]);
    let of_lines = |text: &str| text.lines().filter(|l| l.contains("\"text\"")).map(str::to_owned).collect::<Vec<_>>();
    let (followed, archived) = (of_lines(&followed), of_lines(text(&archived.stdout)));
    assert!(archived.len() > 10, "{archived:?}");
    assert_eq!(followed, archived);

    // History does not need the server.
    server.kill();
    let shown = answer(dir, &redis, &["runs", "show", &run]);
    assert!(shown.status.success(), "{}", text(&shown.stderr));
    assert!(text(&shown.stdout).contains("archive"), "{}", text(&shown.stdout));
}

#[test]
fn a_server_that_is_not_to_be_had_is_one_sentence() {
    const SECRET: &str = "hush-hush";
    let acl = format!("user default off\nuser lucihub on >{SECRET}x ~lh:* &lh:* +@all");
    let server = RedisServer::start(RedisOptions::new().acl(&acl).tls());
    let dir = tempfile::tempdir().unwrap();
    let at = |place: &str| format!("redis://lucihub:{SECRET}@{place}");
    let (right, tls) = (server.url().replace("redis://", ""), server.tls_url().replace("rediss://", ""));
    for (redis, code) in [
        (at(&right), 3),                                      // the wrong password
        (at("127.0.0.1:1"), 3),                               // nobody listens
        (at(&right).replace("redis:", "http:"), 1),           // no such scheme
        (at(&tls).replace("redis:", "rediss:"), 3),           // a certificate that nobody vouches for
        (at(&right).replace("redis:", "redis-sentinel:"), 1), // a Sentinel without the name of its master
    ] {
        let refused = answer(dir.path(), &redis, &["demo", "--fast", "--samples", "1000"]);
        let said = text(&refused.stderr);
        assert!(!said.contains(SECRET) && !text(&refused.stdout).contains(SECRET), "{said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{redis}: {said}");
        assert_eq!(refused.status.code(), Some(code), "{redis}: {said}");
    }
    let unshared = answer(dir.path(), "", &["archive"]);
    assert_eq!(unshared.status.code(), Some(1));
    assert!(text(&unshared.stderr).contains("REDIS_URL"), "{}", text(&unshared.stderr));
}
