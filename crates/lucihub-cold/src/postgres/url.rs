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

/// How a URL is written, for hints.
const FORM: &str = "write postgres://USER:PASSWORD@HOST:PORT/DATABASE, with %XX for :, /, @, ? and # in names";

/// The settings that [`Config`] reads, beside the two of ours.
const SETTINGS: [&str; 18] = [
    "application_name",
    "channel_binding",
    "connect_timeout",
    "dbname",
    "host",
    "hostaddr",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "load_balance_hosts",
    "options",
    "password",
    "port",
    "sslnegotiation",
    "target_session_attrs",
    "tcp_user_timeout",
    "user",
];

impl Place {
    pub(super) fn parse(url: &str) -> Result<Self, Invalid> {
        let Some((_, rest)) = url.split_once("://").filter(|_| is_postgres(url)) else {
            return Err(invalid("not one of PostgreSQL").hint(FORM));
        };
        // As the parser does: what is in front of the first @ is user and password, also a ? that is not escaped.
        let host = rest.find('@').map_or(0, |at| at + 1);
        let (bare, query) = match rest[host..].find('?') {
            Some(at) => (&rest[..host + at], &rest[host + at + 1..]),
            None => (rest, ""),
        };
        // Behind the first @ everything is the host, also the rest of a password with one in it.
        if bare[host..].contains('@') || query.contains('@') && !query.contains('=') {
            return Err(too_many_ats());
        }
        let (mut mode, mut root_certificates, mut others) = (None, None, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=').unwrap_or((pair, "")) {
                ("sslmode", value) => mode = Some(value),
                ("sslrootcert", value) => root_certificates = Some(PathBuf::from(decoded(value)?)),
                (name, _) if SETTINGS.contains(&name) => {
                    // The parser's own words may quote the value.
                    if format!("postgres://localhost/any?{pair}").parse::<Config>().is_err() {
                        return Err(invalid(format!("the value of its setting {name} cannot be read")));
                    }
                    others.push(pair);
                }
                (name, _) => return Err(unknown_setting(name, query)),
            }
        }
        let bare = format!("postgres://{bare}{}{}", if others.is_empty() { "" } else { "?" }, others.join("&"));
        // What the parser says may quote a part of the URL, which may hold a password.
        let mut config: Config = bare.parse().map_err(|_| invalid("its host or port cannot be read").hint(FORM))?;
        if config.get_hosts().is_empty() {
            return Err(invalid("it names no host").hint(FORM));
        }
        if config.get_dbname().is_none() {
            return Err(invalid("it names no database").hint(FORM));
        }
        let tls = match mode {
            Some("verify-full") => true,
            Some("disable") => false,
            None => !is_here(&config),
            Some(other) => return Err(refused_mode(other, query)),
        };
        if root_certificates.is_some() && !tls {
            return Err(invalid("sslrootcert without TLS").hint("write sslmode=verify-full beside it"));
        }
        if config.get_hosts().iter().any(|host| matches!(host, Host::Tcp(name) if name.contains('@'))) {
            return Err(too_many_ats());
        }
        config.ssl_mode(if tls { SslMode::Require } else { SslMode::Disable });
        if config.get_application_name().is_none() {
            config.application_name("lucihub");
        }
        Ok(Self { config, tls, root_certificates })
    }
}

/// Whether a URL is meant for PostgreSQL, by its scheme, in small letters or capitals.
///
/// ```
/// use lucihub_cold::postgres::is_postgres;
/// assert!(is_postgres("postgresql://lucihub_writer@db.lab/lucihub"));
/// assert!(is_postgres("POSTGRES://db.lab/lucihub") && !is_postgres("sqlite:lab.db"));
/// ```
#[must_use]
pub fn is_postgres(url: &str) -> bool {
    let scheme = url.split_once(':').map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| ["postgres", "postgresql"].iter().any(|ours| scheme.eq_ignore_ascii_case(ours)))
}

fn invalid(problem: impl Into<String>) -> Invalid {
    Invalid::new("PostgreSQL URL", problem)
}

fn too_many_ats() -> Invalid {
    invalid("more than one @ before the host").hint("write %40 for an @ in user or password")
}

/// A mode that leaves open who answers, or none at all.
fn refused_mode(mode: &str, query: &str) -> Invalid {
    let hint = "write sslmode=verify-full, with sslrootcert=FILE for an authority of your own, or sslmode=disable";
    let problem = match mode {
        "allow" | "prefer" | "require" | "verify-ca" => format!("sslmode={mode} does not say who must answer"),
        _ => format!("sslmode={} is not known", word(mode, query).unwrap_or("another word")),
    };
    invalid(problem).hint(hint)
}

fn unknown_setting(name: &str, query: &str) -> Invalid {
    let what = word(name, query).map_or_else(|| "one of its settings".to_owned(), |name| format!("its setting {name}"));
    let hint = format!("known are sslmode, sslrootcert, {}; write & between two of them", SETTINGS.join(", "));
    invalid(format!("{what} is not known")).hint(hint)
}

/// A word of a query, if it can be shown: it looks like one, and an @ behind it does not make it a part of a password.
fn word<'a>(word: &'a str, query: &str) -> Option<&'a str> {
    let plain = word.bytes().all(|byte| byte.is_ascii_lowercase() || b"_-".contains(&byte));
    (plain && (1..=32).contains(&word.len()) && !query.contains('@')).then_some(word)
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
            ("POSTGRES://u:p@localhost/lab", false, "PostgreSQL at localhost:5432, database lab"),
            ("PostgreSQL://u:p?q@localhost/lab", false, "PostgreSQL at localhost:5432, database lab"),
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
            ("postgres://u:s3cret@db/lab?no_such=s3cret", "its setting no_such is not known"),
            ("postgres://u:s3cret@db/lab?sslmod=verify-full", "its setting sslmod is not known; known are sslmode, "),
            ("postgres://u:s3cret@db/lab?connect_timeout=3&sslcert=s3cret", "its setting sslcert is not known"),
            ("postgres://u:s3cret@db/lab?sslmode", "verify-full"),
            ("postgres://u:s3cret@db/lab?connect_timeout=s3cret", "connect_timeout cannot be read"),
            ("postgres://u:p?s3cret@db", "no database"),
            ("postgres://u:p@x?s3cret@db/lab", "%40"),
            ("postgres://u:p@x?s3cret&secret=y@db/lab", "one of its settings is not known"),
            ("postgres://u:s3cret@db", "no database"),
            ("postgres:///lab", "no host"),
            ("postgres://u:s3cret@db/lab?sslmode=require", "sslmode=require"),
            (
                "postgres://u:s3cret@db/lab?sslmode=s3cret",
                "sslmode=another word is not known; write sslmode=verify-full",
            ),
            ("postgres://u:s3cret@db/lab?sslmode=verify_full", "sslmode=verify_full is not known"),
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
