//! Several Redis servers together: a cluster, and a master that sentinels watch.

use std::thread::sleep;
use std::time::{Duration, Instant};

use lucihub_testkit::servers::{Fsync, RedisCluster, RedisOptions, RedisSentinel, RedisServer};

/// In slot 23, so that it is among the first that a reshard moves.
const KEY: &str = "lh:{run523}";

#[test]
fn a_cluster_survives_its_masters_and_moves_slots() {
    let cluster = RedisCluster::start(&RedisOptions::new().append_only(Fsync::Always).acl("user default off"));
    assert!(cluster.url().starts_with(&format!("redis-cluster://127.0.0.1:{}?node=", cluster.nodes()[0].port())));
    assert_eq!(cluster.url().matches("127.0.0.1:").count(), 6);
    let at = |index: usize| -> &RedisServer { &cluster.nodes()[index] };
    let first = cluster.master_of(KEY);
    let [second] = cluster.replicas_of(first)[..] else { panic!("one replica") };
    assert_eq!(at(first).cli(&["SET", KEY, "kept"]), "OK");
    assert_eq!(at(first).cli(&["WAIT", "1", "10000"]), "1");

    cluster.kill(first);
    cluster.wait_ok();
    assert_eq!(cluster.master_of(KEY), second);
    assert_eq!(at(second).cli(&["GET", KEY]), "kept");
    cluster.restart(first);
    cluster.wait_ok();
    assert_eq!(cluster.replicas_of(second), [first]);

    let third =
        (0..6).find(|index| *index != second && !cluster.replicas_of(*index).is_empty()).expect("two more masters");
    let [fourth] = cluster.replicas_of(third)[..] else { panic!("one replica") };
    cluster.stop(third);
    cluster.wait_ok();
    cluster.cont(third);
    cluster.wait_ok();
    assert_eq!(cluster.replicas_of(fourth), [third]);

    cluster.reshard(40, second, fourth);
    cluster.wait_ok();
    assert_eq!(cluster.master_of(KEY), fourth);
    assert_eq!(at(fourth).cli(&["GET", KEY]), "kept");
    assert_eq!(at(second).cli(&["CLUSTER", "COUNTKEYSINSLOT", "23"]), "0");
}

#[test]
fn sentinels_replace_a_master() {
    let redis = RedisSentinel::start(&RedisOptions::new().acl("user default off"));
    let first = redis.sentinels()[0].port();
    assert!(redis.url().starts_with(&format!("redis-sentinel://127.0.0.1:{first}/?sentinelServiceName=lucihub&node=")));
    assert_eq!(redis.url().matches("127.0.0.1:").count(), 3);
    let before = redis.master_port();
    assert_eq!(redis.master().cli(&["SET", "key", "kept"]), "OK");
    assert_eq!(redis.master().cli(&["WAIT", "2", "10000"]), "2");

    redis.kill_master();
    redis.wait_ok();
    assert_ne!(redis.master_port(), before);
    assert_eq!(redis.master().cli(&["GET", "key"]), "kept");

    let dead = redis.servers().iter().find(|server| server.port() == before).expect("the old master");
    dead.restart();
    redis.wait_ok();
    assert_ne!(redis.master_port(), before);
    assert_eq!(dead.cli(&["GET", "key"]), "kept");
}

#[test]
fn a_master_that_is_cut_off_is_replaced_and_takes_writes_until_it_knows() {
    // Long enough for a write after the cut, on any machine.
    let options = RedisOptions::new().line("cluster-node-timeout 4000");
    let cluster = RedisCluster::behind_proxies(&options);
    let old = cluster.master_of(KEY);
    let [new] = cluster.replicas_of(old)[..] else { panic!("one replica") };
    let at = |index: usize| -> &RedisServer { &cluster.nodes()[index] };
    assert_eq!(at(old).cli(&["SET", KEY, "everybody's"]), "OK");
    wait_replicated(at(old));

    cluster.partition(old);
    assert_eq!(at(old).cli(&["SET", KEY, "nobody's"]), "OK");
    assert!(unreplicated(at(old)) > 0);
    cluster.wait_ok();
    assert_eq!(cluster.master_of(KEY), new);
    assert_eq!(at(new).cli(&["GET", KEY]), "everybody's");
    wait_until(|| at(old).cli(&["SET", KEY, "late"]).starts_with("CLUSTERDOWN"), "it knows that it is alone");
    assert_eq!(at(old).cli(&["ROLE"]).lines().next(), Some("master"));
    assert_eq!(at(new).cli(&["SET", KEY, "the new one's"]), "OK");

    cluster.heal();
    cluster.wait_ok();
    assert_eq!(cluster.replicas_of(new), [old]);
    assert_eq!(at(new).cli(&["GET", KEY]), "the new one's");

    // A replica that is cut off is missed by nobody but its master, and comes back.
    cluster.partition(old);
    assert_eq!(at(new).cli(&["SET", KEY, "alone"]), "OK");
    assert!(unreplicated(at(new)) > 0);
    cluster.heal();
    cluster.wait_ok();
    wait_replicated(at(new));
}

/// Bytes that a master's only replica has not acknowledged.
fn unreplicated(master: &RedisServer) -> u64 {
    let info = master.cli(&["INFO", "replication"]);
    let number = |key: &str| {
        let (_, rest) = info.split_once(key).expect("what INFO says of a master with a replica");
        rest.split(|c: char| !c.is_ascii_digit())
            .next()
            .and_then(|digits| digits.parse::<u64>().ok())
            .expect("a number")
    };
    number("\nmaster_repl_offset:") - number(",offset=")
}

fn wait_replicated(master: &RedisServer) {
    wait_until(|| unreplicated(master) == 0, "its replica has all");
}

fn wait_until(holds: impl Fn() -> bool, what: &str) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(60), "never: {what}");
        sleep(Duration::from_millis(20));
    }
}
