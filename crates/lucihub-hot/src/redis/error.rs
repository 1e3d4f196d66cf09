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
    /// Nothing was done, for want of room.
    Full,
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

/// The client's words for people: it quotes errors of the system as programs see them.
pub(super) fn plain(details: &str) -> String {
    let inside = |begin: &str, end: char| details.split_once(begin)?.1.split_once(end).map(|(text, _)| text);
    if let Some(why) = inside("InvalidCertificate(", ')') {
        return format!("its certificate is not accepted ({why}); name the authority's certificate as the CA file");
    }
    if details.starts_with("Os {")
        && let Some(message) = inside("message: \"", '"')
    {
        return message.to_owned();
    }
    details.to_owned()
}

impl Fault {
    pub(super) fn of(error: &Error) -> Self {
        let details = &*plain(error.details());
        let word = details.split_whitespace().next().unwrap_or_default();
        if word == "NOSCRIPT" {
            return Self::NoScript;
        }
        if word == "OOM" {
            return Self::Full;
        }
        if LATER.contains(&word) || *error.kind() == ErrorKind::Routing {
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
            Self::Full => StoreError::Full {
                store: server.to_owned(),
                why: "its memory is at maxmemory; let the keeper archive and trim, or raise maxmemory".to_owned(),
            },
            Self::Refused(why) if why.starts_with("NOPERM") => StoreError::precondition(
                server,
                format!("the user lacks a right ({why}); docs/operations.md lists those that are needed"),
            ),
            Self::Refused(why) => StoreError::precondition(server, why),
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
        let foreign = "Custom { kind: InvalidData, error: InvalidCertificate(UnknownIssuer) }";
        assert!(plain(foreign).starts_with("its certificate is not accepted (UnknownIssuer)"));
        assert_eq!(plain("WRONGPASS invalid"), "WRONGPASS invalid");
    }

    #[test]
    fn the_servers_words_decide() {
        let of = |text: &'static str| Fault::of(&Error::new(ErrorKind::Unknown, text));
        assert_eq!(of("NOSCRIPT No matching script."), Fault::NoScript);
        assert_eq!(of("OOM command not allowed when used memory > 'maxmemory'."), Fault::Full);
        assert!(matches!(of("READONLY You can't write against a read only replica."), Fault::Later(_)));
        assert!(matches!(of("NOPERM this user has no permissions"), Fault::Refused(_)));
        assert!(matches!(of("WRONGTYPE Operation against a key"), Fault::Refused(_)));
        assert!(matches!(of("something else"), Fault::Lost(_)));
    }
}
