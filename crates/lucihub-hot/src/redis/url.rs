//! URLs of servers: what they mean, and what of them may be shown.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use fred::error::Error;
use fred::rustls::pki_types::CertificateDer;
use fred::rustls::pki_types::pem::PemObject;
use fred::rustls::{ClientConfig, RootCertStore};
use fred::types::config::{Config, CredentialProvider, Server, ServerConfig, TlsConnector};
use lucihub_models_core::Invalid;
use url::{ParseError, Url};

/// The schemes, and what each one is.
const SCHEMES: [&str; 7] =
    ["redis", "rediss", "redis+unix", "redis-cluster", "rediss-cluster", "redis-sentinel", "rediss-sentinel"];

/// The scheme, host, port and socket of a URL: no user, no password, no parameters. Of one that does not parse, only
/// the scheme is shown, since nobody knows where its password ends; what stands before a colon alone may be one too.
pub(super) fn shown(url: &str) -> String {
    let Some((scheme, _)) = url.split_once("://") else {
        return without_slashes(url).map_or_else(|| "...".to_owned(), |scheme| format!("{scheme}:..."));
    };
    let scheme = if scheme.len() <= 20 { scheme } else { "" };
    let hidden = format!("{scheme}://...");
    if is_ambiguous(url) {
        return hidden;
    }
    let Ok(parsed) = Url::parse(url) else { return hidden };
    let host = parsed.host_str().unwrap_or_default();
    let port = parsed.port().map(|port| format!(":{port}")).unwrap_or_default();
    let socket = if scheme.ends_with("+unix") { parsed.path() } else { "" };
    format!("{scheme}://{host}{port}{socket}")
}

/// The scheme of a URL that lacks only its slashes.
fn without_slashes(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once(':')?;
    (!rest.starts_with("//") && SCHEMES.contains(&scheme)).then_some(scheme)
}

/// What is wrong with a URL that the client does not take, and what to do. The client's own words may repeat the URL, and
/// so the password.
fn malformed(url: &str) -> (&'static str, &'static str) {
    let parsed = match Url::parse(url) {
        Err(ParseError::InvalidPort) => {
            return (
                "its port is no number from 1 to 65535",
                "write redis://HOST:6379; special characters in user and password are escaped, / as %2F and @ as %40",
            );
        }
        Err(_) => return MALFORMED,
        Ok(parsed) => parsed,
    };
    let number = parsed.path().trim_matches('/');
    if parsed.host_str().unwrap_or_default().is_empty() {
        ("it names no host", "write redis://HOST:6379")
    } else if matches!(parsed.scheme(), "redis" | "rediss") && !number.is_empty() && number.parse::<u8>().is_err() {
        ("its database is no number", "write redis://HOST:6379/1, or leave it out")
    } else {
        MALFORMED
    }
}

const MALFORMED: (&str, &str) = (
    "it is malformed",
    "escape special characters in user and password; a cluster and a Sentinel name more nodes as ?node=HOST:PORT, a \
     Sentinel also sentinelServiceName=NAME",
);

/// Whether a password may go on behind what looks like the host: an `@` stands where none belongs unescaped.
fn is_ambiguous(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split_once(['/', '?', '#', '\\']).is_some_and(|(_, behind)| behind.contains('@'))
}

/// The client's configuration for a URL.
///
/// # Errors
/// [`Invalid`] for a URL that has another form; it never repeats a secret.
pub(super) fn parse(url: &str, ca_file: Option<&Path>) -> Result<Config, Invalid> {
    let invalid = |problem: String| Invalid::new(format!("Redis URL {}", shown(url)), problem);
    let scheme = url.split("://").next().unwrap_or_default();
    if let Some(scheme) = without_slashes(url) {
        return Err(invalid("it lacks // after the scheme".to_owned()).hint(format!("write {scheme}://...")));
    }
    if !url.contains("://") || !SCHEMES.contains(&scheme) {
        return Err(invalid("its scheme is not known".to_owned())
            .hint(format!("use {}, as in redis://host:6379", SCHEMES.join(", "))));
    }
    if is_ambiguous(url) {
        return Err(invalid("it has an @ behind the host".to_owned()).hint(
            "escape special characters in user, password and parameters: / as %2F, # as %23, ? as %3F, @ as %40",
        ));
    }
    // TLS is ours to set up.
    let plain = url.replacen("rediss", "redis", 1);
    let mut config = Config::from_url(if scheme.starts_with("rediss") { &plain } else { url }).map_err(|_| {
        let (problem, hint) = malformed(url);
        invalid(problem.to_owned()).hint(hint)
    })?;
    if let ServerConfig::Unix { path } = &config.server
        && path.as_os_str().is_empty()
    {
        return Err(invalid("it names no socket".to_owned()).hint("use redis+unix:///path/to/redis.sock"));
    }
    if scheme.starts_with("rediss") {
        config.tls = Some(tls(&ca_file.map_or_else(|| Ok(system_roots()), file_roots)?)?.into());
    } else if ca_file.is_some() {
        return Err(invalid("it is not encrypted, but certificates to trust are given".to_owned())
            .hint("use rediss://, or leave the CA file out"));
    }
    // A provider would be asked for sentinels too, which have a password of their own.
    let has_sentinel_password = matches!(config.server, ServerConfig::Sentinel { password: Some(_), .. });
    if config.password.is_none() && !has_sentinel_password {
        config.credential_provider = Some(Arc::new(NoCredentials));
    }
    // The first failure of the first connection is the caller's to know; later ones are met by reconnecting.
    config.fail_fast = true;
    Ok(config)
}

/// Who has no password says nothing, where the client library would begin with a PING: a server whose disk is full refuses
/// that, and reads would be refused with it.
#[derive(Debug)]
struct NoCredentials;

#[async_trait]
impl CredentialProvider for NoCredentials {
    async fn fetch(&self, _: Option<&Server>) -> Result<(Option<String>, Option<String>), Error> {
        Ok((None, None))
    }
}

/// The authorities that the system trusts. Those it cannot read are left out, as browsers do.
fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(fred::rustls_native_certs::load_native_certs().certs);
    roots
}

/// The authorities of a file.
fn file_roots(file: &Path) -> Result<RootCertStore, Invalid> {
    let invalid = |problem: String| Invalid::new(format!("CA file {}", file.display()), problem);
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(file).map_err(|e| invalid(e.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|e| invalid(e.to_string()))?;
        roots.add(certificate).map_err(|e| invalid(e.to_string()))?;
    }
    if roots.is_empty() {
        return Err(invalid("it holds no certificate".to_owned()).hint("give the authority's certificate in PEM"));
    }
    Ok(roots)
}

/// TLS with one provider, named here, so that no other crate of the program decides which.
fn tls(roots: &RootCertStore) -> Result<TlsConnector, Invalid> {
    let provider = Arc::new(fred::rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| Invalid::new("TLS", e.to_string()))?
        .with_root_certificates(roots.clone())
        .with_no_client_auth();
    Ok(tls.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "s3cr@t/?#";

    #[test]
    fn no_part_of_a_password_is_shown() {
        let sentinel = format!("redis-sentinel://host:1/?sentinelServiceName=m&sentinelPassword={SECRET}");
        for (url, expected) in [
            (&*format!("redis://user:{SECRET}@host:6379/1"), "redis://..."),
            (&*format!("redis://:{SECRET}@host"), "redis://..."),
            (&*format!("http://user:{SECRET}@host"), "http://..."),
            (&*format!("user:{SECRET}@host"), "..."),
            (&*sentinel, "redis-sentinel://..."),
            ("redis://user:abc@longsecret/x@host:6379", "redis://..."),
            ("redis://user:123#secret@host", "redis://..."),
            ("redis://user:123?secret@host", "redis://..."),
            ("redis://user:abc@long\\secret@host", "redis://..."),
            ("redis://user:a@b@host:6379", "redis://host:6379"),
            ("redis://user:%40%2F%23@host:6379/1", "redis://host:6379"),
            ("redis+unix:///run/redis.sock", "redis+unix:///run/redis.sock"),
        ] {
            assert_eq!(shown(url), expected, "{url}");
            if expected.ends_with("...") {
                let error = parse(url, None).unwrap_err().to_string();
                assert!(error.starts_with(&format!("Redis URL {expected}:")), "{error}");
                assert!(!["s3cr", "t/", "secret", "abc", "123"].iter().any(|part| error.contains(part)), "{error}");
            }
        }
    }

    #[test]
    fn sentinels_keep_the_password_of_the_url() {
        let url = "redis-sentinel://a:1?node=b:2&sentinelServiceName=lab";
        assert!(parse(url, None).unwrap().credential_provider.is_some());
        let config = parse(&format!("{url}&sentinelUsername=u&sentinelPassword=p"), None).unwrap();
        assert!(config.credential_provider.is_none(), "it would be asked instead");
        let ServerConfig::Sentinel { username, password, .. } = config.server else { panic!("{:?}", config.server) };
        assert_eq!((username.as_deref(), password.as_deref()), (Some("u"), Some("p")));
    }

    #[test]
    fn each_scheme_is_understood() {
        for (url, expected) in [
            ("redis://127.0.0.1:6379", "centralized"),
            ("redis+unix:///run/redis.sock", "unix"),
            ("redis-cluster://127.0.0.1:7000?node=127.0.0.1:7001", "cluster"),
            ("redis-sentinel://127.0.0.1:26379/?sentinelServiceName=lab", "sentinel"),
        ] {
            let server = parse(url, None).unwrap().server;
            let kind = match server {
                ServerConfig::Centralized { .. } => "centralized",
                ServerConfig::Clustered { .. } => "cluster",
                ServerConfig::Unix { .. } => "unix",
                ServerConfig::Sentinel { .. } => "sentinel",
            };
            assert_eq!(kind, expected, "{url}");
        }
        for (bad, problem) in [
            ("redis:127.0.0.1", "Redis URL redis:...: it lacks // after the scheme; write redis://..."),
            ("redis://127.0.0.1:63x79", "its port is no number"),
            ("redis://127.0.0.1:99999", "its port is no number"),
            ("redis://user:pa55/w0rd@host", "/ as %2F"),
            ("redis://", "it names no host"),
            ("rediss://host/one", "its database is no number"),
            ("redis-sentinel://host:1", "sentinelServiceName"),
            ("reddis://host", "use redis, rediss, redis+unix, redis-cluster"),
        ] {
            let error = parse(bad, None).unwrap_err().to_string();
            assert!(error.contains(problem) && !error.contains("w0rd"), "{bad}: {error}");
        }
        for bad in ["localhost:6379", "http://host", "redis+unix://", "redis-sentinel://host:1", ""] {
            let error = parse(bad, None).unwrap_err().to_string();
            assert!(error.starts_with("Redis URL"), "{bad}: {error}");
        }
    }
}
