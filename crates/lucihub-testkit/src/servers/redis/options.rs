//! How a `redis-server` is set up.

use std::fmt::Write;
use std::path::Path;

use super::cli::Admin;
use super::server::RedisServer;
use crate::servers::certificates::Certificates;

/// When a server with an append-only file calls `fsync`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fsync {
    /// Before each answer.
    Always,
    /// Once a second.
    EverySecond,
}

/// Which ports speak TLS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Tls {
    /// None.
    #[default]
    Off,
    /// One beside the plain port.
    Beside,
    /// The only one.
    Only,
}

/// What a process is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Role {
    /// One that keeps keys.
    #[default]
    Server,
    /// One that watches others; it knows few of their settings.
    Sentinel,
}

/// How a [`RedisServer`] is set up: without persistence, TLS, passwords and limits unless said otherwise.
///
/// ```
/// use lucihub_testkit::servers::{Fsync, RedisOptions};
/// let options = RedisOptions::new()
///     .append_only(Fsync::Always)
///     .max_memory(16 << 20)
///     .acl("user default off\nuser lucihub on >secret ~lh:* +@all")
///     .tls()
///     .line("maxclients 100");
/// # drop(options);
/// ```
#[derive(Debug, Clone, Default)]
pub struct RedisOptions {
    append_only: Option<Fsync>,
    max_memory: Option<u64>,
    policy: Option<String>,
    pub(super) acl: Option<String>,
    pub(super) tls: Tls,
    replica_of: Option<(u16, Option<Admin>)>,
    pub(super) role: Role,
    pub(super) bears_full_disk: bool,
    lines: Vec<String>,
}

impl RedisOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps an append-only file, so that a restart keeps what was written.
    #[must_use]
    pub fn append_only(mut self, fsync: Fsync) -> Self {
        self.append_only = Some(fsync);
        self
    }

    /// Bears [`RedisServer::limit_files`], whose signal would end it.
    #[must_use]
    pub fn bearing_full_disk(mut self) -> Self {
        self.bears_full_disk = true;
        self
    }

    /// `maxmemory` in bytes; what happens there is the policy's business.
    #[must_use]
    pub fn max_memory(mut self, bytes: u64) -> Self {
        self.max_memory = Some(bytes);
        self
    }

    /// `maxmemory-policy`; `noeviction` if not set.
    #[must_use]
    pub fn max_memory_policy(mut self, policy: &str) -> Self {
        self.policy = Some(policy.to_owned());
        self
    }

    /// The lines of the ACL file. The user `default` may do everything unless a line says `user default off`. A line for the
    /// user of [`RedisServer::cli`], who may do everything, is added.
    #[must_use]
    pub fn acl(mut self, lines: &str) -> Self {
        self.acl = Some(lines.to_owned());
        self
    }

    /// TLS on a port beside the plain one, with a certificate of its own authority: [`RedisServer::ca_file`].
    #[must_use]
    pub fn tls(mut self) -> Self {
        self.tls = Tls::Beside;
        self
    }

    /// TLS on the only port.
    #[must_use]
    pub fn tls_only(mut self) -> Self {
        self.tls = Tls::Only;
        self
    }

    /// A replica of a server that has a plain port.
    #[must_use]
    pub fn replica_of(mut self, master: &RedisServer) -> Self {
        self.replica_of = Some((master.port(), master.admin()));
        self
    }

    /// One more line of `redis.conf`. It stands last, so that it wins.
    #[must_use]
    pub fn line(mut self, line: &str) -> Self {
        self.lines.push(line.to_owned());
        self
    }

    /// Lines that those of [`RedisOptions::line`] win over.
    pub(super) fn lines_before(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.lines.splice(0..0, lines);
        self
    }

    pub(super) fn sentinel() -> Self {
        Self { role: Role::Sentinel, ..Self::default() }
    }

    /// The user of [`RedisServer::cli`], where there are users.
    pub(super) fn admin(&self) -> Option<Admin> {
        self.acl.is_some().then_some(Admin)
    }
}

/// What a configuration names and the options do not know.
pub(super) struct Place<'a> {
    pub(super) port: u16,
    pub(super) tls_port: Option<u16>,
    pub(super) socket: &'a Path,
    /// Of the append-only file, and whatever else the server keeps.
    pub(super) contents: &'a Path,
    pub(super) users: &'a Path,
    pub(super) certificates: Option<&'a Certificates>,
}

impl RedisOptions {
    /// The text of `redis.conf`.
    pub(super) fn configuration(&self, place: &Place<'_>) -> String {
        let mut text = String::new();
        let mut line = |key: &str, value: &dyn std::fmt::Display| {
            writeln!(text, "{key} {value}").expect("a string takes everything");
        };
        // `localhost` may be either; the `-` lets a machine be without IPv6.
        line("bind", &"127.0.0.1 -::1");
        line("port", &place.port);
        line("unixsocket", &quoted(place.socket));
        line("dir", &quoted(place.contents));
        if let (Some(port), Some(files)) = (place.tls_port, place.certificates) {
            line("tls-port", &port);
            line("tls-ca-cert-file", &quoted(&files.authority));
            line("tls-cert-file", &quoted(&files.certificate));
            line("tls-key-file", &quoted(&files.key));
            line("tls-auth-clients", &"no");
        }
        if self.role == Role::Server {
            self.write_server_lines(&mut line, place);
        }
        for more in &self.lines {
            line(more, &"");
        }
        text
    }

    fn write_server_lines(&self, line: &mut dyn FnMut(&str, &dyn std::fmt::Display), place: &Place<'_>) {
        line("save", &"\"\"");
        // Without it a first synchronisation waits five seconds for more replicas.
        line("repl-diskless-sync-delay", &0);
        line("maxmemory", &self.max_memory.unwrap_or(0));
        line("maxmemory-policy", &self.policy.as_deref().unwrap_or("noeviction"));
        if let Some(fsync) = self.append_only {
            line("appendonly", &"yes");
            line("appendfsync", if fsync == Fsync::Always { &"always" } else { &"everysec" });
        }
        if self.acl.is_some() {
            line("aclfile", &quoted(place.users));
        }
        let master = self.replica_of.as_ref();
        // A node of a cluster, or one that sentinels watch, may become a replica of one with the same options.
        if self.admin().or(master.and_then(|(_, admin)| *admin)).is_some() {
            line("masteruser", &Admin::USER);
            line("masterauth", &Admin::PASSWORD);
        }
        if let Some((port, _)) = master {
            line("replicaof", &format_args!("127.0.0.1 {port}"));
        }
    }
}

/// A path as `redis.conf` reads it back.
fn quoted(path: &Path) -> String {
    let path = path.to_str().expect("the path of the temporary folder in UTF-8");
    format!("\"{}\"", path.replace('\\', r"\\").replace('"', r#"\""#))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_user_stands_last() {
        let nowhere = Path::new("a \"b\"");
        let place =
            Place { port: 1, tls_port: None, socket: nowhere, contents: nowhere, users: nowhere, certificates: None };
        let text = RedisOptions::new().line("maxclients 10").configuration(&place);
        assert!(text.ends_with("maxclients 10 \n"), "{text}");
        assert!(text.contains("unixsocket \"a \\\"b\\\"\"\n"), "{text}");
        assert!(text.contains("maxmemory-policy noeviction\n"), "{text}");
    }
}
