//! A look at servers that does not go through the adapter.

use std::process::Command;

use lucihub_testkit::servers::{RedisCluster, RedisSentinel, RedisServer};

/// A look at a server that does not go through the adapter.
pub(crate) trait Raw: Send + Sync {
    /// What redis-cli prints for a command about a key, on the server that has it.
    fn cli(&self, key: &str, command: &[&str]) -> String;

    /// The names of all keys that fit a pattern.
    fn keys(&self, pattern: &str) -> Vec<String>;

    /// Removes them.
    fn delete(&self, pattern: &str) {
        for key in self.keys(pattern) {
            self.cli(&key, &["DEL", &key]);
        }
    }
}

fn lines(text: &str) -> Vec<String> {
    text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

impl Raw for RedisServer {
    fn cli(&self, _: &str, command: &[&str]) -> String {
        Self::cli(self, command)
    }

    fn keys(&self, pattern: &str) -> Vec<String> {
        lines(&Self::cli(self, &["KEYS", pattern]))
    }
}

impl Raw for RedisCluster {
    fn cli(&self, key: &str, command: &[&str]) -> String {
        self.nodes()[self.master_of(key)].cli(command)
    }

    fn keys(&self, pattern: &str) -> Vec<String> {
        let running = self.nodes().iter().filter(|node| node.is_running());
        let all = running.flat_map(|node| lines(&node.cli(&["KEYS", pattern])));
        all.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }
}

impl Raw for RedisSentinel {
    fn cli(&self, _: &str, command: &[&str]) -> String {
        self.master().cli(command)
    }

    fn keys(&self, pattern: &str) -> Vec<String> {
        lines(&self.master().cli(&["KEYS", pattern]))
    }
}

/// A server that somebody named by its URL.
pub(crate) struct Named(pub(crate) String);

impl Named {
    fn run(&self, command: &[&str]) -> String {
        let output =
            Command::new("redis-cli").args(["-u", &self.0, "--no-auth-warning"]).args(command).output().unwrap();
        assert!(output.status.success(), "redis-cli: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }
}

impl Raw for Named {
    fn cli(&self, _: &str, command: &[&str]) -> String {
        self.run(command)
    }

    fn keys(&self, pattern: &str) -> Vec<String> {
        lines(&self.run(&["KEYS", pattern]))
    }
}
