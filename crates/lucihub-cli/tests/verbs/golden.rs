//! The built command, and texts that were looked at.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The command with nothing of the tester's own settings.
pub(crate) fn lucihub(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lucihub"));
    command.args(args).env("HOME", "/nonexistent").env_remove("CARGO");
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("LUCIHUB_") || name.starts_with("XDG_") {
            command.env_remove(&*name);
        }
    }
    for name in ["DATABASE_URL", "DATABASE_URL_FILE", "REDIS_URL", "REDIS_URL_FILE"] {
        command.env_remove(name);
    }
    command
}

/// What a command printed that succeeded.
pub(crate) fn printed(output: Output) -> String {
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn folder(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verbs").join(kind)
}

/// Compares with the committed text. `LUCIHUB_BLESS=1` writes it anew: look at it then.
pub(crate) fn same_as(kind: &str, name: &str, text: &str) {
    let file = folder(kind).join(name);
    if std::env::var_os("LUCIHUB_BLESS").is_some() {
        std::fs::create_dir_all(folder(kind)).unwrap();
        std::fs::write(&file, text).unwrap();
    }
    let wanted =
        std::fs::read_to_string(&file).unwrap_or_else(|_| panic!("{name} was never looked at; LUCIHUB_BLESS=1"));
    assert!(wanted == text, "{name} was\n{wanted}\nand is\n{text}");
}

/// The committed texts of a kind, by name.
pub(crate) fn committed(kind: &str) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder(kind))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
