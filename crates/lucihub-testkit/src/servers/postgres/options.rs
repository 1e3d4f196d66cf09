//! How a `postgres` is set up.

use std::fmt::{Display, Write};
use std::path::Path;

use crate::servers::certificates::Certificates;

/// How a [`PostgresServer`](super::PostgresServer) is set up: with TLS and without, autovacuum on, and files that survive the
/// death of the server but not that of the machine, unless said otherwise.
///
/// ```
/// use lucihub_testkit::servers::PostgresOptions;
/// let options = PostgresOptions::new()
///     .tls_only()
///     .max_connections(20)
///     .shared_buffers(16 << 20)
///     .line("log_statement = all");
/// # drop(options);
/// ```
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    tls_only: bool,
    fsync: bool,
    autovacuum: bool,
    shared_buffers: u64,
    max_connections: u32,
    lines: Vec<String>,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            tls_only: false,
            fsync: false,
            autovacuum: true,
            shared_buffers: 32 << 20,
            max_connections: 100,
            lines: Vec::new(),
        }
    }
}

impl PostgresOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Refuses connections without TLS.
    #[must_use]
    pub fn tls_only(mut self) -> Self {
        self.tls_only = true;
        self
    }

    /// Calls `fsync`, as a server does that survives its machine: for measurements.
    #[must_use]
    pub fn fsync(mut self) -> Self {
        self.fsync = true;
        self
    }

    /// Leaves dead rows where they are, and statistics as they were.
    #[must_use]
    pub fn without_autovacuum(mut self) -> Self {
        self.autovacuum = false;
        self
    }

    /// `shared_buffers` in bytes, whole pages of 8 KiB; 32 MiB if not set.
    #[must_use]
    pub fn shared_buffers(mut self, bytes: u64) -> Self {
        self.shared_buffers = bytes;
        self
    }

    /// `max_connections`; 100 if not set. Three of them are the superuser's.
    #[must_use]
    pub fn max_connections(mut self, count: u32) -> Self {
        self.max_connections = count;
        self
    }

    /// One more line of `postgresql.conf`, such as `work_mem = 1MB`. It stands last, so that it wins.
    #[must_use]
    pub fn line(mut self, line: &str) -> Self {
        self.lines.push(line.to_owned());
        self
    }

    /// The text of `postgresql.conf`.
    pub(super) fn configuration(&self, port: u16, sockets: &Path, clients: &Path, files: &Certificates) -> String {
        let on = |on: bool| if on { "on" } else { "off" };
        let mut text = String::new();
        let mut line = |key: &str, value: &dyn Display| {
            writeln!(text, "{key} = {value}").expect("a string takes everything");
        };
        line("listen_addresses", &"'127.0.0.1'");
        line("port", &port);
        line("unix_socket_directories", &quoted(sockets));
        line("hba_file", &quoted(clients));
        line("ssl", &"on");
        line("ssl_cert_file", &quoted(&files.certificate));
        line("ssl_key_file", &quoted(&files.key));
        line("password_encryption", &"'scram-sha-256'");
        line("max_connections", &self.max_connections);
        line("max_prepared_transactions", &0);
        line("shared_buffers", &format_args!("{}kB", self.shared_buffers / 1024));
        // In the folder, and so gone with it, instead of in /dev/shm, where a killed server's would stay.
        line("dynamic_shared_memory_type", &"mmap");
        line("fsync", &on(self.fsync));
        // A server that is killed while it writes a page of 8 KiB may have written the first 4 KiB of it, for Linux ends a write
        // between two pages of its own. So whole pages belong in the log here too.
        line("full_page_writes", &"on");
        line("autovacuum", &on(self.autovacuum));
        line("timezone", &"'UTC'");
        line("log_timezone", &"'UTC'");
        line("log_destination", &"'stderr'");
        line("log_min_messages", &"warning");
        line("log_line_prefix", &"'%m [%p] %q%u@%d '");
        for more in &self.lines {
            text.push_str(more);
            text.push('\n');
        }
        text
    }

    /// The text of `pg_hba.conf`: who may connect from where, and how they prove who they are.
    pub(super) fn clients(&self) -> String {
        // Only this process and the server's user reach the socket.
        let mut text = "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n".to_owned();
        if !self.tls_only {
            text.push_str("hostnossl all all 127.0.0.1/32 scram-sha-256\n");
        }
        text
    }
}

/// A path as `postgresql.conf` reads it back.
fn quoted(path: &Path) -> String {
    let path = path.to_str().expect("the path of the temporary folder in UTF-8");
    format!("'{}'", path.replace('\\', r"\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_user_stands_last() {
        let nowhere = Path::new("it's");
        let files = Certificates { authority: nowhere.into(), certificate: nowhere.into(), key: nowhere.into() };
        let options = PostgresOptions::new().shared_buffers(1 << 20).line("work_mem = 1MB");
        let text = options.configuration(1, nowhere, nowhere, &files);
        assert!(text.ends_with("\nwork_mem = 1MB\n"), "{text}");
        assert!(text.contains("\nssl_key_file = 'it''s'\n"), "{text}");
        assert!(text.contains("\nshared_buffers = 1024kB\n"), "{text}");
    }

    #[test]
    fn only_tls_means_no_line_for_others() {
        assert!(PostgresOptions::new().clients().contains("hostnossl"));
        let only = PostgresOptions::new().tls_only().clients();
        assert!(only.contains("hostssl") && !only.contains("hostnossl"), "{only}");
    }
}
