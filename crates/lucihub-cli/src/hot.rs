//! Where hot storage is: a server that processes share, or the memory of this one.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fmt;
use std::str::FromStr;

use clap::Args;
use lucihub_store::Urls;
use url::Url;

/// Under what `--help` lists these.
const HEADING: &str = "Hot storage";

/// Where hot storage is.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Hot {
    /// The Redis or Valkey server that processes share, `redis://HOST:PORT` or
    /// `rediss://` over TLS [default: this process's memory].
    #[arg(long, value_name = "URL", env = "REDIS_URL", hide_env_values = true, help_heading = HEADING)]
    redis_url: Option<Secret>,
    /// Trust the authorities of this PEM file for TLS [default: the system's].
    #[arg(long, value_name = "FILE", env = "LUCIHUB_REDIS_CA_FILE", hide_env_values = true, help_heading = HEADING)]
    redis_ca_file: Option<OsString>,
    /// What every key on the server begins with [default: lh].
    #[arg(long, value_name = "TEXT", env = "LUCIHUB_KEY_PREFIX", hide_env_values = true, help_heading = HEADING)]
    key_prefix: Option<String>,
}

/// A URL that may hold a password.
#[derive(Clone)]
struct Secret(String);

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Hot {
    /// The server's URL, if one is named. An empty variable names none, as one that is not set.
    fn url(&self) -> Option<&str> {
        self.redis_url.as_ref().map(|url| url.0.trim()).filter(|url| !url.is_empty())
    }

    /// Whether other processes see what is there.
    pub(crate) fn is_shared(&self) -> bool {
        self.url().is_some()
    }

    /// The server as people may see it: without user, password and parameters.
    pub(crate) fn server(&self) -> Option<String> {
        let url = self.url()?;
        let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
        // Nobody knows where the password of a URL ends that does not parse.
        let Ok(parsed) = Url::parse(url) else { return Some("Redis".to_owned()) };
        let host = parsed.host_str().unwrap_or_default();
        let port = parsed.port().map(|port| format!(":{port}")).unwrap_or_default();
        let socket = if scheme.ends_with("+unix") { parsed.path() } else { "" };
        Some(format!("{scheme}://{host}{port}{socket}"))
    }

    /// Both storages, with cold storage at this URL.
    pub(crate) fn with_cold(&self, cold: &str) -> Urls {
        let Some(server) = self.url() else { return Urls::new("memory:", cold) };
        let mut urls = Urls::new(server, cold);
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
        Hot { redis_url: Some(Secret(url.to_owned())), ..Hot::default() }
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
    fn an_empty_variable_names_no_server() {
        for hot in [at(""), at(" "), Hot::default()] {
            assert!(!hot.is_shared() && hot.server().is_none());
            assert_eq!(hot.with_cold("none:").hot, "memory:");
        }
    }
}
