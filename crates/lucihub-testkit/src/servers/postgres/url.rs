//! URLs of databases.

use std::fmt::Write;

/// `postgres://USER:PASSWORD@127.0.0.1:PORT/DATABASE`.
pub(super) fn local(user: &str, password: &str, port: u16, database: &str) -> String {
    let [user, password, database] = [user, password, database].map(escaped);
    format!("postgres://{user}:{password}@127.0.0.1:{port}/{database}")
}

/// The same URL with another database.
pub(super) fn with_database(url: &str, database: &str) -> Result<String, String> {
    let Some((scheme, rest)) = url.split_once("://").filter(|(scheme, _)| ["postgres", "postgresql"].contains(scheme))
    else {
        return Err("a URL of PostgreSQL begins with postgres://".to_owned());
    };
    let (address, parameters) = rest.find('?').map_or((rest, ""), |at| rest.split_at(at));
    let host = address.split_once('/').map_or(address, |(host, _)| host);
    Ok(format!("{scheme}://{host}/{}{parameters}", escaped(database)))
}

/// Everything but letters, digits and `-._~` as `%XX`.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("a string takes everything");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_passwords_are_escaped() {
        assert_eq!(
            local("a b", "p@:/?#ü", 5432, "x/y"),
            "postgres://a%20b:p%40%3A%2F%3F%23%C3%BC@127.0.0.1:5432/x%2Fy"
        );
    }

    #[test]
    fn a_database_is_replaced_and_the_rest_stays() {
        for (url, expected) in [
            ("postgres://u:p@h:1/old?sslmode=require", "postgres://u:p@h:1/new?sslmode=require"),
            ("postgresql://u@h", "postgresql://u@h/new"),
            ("postgres://h?host=/var/run", "postgres://h/new?host=/var/run"),
            ("postgres:///?host=/run", "postgres:///new?host=/run"),
        ] {
            assert_eq!(with_database(url, "new").as_deref(), Ok(expected));
        }
        assert!(with_database("redis://h", "new").is_err());
    }
}
