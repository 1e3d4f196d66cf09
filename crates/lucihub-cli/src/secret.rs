//! A URL that may hold a password.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use url::Url;

use crate::config::is_set;
use crate::output;

/// A URL that may hold a password: `Debug` does not show it.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    /// The URL, if there is one: an empty variable names nothing, as one that is not set.
    pub(crate) fn url(&self) -> Option<&str> {
        Some(self.0.trim()).filter(|url| !url.is_empty())
    }

    /// All of it, password and all.
    pub(crate) fn exposed(&self) -> &str {
        &self.0
    }

    /// Whether the variable of that name has this value, or a file, so that the next command finds it there.
    pub(crate) fn is_set_as(&self, name: &str) -> bool {
        is_set(name, self.0.as_ref())
    }

    /// What the next commands need to find the same: words in front of them, and flags behind. Nothing where the variable
    /// of that name has it; and a URL that may hold a password is not repeated.
    pub(crate) fn typed(&self, variable: &str, flag: &str) -> (String, String) {
        match self.url().filter(|_| !self.is_set_as(variable)) {
            Some(_) if self.may_be_secret() => (format!("{variable}=... "), String::new()),
            Some(url) => (String::new(), format!(" {flag} {}", output::typed(url))),
            None => Default::default(),
        }
    }

    /// Whether it holds a password, or may, since it cannot be taken apart or has one that is not escaped.
    fn may_be_secret(&self) -> bool {
        const PARAMETERS: [&str; 2] = ["sentinelPassword", "password"];
        let in_query = |url: Url| url.query().is_some_and(|query| PARAMETERS.iter().any(|name| query.contains(name)));
        self.0.contains('@') || Url::parse(&self.0).map_or(true, in_query)
    }
}

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
