//! What the client reports, sorted by what it means for the caller.

use fred::error::{Error, ErrorKind};
use lucihub_models_core::StoreError;

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// The server does not know the script yet.
    NoScript,
    /// Nothing was done; soon it may work: a slot moves, a server loads or steps down.
    Later(String),
    /// Nothing was done, for want of room; and where that is wanting.
    Full(String),
    /// Nothing was done, and trying again does not help.
    Refused(String),
    /// The client did not even send it.
    Unsent(String),
    /// No answer came. It may have been done.
    Lost(String),
}

/// What the first word of a server's error means.
const LATER: [&str; 10] =
    ["MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN", "LOADING", "READONLY", "MASTERDOWN", "NOREPLICAS", "BUSY", "UNBLOCKED"];

/// The same, where the first word does not tell: a slot leaves while a script runs, a master has become a replica.
const LATER_IN: [&str; 4] =
    ["non local key", "while the cluster is down", "cannot be used with replica instances", "max number of clients"];

/// The client's words for people: it quotes errors of the system as programs see them.
pub(super) fn plain(details: &str) -> String {
    let inside = |begin: &str, end: char| details.split_once(begin)?.1.split_once(end).map(|(text, _)| text);
    if let Some(why) = inside(CERTIFICATE, ')') {
        return format!("its certificate is not accepted ({why}); name the authority's certificate as the CA file");
    }
    for (form, begin) in [("Os {", "message: \""), ("Custom {", "error: \"")] {
        if details.starts_with(form)
            && let Some(message) = inside(begin, '"')
        {
            return message.to_owned();
        }
    }
    details.to_owned()
}

/// How TLS begins to say what is wrong with a certificate.
const CERTIFICATE: &str = "InvalidCertificate(";

/// What the server or TLS says at opening that no waiting changes: a part of it, and what it means for people.
const REFUSALS: [(&str, &str); 6] = [
    ("WRONGPASS", "it refuses the login; check user and password of the URL, special characters escaped as in %20"),
    ("NOAUTH", "it refuses the login; name user and password, as in redis://USER:PASSWORD@HOST:PORT"),
    ("DB index is out of range", "it has no database of this number; leave it out of the URL, or name a lower one"),
    ("cluster support disabled", "it is no cluster; use redis:// or rediss:// for a single server"),
    (
        "'SENTINEL'",
        "it is no Sentinel; name the sentinels, whose port is 26379 as a rule, or use redis:// for the server",
    ),
    (CERTIFICATE, ""),
];

fn refusal(details: &str) -> Option<String> {
    let (_, meaning) = REFUSALS.iter().find(|(part, _)| details.contains(part))?;
    Some(if meaning.is_empty() { plain(details) } else { format!("{meaning} ({})", details.trim()) })
}

/// The port's error for a connection that could not be opened.
pub(super) fn unopened(server: &str, error: &Error) -> StoreError {
    let details = error.details();
    if let Some(why) = refusal(details) {
        return StoreError::precondition(server, why);
    }
    if *error.kind() == ErrorKind::Timeout {
        return unanswered(server, "no answer in time");
    }
    StoreError::unavailable(server, plain(details))
}

/// The same for one that nobody answered: a server that speaks no TLS waits for the client's next word for ever.
pub(super) fn unanswered(server: &str, why: &str) -> StoreError {
    let hint = if server.starts_with("rediss") { "; if this port does not speak TLS, use redis:// there" } else { "" };
    StoreError::unavailable(server, format!("{why}{hint}"))
}

impl Fault {
    /// What happened, for people.
    pub(super) fn why(self) -> String {
        match self {
            Self::NoScript => "it forgets its scripts".to_owned(),
            Self::Later(why) | Self::Full(why) | Self::Refused(why) | Self::Unsent(why) | Self::Lost(why) => why,
        }
    }

    pub(super) fn of(error: &Error) -> Self {
        let details = &*plain(error.details());
        let word = details.split_whitespace().next().unwrap_or_default();
        if word == "NOSCRIPT" {
            return Self::NoScript;
        }
        if word == "OOM" {
            return Self::Full(
                "its memory is at maxmemory; let the keeper archive and trim, or raise maxmemory".to_owned(),
            );
        }
        // It refuses all writes while it cannot keep them, and takes them again by itself.
        if word == "MISCONF" {
            return Self::Full(format!("its disk takes no more; make room there ({details})"));
        }
        if LATER.contains(&word)
            || LATER_IN.iter().any(|text| details.contains(text))
            || *error.kind() == ErrorKind::Routing
        {
            return Self::Later(details.to_owned());
        }
        match error.kind() {
            ErrorKind::Backpressure => Self::Unsent("too many calls wait for the server".to_owned()),
            ErrorKind::Auth | ErrorKind::Config | ErrorKind::Url | ErrorKind::InvalidArgument => {
                Self::Refused(details.to_owned())
            }
            ErrorKind::IO | ErrorKind::Timeout | ErrorKind::Canceled | ErrorKind::Protocol | ErrorKind::Tls => {
                Self::Lost(details.to_owned())
            }
            // A word in capitals begins what the server itself says.
            _ if !word.is_empty() && word.chars().all(|c| c.is_ascii_uppercase()) => Self::Refused(details.to_owned()),
            _ => Self::Lost(details.to_owned()),
        }
    }

    /// The port's error for it, of a call that may have written.
    pub(super) fn into_store_error(self, server: &str, writes: bool) -> StoreError {
        match self {
            Self::Full(why) => StoreError::Full { store: server.to_owned(), why },
            Self::Refused(why) if why.starts_with("NOPERM") => {
                let what = if why.contains(" command") {
                    ""
                } else {
                    "its patterns must cover the key prefix, as ~lh:* and &lh:* cover lh (LUCIHUB_KEY_PREFIX sets another); "
                };
                let list = "docs/operations.md lists the rights that are needed";
                StoreError::precondition(server, format!("the user lacks a right ({why}); {what}{list}"))
            }
            Self::Refused(why) => StoreError::precondition(server, refusal(&why).unwrap_or(why)),
            Self::NoScript => StoreError::unavailable(server, "it forgets its scripts"),
            Self::Later(why) | Self::Unsent(why) => StoreError::unavailable(server, why),
            Self::Lost(why) if writes => StoreError::Unknown { store: server.to_owned(), why },
            Self::Lost(why) => StoreError::unavailable(server, why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_answer_is_unknown_only_if_it_may_have_written() {
        let lost = Fault::of(&Error::new(ErrorKind::IO, "connection reset"));
        assert!(matches!(lost.clone().into_store_error("r", true), StoreError::Unknown { .. }));
        assert!(matches!(lost.into_store_error("r", false), StoreError::Unavailable { .. }));
    }

    #[test]
    fn errors_of_the_system_are_words() {
        let refused = r#"Os { code: 111, kind: ConnectionRefused, message: "Connection refused" }"#;
        assert_eq!(plain(refused), "Connection refused");
        let unknown =
            r#"Custom { kind: Uncategorized, error: "failed to lookup address information: Name or service" }"#;
        assert_eq!(plain(unknown), "failed to lookup address information: Name or service");
        let foreign = "Custom { kind: InvalidData, error: InvalidCertificate(UnknownIssuer) }";
        assert!(plain(foreign).starts_with("its certificate is not accepted (UnknownIssuer)"));
        assert_eq!(plain("WRONGPASS invalid"), "WRONGPASS invalid");
    }

    #[test]
    fn a_missing_right_names_the_prefix_where_keys_are_refused() {
        let why = |text: &'static str| {
            Fault::of(&Error::new(ErrorKind::Unknown, text)).into_store_error("r", false).to_string()
        };
        assert!(why("NOPERM No permissions to access a key").contains("LUCIHUB_KEY_PREFIX"));
        assert!(!why("NOPERM this user has no permissions to run the 'hkeys' command").contains("LUCIHUB_KEY_PREFIX"));
    }

    #[test]
    fn what_passes_is_tried_again() {
        for text in [
            "MOVED 3999 127.0.0.1:6381",
            "ASK 3999 127.0.0.1:6381",
            "TRYAGAIN Multiple keys request during rehashing of slot",
            "CLUSTERDOWN The cluster is down",
            "LOADING Redis is loading the dataset in memory",
            "READONLY You can't write against a read only replica.",
            "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
            "NOREPLICAS Not enough good replicas to write.",
            "BUSY Redis is busy running a script.",
            "UNBLOCKED force unblock from blocking operation",
            "ERR Script attempted to access a non local key in a cluster node script: 3d1c, on @user_script:7.",
            "ERR Script attempted to access keys while the cluster is down script: 3d1c",
            "ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0",
            "ERR WAITAOF cannot be used with replica instances. Please also note that writes to replicas",
            "ERR max number of clients reached",
        ] {
            let fault = Fault::of(&Error::new(ErrorKind::Unknown, text));
            assert_eq!(fault, Fault::Later(text.to_owned()));
            // Nothing was done, so even a call that writes knows.
            assert!(matches!(fault.into_store_error("r", true), StoreError::Unavailable { .. }), "{text}");
        }
    }

    #[test]
    fn the_servers_words_decide() {
        let of = |text: &'static str| Fault::of(&Error::new(ErrorKind::Unknown, text));
        assert_eq!(of("NOSCRIPT No matching script."), Fault::NoScript);
        let full = |text| matches!(of(text), Fault::Full(why) if why.contains(if text.starts_with("OOM") { "maxmemory" } else { "disk" }));
        assert!(full("OOM command not allowed when used memory > 'maxmemory'."));
        assert!(full("MISCONF Errors writing to the AOF file: No space left on device"));
        assert!(full(
            "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk."
        ));
        assert!(matches!(of("READONLY You can't write against a read only replica."), Fault::Later(_)));
        assert!(matches!(of("NOPERM this user has no permissions"), Fault::Refused(_)));
        assert!(matches!(of("WRONGTYPE Operation against a key"), Fault::Refused(_)));
        assert!(matches!(of("something else"), Fault::Lost(_)));
    }
}
