//! Where hot storage is: a server that processes share, or the memory of this one.

use std::ffi::OsString;

use clap::Args;
use lucihub_hot::redis::RedisOptions;
use lucihub_store::Urls;

use crate::config::{came_from, is_set};
use crate::output;
use crate::secret::Secret;

/// Under what `--help` lists these.
const HEADING: &str = "Hot storage";

/// The variables that name the server, the authorities it may have, and what keys begin with.
pub(crate) const URL: &str = "REDIS_URL";
pub(crate) const CA_FILE: &str = "LUCIHUB_REDIS_CA_FILE";
pub(crate) const PREFIX: &str = "LUCIHUB_KEY_PREFIX";

/// Where hot storage is.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Hot {
    /// The Redis or Valkey server that processes share, `redis://HOST:PORT` or
    /// `rediss://` over TLS [default: this process's memory].
    #[arg(long, value_name = "URL", env = URL, hide_env_values = true, help_heading = HEADING)]
    redis_url: Option<Secret>,
    /// Trust the authorities of this PEM file for TLS [default: the system's].
    #[arg(long, value_name = "FILE", env = CA_FILE, hide_env_values = true, help_heading = HEADING)]
    redis_ca_file: Option<OsString>,
    /// What every key on the server begins with [default: lh].
    #[arg(long, value_name = "TEXT", env = PREFIX, hide_env_values = true, help_heading = HEADING)]
    key_prefix: Option<String>,
}

impl Hot {
    /// The server's URL, if one is named.
    fn url(&self) -> Option<&str> {
        self.redis_url.as_ref().and_then(Secret::url)
    }

    /// What was given for a setting.
    pub(crate) fn given(&self, key: &str) -> Option<OsString> {
        match key {
            "redis_url" => self.redis_url.as_ref().map(|url| url.exposed().into()),
            "redis_ca_file" => self.redis_ca_file.clone(),
            "key_prefix" => self.key_prefix.clone().map(Into::into),
            _ => None,
        }
    }

    /// Whether other processes see what is there.
    pub(crate) fn is_shared(&self) -> bool {
        self.url().is_some()
    }

    /// The server as people may see it: without user, password and parameters.
    pub(crate) fn server(&self) -> Option<String> {
        self.url().map(|url| RedisOptions::new(url).server())
    }

    /// Where the URL was given.
    pub(crate) fn origin(&self) -> Option<String> {
        came_from(URL, self.redis_url.as_ref()?.exposed().as_ref())
    }

    /// What the next commands need to find the server as this one did: words in front of them, and flags behind. A URL
    /// that may hold a password is not repeated.
    pub(crate) fn typed(&self) -> (String, String) {
        let given = self.redis_url.as_ref();
        let (before, mut flags) = given.map_or_else(Default::default, |url| url.typed(URL, "--redis-url"));
        if let Some(file) = self.redis_ca_file.as_ref().filter(|file| !is_set(CA_FILE, file)) {
            flags += &format!(" --redis-ca-file {}", output::typed(&file.to_string_lossy()));
        }
        if let Some(prefix) = self.key_prefix.as_ref().filter(|prefix| !is_set(PREFIX, prefix.as_ref())) {
            flags += &format!(" --key-prefix {}", output::typed(prefix));
        }
        (before, flags)
    }

    /// Both storages, with cold storage at this URL.
    pub(crate) fn with_cold(&self, cold: &str) -> Urls {
        match self.url() {
            Some(server) => self.settled(Urls::new(server, cold)),
            None => Urls::new("memory:", cold),
        }
    }

    /// Hot storage alone, for those who need no database; `None` if no server is named.
    pub(crate) fn alone(&self) -> Option<Urls> {
        self.url().map(|server| self.settled(Urls::hot_only(server)))
    }

    /// With the settings of a server.
    fn settled(&self, mut urls: Urls) -> Urls {
        if let Some(prefix) = self.key_prefix.as_deref().filter(|prefix| !prefix.is_empty()) {
            urls = urls.with_key_prefix(prefix);
        }
        if let Some(file) = self.redis_ca_file.as_deref().filter(|file| !file.is_empty()) {
            urls = urls.with_redis_ca_file(file);
        }
        urls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(url: &str) -> Hot {
        Hot { redis_url: url.parse().ok(), ..Hot::default() }
    }

    #[test]
    fn nothing_secret_is_shown() {
        for url in
            ["redis://user:s3cret@host:6379/1?x=s3cret", "redis-sentinel://h:1/?sentinelPassword=s3cret", "s3cret"]
        {
            let hot = at(url);
            let shown = format!("{hot:?} {:?} {}", hot.with_cold("none:"), hot.server().unwrap());
            assert!(!shown.contains("s3cret"), "{shown}");
        }
        assert_eq!(at("redis://user:s3cret@host:6379/1").server().unwrap(), "redis://host:6379");
        assert_eq!(at("redis+unix:///run/redis.sock").server().unwrap(), "redis+unix:///run/redis.sock");
    }

    #[test]
    fn what_came_by_flag_is_typed_again_but_no_password() {
        let by_flag = Hot { key_prefix: Some("lab".to_owned()), ..at("redis://host:1") };
        assert_eq!(by_flag.typed(), (String::new(), " --redis-url redis://host:1 --key-prefix lab".to_owned()));
        let nodes = at("redis-cluster://a:1?node=b:2&node=c:3");
        assert_eq!(nodes.typed().1, " --redis-url 'redis-cluster://a:1?node=b:2&node=c:3'");
        for url in ["redis://:s3cret@host", "redis://s3cret/?#@h:1", "redis-sentinel://h:1?sentinelPassword=s3cret"] {
            let (before, flags) = at(url).typed();
            assert!(before == "REDIS_URL=... " && !flags.contains("s3cret"), "{url}: {flags}");
        }
        assert_eq!(Hot::default().typed(), (String::new(), String::new()));
        assert_eq!(at("redis://host:1").origin().as_deref(), Some("--redis-url"));
    }

    #[test]
    fn an_empty_variable_names_no_server() {
        for hot in [at(""), at(" "), Hot::default()] {
            assert!(!hot.is_shared() && hot.server().is_none());
            assert_eq!(hot.with_cold("none:").hot, "memory:");
        }
    }
}
