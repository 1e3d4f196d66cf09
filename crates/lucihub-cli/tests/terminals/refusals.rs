//! Servers that cannot be used: one sentence, the right exit code, and nothing secret.

use lucihub_testkit::servers::{RedisOptions, RedisServer};

use crate::terminals::process::{bare, lucihub, printed, said};

const SECRET: &str = "s3cret";

const DEMO: &[&str] = &["demo", "--fast", "--samples", "1000"];

/// What needs hot storage refuses this URL with these words, for good.
fn refused(redis: &str, words: &str) {
    fails(redis, 1, words, &[&["archive"], &["archive", "--watch"], DEMO]);
}

fn fails(redis: &str, code: i32, words: &str, commands: &[&[&str]]) {
    let dir = tempfile::tempdir().unwrap();
    assert!(lucihub(&["migrate", "up"], dir.path(), "").output().unwrap().status.success());
    for args in commands {
        let output = lucihub(args, dir.path(), redis).output().unwrap();
        let said = said(&output);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        assert!(said.starts_with("lucihub: ") && said.lines().count() == 1, "{args:?}: {said}");
        assert!(said.contains(words) && !said.contains(SECRET), "{args:?}: {said}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_wrong_password() {
    let server =
        RedisServer::start(RedisOptions::new().acl("user default off\nuser lucihub on >right ~lh:* &lh:* +@all"));
    let port = server.port();
    refused(&format!("redis://lucihub:{SECRET}@127.0.0.1:{port}"), "it refuses the login");
    refused(&format!("redis://127.0.0.1:{port}"), "NOAUTH");
    // What cold storage has is there all the same.
    let dir = tempfile::tempdir().unwrap();
    assert!(printed(&lucihub(DEMO, dir.path(), "").output().unwrap()).contains("succeeded"));
    let devices = lucihub(&["devices", "list"], dir.path(), &server.url()).output().unwrap();
    assert!(printed(&devices).contains("lucidac-demo") && said(&devices).contains("it refuses the login"));
}

#[test]
fn a_server_that_is_not_to_be_used() {
    let lru = RedisServer::start(RedisOptions::new().max_memory_policy("allkeys-lru"));
    refused(&lru.url(), "maxmemory-policy is allkeys-lru");
    let other = "user default off\nuser lucihub on >right resetkeys ~other:* resetchannels &other:* +@all";
    let server = RedisServer::start(RedisOptions::new().acl(other));
    refused(&format!("redis://lucihub:right@127.0.0.1:{}", server.port()), "LUCIHUB_KEY_PREFIX");
}

#[test]
fn a_port_where_nobody_listens() {
    let server = RedisServer::start(RedisOptions::new());
    // The port stays the test's own.
    server.kill();
    let port = server.port();
    fails(
        &format!("redis://lucihub:{SECRET}@127.0.0.1:{port}"),
        3,
        &format!("redis://127.0.0.1:{port} is unavailable"),
        &[&["archive"], DEMO],
    );
}

#[test]
fn a_scheme_that_is_none() {
    refused(&format!("http://lucihub:{SECRET}@127.0.0.1:6379"), "cannot open \"http\"");
    refused(&format!("reddis://:{SECRET}@127.0.0.1"), "redis-sentinel");
    refused(&format!("reddis://:{SECRET}@127.0.0.1"), "the URL is that of REDIS_URL");
    refused(&format!("redis:{SECRET}@127.0.0.1"), "it lacks // after the scheme");
    refused(&format!("redis-lab://lucihub:{SECRET}@127.0.0.1:6379"), "its scheme is not known");
    refused(&format!("{SECRET}@127.0.0.1"), "it has no scheme");
}

#[test]
fn a_sentinel_without_the_name_of_its_master() {
    refused(&format!("redis-sentinel://lucihub:{SECRET}@127.0.0.1:26379"), "sentinelServiceName");
}

#[test]
fn a_certificate_of_an_unknown_authority() {
    let server = RedisServer::start(RedisOptions::new().tls());
    refused(&server.tls_url().replace("localhost", &format!("lucihub:{SECRET}@localhost")), "UnknownIssuer");
    let dir = tempfile::tempdir().unwrap();
    let mut trusting = lucihub(&["demo", "--fast", "--samples", "1000"], dir.path(), &server.tls_url());
    let output = trusting.env("LUCIHUB_REDIS_CA_FILE", server.ca_file()).output().unwrap();
    assert!(printed(&output).contains(&server.tls_url()));
}

#[test]
fn no_server_at_all() {
    for redis in ["", " "] {
        for args in [&["archive"][..], &["archive", "--watch"], &["demo", "--no-keeper"]] {
            let dir = tempfile::tempdir().unwrap();
            let target = dir.path().join("made");
            let output = lucihub(args, &target, redis).output().unwrap();
            assert_eq!(output.status.code(), Some(1));
            assert!(said(&output).contains("needs a Redis server that processes share"), "{}", said(&output));
            assert!(said(&output).lines().count() == 1 && !target.exists());
        }
    }
}

#[test]
fn one_walk_makes_no_database() {
    let server = RedisServer::start(RedisOptions::new());
    let dir = tempfile::tempdir().unwrap();
    let output = lucihub(&["archive"], &dir.path().join("nowhere"), &server.url()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("no database at"), "{}", said(&output));
}

#[test]
fn help_shows_no_secret() {
    for verb in
        [&["demo"][..], &["archive"], &["runs", "show"], &["runs", "logs"], &["runs", "list"], &["devices", "list"]]
    {
        let args: Vec<&str> = verb.iter().copied().chain(["--help"]).collect();
        let output = bare(&args, &format!("redis://:{SECRET}@host")).output().unwrap();
        assert!(printed(&output).contains("REDIS_URL") && !printed(&output).contains(SECRET), "{}", printed(&output));
    }
}
