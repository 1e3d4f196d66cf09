//! Settings that are not typed: from files that the environment names, and from a configuration file.
//!
//! A flag comes first, then its variable, then the file that `..._FILE` names (for secrets), then the configuration
//! file. What comes from files becomes the default of the flags, so that no verb knows the difference.

mod show;

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use clap::Command;

use crate::failure::Failure;

pub(crate) use show::show;

/// The variable that names the configuration file.
const FILE: &str = "LUCIHUB_CONFIG";

/// One setting.
#[derive(Debug, PartialEq, Eq)]
struct Setting {
    /// Its name in the configuration file, and of its flag with `-` for `_`.
    key: &'static str,
    /// The variable that sets it.
    variable: &'static str,
    /// Whether it may hold a password: then a file may hold it, and nothing shows it.
    is_secret: bool,
}

const SETTINGS: [Setting; 5] = [
    Setting { key: "database_url", variable: crate::args::DATABASE_URL, is_secret: true },
    Setting { key: "redis_url", variable: crate::hot::URL, is_secret: true },
    Setting { key: "redis_ca_file", variable: crate::hot::CA_FILE, is_secret: false },
    Setting { key: "key_prefix", variable: crate::hot::PREFIX, is_secret: false },
    Setting { key: "write_version", variable: crate::args::WRITE_VERSION, is_secret: false },
];

impl Setting {
    /// The variable, or the key of the configuration file, that names a file with the value.
    fn of_file(name: &str) -> String {
        format!("{name}{}", if name.chars().all(|c| !c.is_lowercase()) { "_FILE" } else { "_file" })
    }
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Origin {
    Flag(&'static str),
    Variable(&'static str),
    /// A file, and what names it.
    FileOf(String, PathBuf),
    Configuration(PathBuf),
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(key) => write!(f, "--{}", key.replace('_', "-")),
            Self::Variable(name) => f.write_str(name),
            Self::FileOf(name, file) => write!(f, "{}, which {name} names", file.display()),
            Self::Configuration(file) => write!(f, "{}", file.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// What files set.
#[derive(Debug, Default)]
struct Files {
    configuration: Option<PathBuf>,
    values: Vec<(&'static Setting, String, Origin)>,
}

static FILES: OnceLock<Files> = OnceLock::new();

/// Reads the files, once.
///
/// # Errors
/// A file that is named and cannot be read, or that says what is no setting.
pub(crate) fn read() -> Result<(), Failure> {
    let files = Files::read(&|name| std::env::var_os(name).filter(|value| !value.is_empty()))?;
    // It is read once.
    let _ = FILES.set(files);
    Ok(())
}

/// The command with what files set as the defaults of its flags, in every verb.
pub(crate) fn with_defaults(command: Command) -> Command {
    let Some(files) = FILES.get() else { return command };
    with_values(command, &files.values)
}

fn with_values(mut command: Command, values: &[(&'static Setting, String, Origin)]) -> Command {
    for (setting, value, _) in values {
        if command.get_arguments().any(|arg| arg.get_id() == setting.key) {
            command = command.mut_arg(setting.key, |arg| arg.default_value(value.clone()).hide_default_value(true));
        }
    }
    let verbs: Vec<String> = command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    verbs.into_iter().fold(command, |command, verb| command.mut_subcommand(verb, |verb| with_values(verb, values)))
}

/// Whether a value of the setting with this variable is the one that stands there or in files, so that the next command
/// finds it by itself.
pub(crate) fn is_set(variable: &str, value: &OsStr) -> bool {
    match std::env::var_os(variable) {
        Some(set) => set == value,
        None => file_value(variable).is_some_and(|(set, _)| OsStr::new(set) == value),
    }
}

fn file_value(variable: &str) -> Option<(&str, &Origin)> {
    let values = &FILES.get()?.values;
    let found = values.iter().find(|(setting, ..)| setting.variable == variable);
    found.map(|(_, value, origin)| (value.as_str(), origin))
}

/// Where the value of the setting with this variable comes from, in words.
pub(crate) fn came_from(variable: &str, value: &OsStr) -> Option<String> {
    let setting = SETTINGS.iter().find(|setting| setting.variable == variable)?;
    Some(origin(setting, Some(value)).to_string())
}

/// Where the value of a setting comes from.
fn origin(setting: &'static Setting, value: Option<&OsStr>) -> Origin {
    let Some(value) = value else { return Origin::Default };
    match (std::env::var_os(setting.variable), file_value(setting.variable)) {
        (Some(set), _) if set == value => Origin::Variable(setting.variable),
        (None, Some((set, origin))) if OsStr::new(set) == value => origin.clone(),
        _ => Origin::Flag(setting.key),
    }
}

impl Files {
    fn read(variable: &dyn Fn(&str) -> Option<std::ffi::OsString>) -> Result<Self, Failure> {
        let mut files = Self::default();
        let named = variable(FILE).map(PathBuf::from);
        let usual = || {
            let folder = variable("XDG_CONFIG_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
            let folder = folder.or_else(|| Some(Path::new(&variable("HOME")?).join(".config")));
            folder.map(|folder| folder.join("lucihub").join("config.toml")).filter(|file| file.exists())
        };
        files.configuration = named.or_else(usual);
        let table = files.configuration.as_deref().map(configuration).transpose()?.unwrap_or_default();
        for setting in &SETTINGS {
            let by_variable = Setting::of_file(setting.variable);
            let by_key = Setting::of_file(setting.key);
            let text = |key: &str| table.get(key).and_then(toml::Value::as_str).map(str::to_owned);
            let file = if setting.is_secret { variable(&by_variable) } else { None };
            let (value, origin) = match (file, &files.configuration) {
                (Some(_), _) if variable(setting.variable).is_some() => {
                    return Err(Failure::Usage(format!(
                        "{} and {by_variable} are both set; unset one",
                        setting.variable
                    )));
                }
                (Some(file), _) => {
                    let file = PathBuf::from(file);
                    (Some(secret(&file)?), Origin::FileOf(by_variable, file))
                }
                (None, Some(configuration)) => match text(&by_key).filter(|_| setting.is_secret) {
                    Some(file) => {
                        let file = configuration.parent().unwrap_or(Path::new("")).join(file);
                        (Some(secret(&file)?), Origin::FileOf(by_key, file))
                    }
                    None => {
                        let value = text(setting.key).map(|value| beside(configuration, &value));
                        (value, Origin::Configuration(configuration.clone()))
                    }
                },
                (None, None) => (None, Origin::Default),
            };
            files.values.extend(value.map(|value| (setting, value, origin)));
        }
        Ok(files)
    }
}

/// A value of a configuration file, where a database file with a relative name lies beside that.
fn beside(configuration: &Path, value: &str) -> String {
    match value.strip_prefix("sqlite:").map(Path::new) {
        Some(file) if file.is_relative() => {
            format!("sqlite:{}", configuration.parent().unwrap_or(Path::new("")).join(file).display())
        }
        _ => value.to_owned(),
    }
}

/// A file's one value, without the line's end that editors add.
fn secret(file: &Path) -> Result<String, Failure> {
    let text = text_of(file)?.trim().to_owned();
    if text.is_empty() {
        Err(Failure::Usage(format!("{} is empty; it should have a URL", file.display())))
    } else {
        Ok(text)
    }
}

fn text_of(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|why| Failure::File { what: "read", path: file.to_owned(), why })
}

/// What a configuration file says. Anything that is no setting is a mistake.
fn configuration(file: &Path) -> Result<toml::Table, Failure> {
    let wrong = |why: String| Failure::Usage(format!("{}: {why}", file.display()));
    // The message alone: what stands around it may be a password.
    let table: toml::Table =
        text_of(file)?.parse().map_err(|error: toml::de::Error| wrong(error.message().to_owned()))?;
    let mut known: Vec<String> = SETTINGS.iter().map(|setting| setting.key.to_owned()).collect();
    known.extend(SETTINGS.iter().filter(|setting| setting.is_secret).map(|setting| Setting::of_file(setting.key)));
    for (key, value) in &table {
        if !known.contains(key) {
            return Err(wrong(format!("{key:?} is no setting; use {}", known.join(", "))));
        }
        if !value.is_str() {
            return Err(wrong(format!("{key} is a {}, not a text in quotes", value.type_str())));
        }
    }
    for setting in SETTINGS.iter().filter(|setting| setting.is_secret) {
        let of_file = Setting::of_file(setting.key);
        if table.contains_key(setting.key) && table.contains_key(&of_file) {
            return Err(wrong(format!("{} and {of_file} are both set; leave one out", setting.key)));
        }
    }
    Ok(table)
}

#[cfg(test)]
mod tests;
