//! What a PostgreSQL URL says.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use lucihub_models_core::Invalid;
use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// Where a database is, and whether its server must prove itself.
#[derive(Clone)]
pub(crate) struct Place {
    pub(super) config: Config,
    /// Whether TLS is spoken; the certificate is always checked then.
    pub(super) tls: bool,
    pub(super) root_certificates: Option<PathBuf>,
}

impl Place {
    pub(super) fn parse(url: &str) -> Result<Self, Invalid> {
        if !is_postgres(url) {
            return Err(invalid("not one of PostgreSQL").hint("write postgres://USER@HOST/DATABASE"));
        }
        let (bare, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut mode, mut root_certificates, mut rest) = (None, None, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", value)) => mode = Some(value.to_owned()),
                Some(("sslrootcert", value)) => root_certificates = Some(PathBuf::from(decoded(value)?)),
                _ => rest.push(pair),
            }
        }
        let bare = if rest.is_empty() { bare.to_owned() } else { format!("{bare}?{}", rest.join("&")) };
        // What the parser says may quote a part of the URL, which may hold a password; which setting it is does not.
        let mut config: Config = bare.parse().map_err(|_| {
            let problem = "its host, port or one of its settings cannot be read";
            invalid(problem)
                .hint("write postgres://USER:PASSWORD@HOST:PORT/DATABASE, with %XX for :, /, @, ? and # in names")
        })?;
        if config.get_hosts().is_empty() {
            return Err(invalid("it names no host").hint("write postgres://USER@HOST/DATABASE"));
        }
        if config.get_dbname().is_none() {
            return Err(invalid("it names no database").hint("write postgres://USER@HOST/DATABASE"));
        }
        let tls = match mode.as_deref() {
            Some("verify-full") => true,
            Some("disable") => false,
            None => !is_here(&config),
            Some(other) => {
                let known = ["allow", "prefer", "require", "verify-ca"].contains(&other);
                let mode = if known { other } else { "another word" };
                return Err(invalid(&format!("sslmode={mode} does not say who must answer")).hint(
                    "write sslmode=verify-full, with sslrootcert=FILE for an authority of your own, or sslmode=disable",
                ));
            }
        };
        if root_certificates.is_some() && !tls {
            return Err(invalid("sslrootcert without TLS").hint("write sslmode=verify-full beside it"));
        }
        // Behind the first @ everything is the host, also the rest of a password with one in it.
        if config.get_hosts().iter().any(|host| matches!(host, Host::Tcp(name) if name.contains('@'))) {
            return Err(invalid("more than one @ before the host").hint("write %40 for an @ in user or password"));
        }
        config.ssl_mode(if tls { SslMode::Require } else { SslMode::Disable });
        if config.get_application_name().is_none() {
            config.application_name("lucihub");
        }
        Ok(Self { config, tls, root_certificates })
    }
}

/// Whether a URL is one of PostgreSQL.
pub(crate) fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

fn invalid(problem: &str) -> Invalid {
    Invalid::new("PostgreSQL URL", problem)
}

fn decoded(text: &str) -> Result<String, Invalid> {
    let text = percent_decode_str(text).decode_utf8().map_err(|_| invalid("sslrootcert is not UTF-8"))?;
    Ok(text.into_owned())
}

/// Whether all that may be connected to is this machine: an address goes before a name.
fn is_here(config: &Config) -> bool {
    config.get_hosts().iter().all(is_this_machine) && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

fn is_this_machine(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => ["localhost", "127.0.0.1", "::1"].contains(&&**name),
        Host::Unix(_) => true,
    }
}

/// Host, port and database.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostgreSQL at ")?;
        for (n, host) in self.config.get_hosts().iter().enumerate() {
            let port = self.config.get_ports().get(n).or(self.config.get_ports().first()).unwrap_or(&5432);
            let comma = if n == 0 { "" } else { "," };
            match host {
                Host::Tcp(name) => write!(f, "{comma}{name}:{port}")?,
                Host::Unix(folder) => write!(f, "{comma}{}", folder.display())?,
            }
        }
        write!(f, ", database {}", self.config.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}{}", if self.tls { ", TLS" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> String {
        let error = Place::parse(url).unwrap_err().to_string();
        assert!(!error.contains("s3cret"), "{error}");
        error
    }

    #[test]
    fn a_password_with_an_at_sign_is_not_taken_for_a_host() {
        for url in ["postgres://u:s3c@s3cret@db.lab/lab", "postgres://u:p@s3cret@127.0.0.1:6000,b/lab?sslmode=disable"]
        {
            assert!(refused(url).contains("%40"), "{url}");
        }
    }

    #[test]
    fn this_machine_needs_no_tls_and_others_do() {
        for (url, tls, shown) in [
            ("postgres://u:p@localhost/lab", false, "PostgreSQL at localhost:5432, database lab"),
            (
                "postgresql://u@127.0.0.1:6000/lab?sslmode=verify-full",
                true,
                "PostgreSQL at 127.0.0.1:6000, database lab",
            ),
            ("postgres://u:p@db.lab/lab", true, "PostgreSQL at db.lab:5432, database lab"),
            ("postgres://u@db.lab/lab?sslmode=disable", false, "PostgreSQL at db.lab:5432, database lab"),
            ("postgres:///lab?host=/run/postgresql", false, "PostgreSQL at /run/postgresql, database lab"),
            ("postgres://u@localhost/lab?hostaddr=203.0.113.5", true, "PostgreSQL at localhost:5432, database lab"),
            ("postgres://u@localhost/lab?hostaddr=127.0.0.2", false, "PostgreSQL at localhost:5432, database lab"),
            ("postgres://a:1,b:2/lab", true, "PostgreSQL at a:1,b:2, database lab"),
        ] {
            let place = Place::parse(url).unwrap();
            assert_eq!((place.tls, place.to_string().as_str()), (tls, shown), "{url}");
        }
    }

    #[test]
    fn settings_of_the_url_are_taken() {
        let url = "postgres://u@db/lab?application_name=scanner&sslrootcert=/etc/ca%20of%20lab.pem&connect_timeout=3";
        let place = Place::parse(url).unwrap();
        assert_eq!(place.root_certificates.unwrap().to_str(), Some("/etc/ca of lab.pem"));
        assert_eq!(place.config.get_application_name(), Some("scanner"));
        assert_eq!(Place::parse("postgres://u@db/lab").unwrap().config.get_application_name(), Some("lucihub"));
    }

    #[test]
    fn what_is_refused_is_named_and_no_password_shown() {
        for (url, named) in [
            ("sqlite:s3cret", "not one of PostgreSQL"),
            ("postgres://u:s3cret@db:99999/lab", "cannot be read"),
            ("postgres://u:s3cret@db/lab?no_such=s3cret", "cannot be read"),
            ("postgres://u:s3cret@db", "no database"),
            ("postgres:///lab", "no host"),
            ("postgres://u:s3cret@db/lab?sslmode=require", "sslmode=require"),
            ("postgres://u:s3cret@db/lab?sslmode=s3cret", "verify-full"),
            ("postgres://u:s3cret@localhost/lab?sslrootcert=/x", "sslrootcert without TLS"),
        ] {
            assert!(refused(url).contains(named), "{}", refused(url));
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let place = Place::parse("postgres://u:s3cret@db/lab").unwrap();
        assert_eq!(format!("{place:?}"), "PostgreSQL at db:5432, database lab, TLS");
    }
}
