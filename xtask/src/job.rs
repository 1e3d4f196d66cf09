//! A child process: what is printed is what is run, and what one types to run it again.

use std::{
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;

/// One command with its arguments, additional environment and directory.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    program: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(&'static str, String)>,
    directory: PathBuf,
}

impl Job {
    /// `program` with `arguments`, to be run in `directory`.
    pub(crate) fn new<A: Into<String>>(
        program: &'static str,
        arguments: impl IntoIterator<Item = A>,
        directory: &Path,
    ) -> Self {
        Self {
            program: program.into(),
            arguments: arguments.into_iter().map(Into::into).collect(),
            environment: Vec::new(),
            directory: directory.to_owned(),
        }
    }

    /// A program that was built here.
    pub(crate) fn program<A: Into<String>>(
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
        directory: &Path,
    ) -> Self {
        Self { program: program.to_owned(), ..Self::new("", arguments, directory) }
    }

    /// The cargo that runs this command, with `arguments`.
    pub(crate) fn cargo<A: Into<String>>(arguments: impl IntoIterator<Item = A>, directory: &Path) -> Self {
        Self::new("cargo", arguments, directory)
    }

    /// A program of this workspace, built with optimisation, in the folder that this was called from.
    ///
    /// # Errors
    /// Where there is no such folder.
    pub(crate) fn optimised(workspace: &Workspace, package: &str, arguments: &[String]) -> Result<Self> {
        Self::package(workspace, package, &["--release"], arguments)
    }

    /// The same, built as tests are.
    ///
    /// # Errors
    /// As [`optimised`](Self::optimised).
    pub(crate) fn checked(workspace: &Workspace, package: &str, arguments: &[String]) -> Result<Self> {
        Self::package(workspace, package, &[], arguments)
    }

    fn package(workspace: &Workspace, package: &str, how: &[&str], arguments: &[String]) -> Result<Self> {
        let manifest = workspace.root().join("Cargo.toml").display().to_string();
        let cargo = ["run", "--quiet", "--manifest-path", &manifest, "--package", package];
        let words = cargo.iter().chain(how).chain(&["--"]).map(|word| (*word).to_owned());
        Ok(Self::cargo(words.chain(arguments.iter().cloned()), &std::env::current_dir()?))
    }

    /// The same with an environment variable set.
    pub(crate) fn with_environment(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// Prints the command, runs it on this terminal and waits.
    ///
    /// # Errors
    /// Where it cannot start, or ends with another status than 0; the error names the command to repeat.
    pub(crate) fn run(&self) -> Result<()> {
        println!("$ {self}");
        let status = self.command().status().with_context(|| self.cannot_start())?;
        if !status.success() {
            bail!("failed ({status}): {self}");
        }
        Ok(())
    }

    /// Runs it silently and returns what it printed to its standard output.
    ///
    /// # Errors
    /// As [`Job::run`]; the error holds what it printed to its standard error.
    pub(crate) fn capture(&self) -> Result<String> {
        let output = self.command().output().with_context(|| self.cannot_start())?;
        if !output.status.success() {
            bail!("failed ({}): {self}\n{}", output.status, String::from_utf8_lossy(&output.stderr).trim_end());
        }
        String::from_utf8(output.stdout).with_context(|| format!("the output is not UTF-8: {self}"))
    }

    fn command(&self) -> Command {
        let program = match self.program.to_str() {
            Some("cargo") => std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")),
            _ => OsString::from(&self.program),
        };
        let mut command = Command::new(program);
        command
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.directory)
            .stdin(Stdio::null());
        command
    }

    fn cannot_start(&self) -> String {
        format!("cannot start `{}`: is it installed and in PATH?", self.program.display())
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.environment {
            write!(f, "{name}={} ", quoted(value))?;
        }
        f.write_str(&quoted(&self.program.display().to_string()))?;
        self.arguments.iter().try_for_each(|argument| write!(f, " {}", quoted(&without_user(argument))))
    }
}

/// A URL without user and password: what is printed ends in the log of a CI.
fn without_user(argument: &str) -> String {
    match (argument.split_once("://"), argument.rsplit_once('@')) {
        (Some((before, _)), Some((user, place))) if user.len() > before.len() => format!("{before}://...@{place}"),
        _ => argument.to_owned(),
    }
}

/// `text` as a shell reads it back.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,+@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_printed() {
        let job = Job::cargo(["--database-url", "postgres://u:s3@cret@db.lab/lab", "sqlite:a@b"], Path::new("."));
        assert_eq!(job.to_string(), "cargo --database-url postgres://...@db.lab/lab sqlite:a@b");
        let job = Job::cargo(["--database-url=postgres://u:s3cret@db.lab/lab"], Path::new("."));
        assert_eq!(job.to_string(), "cargo --database-url=postgres://...@db.lab/lab");
    }

    #[test]
    fn a_job_prints_as_a_shell_line() {
        let job = Job::cargo(["doc", "--features", "a b", "it's"], Path::new("."))
            .with_environment("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(job.to_string(), r"RUSTDOCFLAGS='-D warnings' cargo doc --features 'a b' 'it'\''s'");
    }

    #[test]
    fn a_failing_job_names_the_command_to_repeat() {
        let error =
            Job::cargo(["no-such-subcommand"], Path::new(".")).capture().expect_err("cargo has no such subcommand");
        assert!(error.to_string().contains("cargo no-such-subcommand"), "{error}");
    }
}
