//! Which setting wins, and what is refused.

use std::ffi::OsString;

use clap::CommandFactory;

use super::*;
use crate::args::Cli;

/// What files set under these variables.
fn files(variables: &[(&str, &str)]) -> Result<Files, Failure> {
    Files::read(&|name| variables.iter().find(|(set, _)| *set == name).map(|(_, value)| OsString::from(value)))
}

fn written(folder: &tempfile::TempDir, name: &str, text: &str) -> String {
    let file = folder.path().join(name);
    std::fs::write(&file, text).unwrap();
    file.display().to_string()
}

#[test]
fn a_file_named_by_a_variable_comes_before_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let secret = written(&folder, "redis", "redis://:s3cret@host:1\n");
    written(&folder, "database", "sqlite:b");
    let configuration = written(
        &folder,
        "config.toml",
        "redis_url = 'redis://other'\nkey_prefix = 'lab'\ndatabase_url_file = 'database'",
    );
    let files = files(&[("LUCIHUB_CONFIG", &configuration), ("REDIS_URL_FILE", &secret)]).unwrap();
    let found: Vec<(&str, &str)> = files.values.iter().map(|(s, value, _)| (s.key, value.as_str())).collect();
    assert_eq!(found, [("database_url", "sqlite:b"), ("redis_url", "redis://:s3cret@host:1"), ("key_prefix", "lab")]);
    let from: Vec<String> = files.values.iter().map(|(.., origin)| origin.to_string()).collect();
    assert!(from[0].ends_with("database, which database_url_file names") && from[1].ends_with("REDIS_URL_FILE names"));
    assert_eq!(from[2], configuration);
}

#[test]
fn mistakes_are_named_and_secrets_are_not() {
    let folder = tempfile::tempdir().unwrap();
    for (text, words) in [
        ("redis_ulr = 's3cret'", "\"redis_ulr\" is no setting; use database_url, redis_url"),
        ("key_prefix = 7", "key_prefix is a integer"),
        ("redis_url = 's3cret", "config.toml: "),
        ("redis_url = 's3cret'\nredis_url_file = 'x'", "both set"),
        ("redis_url_file = 'absent'", "absent"),
    ] {
        let file = written(&folder, "config.toml", text);
        let error = files(&[("LUCIHUB_CONFIG", &file)]).unwrap_err().to_string();
        assert!(error.contains(words) && !error.contains("s3cret"), "{error}");
    }
    let error = files(&[("REDIS_URL", "a"), ("REDIS_URL_FILE", "b")]).unwrap_err().to_string();
    assert_eq!(error, "REDIS_URL and REDIS_URL_FILE are both set; unset one");
    let error = files(&[("LUCIHUB_CONFIG", "/nowhere/config.toml")]).unwrap_err().to_string();
    assert!(error.contains("cannot read /nowhere/config.toml"), "{error}");
}

#[test]
fn the_usual_place_may_be_empty() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().display().to_string();
    assert!(files(&[("HOME", &home)]).unwrap().values.is_empty());
    let file = written(&folder, "beside.toml", "database_url = 'sqlite:data/lab.sqlite'");
    let beside = format!("sqlite:{home}/data/lab.sqlite");
    assert_eq!(files(&[("LUCIHUB_CONFIG", &file)]).unwrap().values[0].1, beside);
    let empty = written(&folder, "empty", " \n");
    assert!(files(&[("REDIS_URL_FILE", &empty)]).unwrap_err().to_string().ends_with("is empty; it should have a URL"));
    std::fs::create_dir_all(folder.path().join(".config/lucihub")).unwrap();
    written(&folder, ".config/lucihub/config.toml", "key_prefix = 'lab'");
    assert_eq!(files(&[("HOME", &home)]).unwrap().values[0].1, "lab");
    let elsewhere = files(&[("HOME", &home), ("XDG_CONFIG_HOME", "/nowhere")]).unwrap();
    assert!(elsewhere.configuration.is_none());
}

#[test]
fn files_become_defaults_of_every_verb() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(&folder, "config.toml", "key_prefix = 'lab'");
    let files = files(&[("LUCIHUB_CONFIG", &file)]).unwrap();
    let command = with_values(Cli::command(), &files.values);
    command.clone().debug_assert();
    let matches = command.get_matches_from(["lucihub", "runs", "list"]);
    let (_, runs) = matches.subcommand().unwrap();
    let (_, list) = runs.subcommand().unwrap();
    assert_eq!(list.get_one::<String>("key_prefix").unwrap(), "lab");
}
