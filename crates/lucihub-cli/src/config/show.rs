//! `lucihub config show`: every setting, and where it comes from.

use std::ffi::OsString;

use serde_json::{Value, json};

use super::{FILES, Origin, SETTINGS, Setting, origin};
use crate::args::ConfigArgs;
use crate::failure::Failure;
use crate::output::Row;
use crate::{output, place};

/// A setting as it holds now.
struct Holds {
    key: &'static str,
    value: Option<String>,
    from: Origin,
}

/// Prints every setting with where it comes from; of addresses what is not secret.
pub(crate) fn show(args: &ConfigArgs) -> Result<(), Failure> {
    let given = |setting: &Setting| -> Option<OsString> {
        match setting.key {
            "database_url" => args.place.cold.database_url.as_ref().map(|url| url.exposed().into()),
            "write_version" => args.place.write_version.clone().map(Into::into),
            other => args.place.hot.given(other),
        }
    };
    let mut rows = Vec::new();
    for setting in &SETTINGS {
        let value = given(setting).filter(|value| !value.is_empty());
        let from = match (&args.place.cold.dir, setting.key) {
            (Some(_), "database_url") => Origin::Flag("dir"),
            _ => origin(setting, value.as_deref()),
        };
        let value = match (setting.key, value) {
            ("database_url", _) => Some(place::shown(&args.place.cold)?),
            ("redis_url", _) => args.place.hot.server(),
            (_, value) => value.map(|value| value.to_string_lossy().into_owned()),
        };
        rows.push(Holds { key: setting.key, value, from });
    }
    output::list(&rows, args.lists.format())?;
    match FILES.get().and_then(|files| files.configuration.as_ref()) {
        Some(file) => output::say(format!("configuration file: {}", file.display())),
        None => {
            output::say("no configuration file; LUCIHUB_CONFIG names one, else it is lucihub/config.toml in ~/.config");
        }
    }
    Ok(())
}

impl Row for Holds {
    const COLUMNS: &'static [&'static str] = &["SETTING", "VALUE", "FROM"];

    fn cells(&self) -> Vec<String> {
        let none = match self.key {
            "redis_url" => "none: the memory of each process",
            "key_prefix" => "lh",
            "redis_ca_file" => "the system's",
            "write_version" => "the newest",
            _ => "-",
        };
        vec![self.key.to_owned(), self.value.clone().unwrap_or_else(|| none.to_owned()), self.from.to_string()]
    }

    const FIELDS: &'static [&'static str] = &["setting", "value", "from"];

    fn values(&self) -> Vec<Value> {
        vec![json!(self.key), json!(self.value), json!(self.from.to_string())]
    }

    fn name(&self) -> String {
        self.key.to_owned()
    }
}
