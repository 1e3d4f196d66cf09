//! One Redis server.

use std::process::Command;

use lucihub_testkit::servers::{Fsync, RedisOptions, RedisServer};

/// What `redis-cli` prints when it takes a way that the testkit's own look does not take.
fn ask(arguments: &[&str]) -> String {
    let output = Command::new("redis-cli").args(arguments).output().expect("redis-cli is installed");
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

#[test]
fn it_answers_on_its_port_and_on_its_socket() {
    let server = RedisServer::start(RedisOptions::new());
    assert_eq!(ask(&["-u", &server.url(), "SET", "key", "a value"]), "OK");
    let url = server.unix_url();
    let path = url.strip_prefix("redis+unix://").expect("the scheme of a socket");
    assert_eq!(ask(&["-s", path, "GET", "key"]), "a value");
    assert_eq!(server.cli(&["GET", "key"]), "a value");
    assert_eq!(server.cli(&["NO_SUCH_COMMAND"]).split(' ').next(), Some("ERR"));
    assert!(server.is_running());
}

#[test]
fn servers_do_not_share_ports() {
    let servers = [RedisServer::start(RedisOptions::new()), RedisServer::start(RedisOptions::new())];
    servers[0].cli(&["SET", "key", "first"]);
    assert_eq!(servers[1].cli(&["EXISTS", "key"]), "0");
    assert_ne!(servers[0].port(), servers[1].port());
}

#[test]
fn an_append_only_file_survives_a_kill_and_not_a_wipe() {
    let server = RedisServer::start(RedisOptions::new().append_only(Fsync::Always));
    let (url, pid) = (server.url(), server.pid());
    server.cli(&["SET", "key", "kept"]);
    server.kill();
    assert!(!server.is_running());
    server.restart();
    assert_eq!(server.cli(&["GET", "key"]), "kept");
    assert_eq!(server.url(), url);
    assert_ne!(server.pid(), pid);
    server.restart_empty();
    assert_eq!(server.cli(&["EXISTS", "key"]), "0");
    assert_eq!(ask(&["-u", &url, "PING"]), "PONG");
}

#[test]
fn a_frozen_server_goes_on() {
    let server = RedisServer::start(RedisOptions::new());
    server.stop();
    assert!(!server.is_running());
    let state = std::fs::read_to_string(format!("/proc/{}/stat", server.pid())).expect("it is there");
    assert!(state.contains(") T "), "{state}");
    server.cont();
    assert_eq!(server.cli(&["PING"]), "PONG");
    server.stop();
    server.restart();
    assert_eq!(server.cli(&["PING"]), "PONG");
}

#[test]
fn a_full_server_refuses() {
    let server = RedisServer::start(RedisOptions::new().max_memory(1));
    assert!(server.cli(&["SET", "key", "value"]).starts_with("OOM "));
    server.set("maxmemory", "0");
    assert_eq!(server.cli(&["SET", "key", "value"]), "OK");
    let evicting = RedisServer::start(RedisOptions::new().max_memory_policy("allkeys-lru"));
    assert_eq!(evicting.cli(&["CONFIG", "GET", "maxmemory-policy"]), "maxmemory-policy\nallkeys-lru");
}

#[test]
fn users_have_the_rights_of_their_line() {
    let acl = "user default off\n  user lucihub on >secret ~lh:* +get +set\n";
    let server = RedisServer::start(RedisOptions::new().acl(acl));
    let url = server.url().replace("redis://", "redis://lucihub:secret@");
    let ask = |command: &[&str]| ask(&[&["--no-auth-warning", "-u", &url], command].concat());
    assert_eq!(ask(&["SET", "lh:key", "value"]), "OK");
    assert!(ask(&["SET", "other", "value"]).starts_with("NOPERM"));
    assert!(ask(&["DEL", "lh:key"]).starts_with("NOPERM"));
    assert_eq!(server.cli(&["GET", "lh:key"]), "value");
}

#[test]
fn tls_is_trusted_through_its_own_authority() {
    for options in [RedisOptions::new().tls(), RedisOptions::new().tls_only()] {
        let server = RedisServer::start(options);
        let port = server.tls_port().to_string();
        let authority = server.ca_file().to_str().expect("a path in UTF-8");
        for host in ["localhost", "127.0.0.1"] {
            let known = ask(&["--tls", "--cacert", authority, "-h", host, "-p", &port, "PING"]);
            assert_eq!(known, "PONG", "{}", server.last_lines());
        }
        assert_eq!(ask(&["--tls", "-h", "localhost", "-p", &port, "PING"]), "", "an authority that nobody knows");
        assert_eq!(server.tls_url(), format!("rediss://localhost:{port}"));
    }
}

#[test]
fn a_replica_follows_its_master() {
    let master = RedisServer::start(RedisOptions::new().acl("user default off"));
    let replica = RedisServer::start(RedisOptions::new().replica_of(&master));
    master.cli(&["SET", "key", "value"]);
    assert_eq!(master.cli(&["WAIT", "1", "10000"]), "1");
    assert_eq!(replica.cli(&["GET", "key"]), "value");
    assert!(replica.cli(&["SET", "key", "other"]).starts_with("READONLY"));
}

#[test]
#[should_panic(expected = "no-such-setting")]
fn a_server_that_does_not_start_says_why() {
    drop(RedisServer::start(RedisOptions::new().line("no-such-setting 1")));
}
