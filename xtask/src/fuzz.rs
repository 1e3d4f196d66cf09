//! `cargo xtask fuzz`: the fuzz targets with counters of coverage, each for a while.
//!
//! A target is an ordinary test in a module `fuzz`, see `lucihub_testkit::fuzz`: `cargo test` runs each of them on a
//! fixed number of inputs. Here they are built once more, with counters that libFuzzer reads, on the same stable compiler.
//! Its C++ is compiled with the rest, so a C++ compiler is needed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use cargo_metadata::Message;
use clap::Args;

use crate::job::Job;
use crate::workspace::Workspace;

/// Options of `cargo xtask fuzz`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Run this target alone.
    target: Option<String>,
    /// How long each target runs.
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u32,
    /// Only name the targets.
    #[arg(long)]
    list: bool,
}

/// What is built: the packages that have targets.
const PACKAGES: [&str; 6] = ["-p", "lucihub-hot", "-p", "lucihub-cold", "-p", "lucihub-testkit"];

/// Counters at each edge and at each comparison, and the panics of a debug build at the speed of an optimised one.
const FLAGS: &str = "--cfg fuzzing --cfg fuzzing_libfuzzer -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Copt-level=1 -Cdebug-assertions=yes";

/// A target: the name of its test, and the program that has it.
#[derive(Debug)]
struct Target {
    test: String,
    program: PathBuf,
}

impl Target {
    fn name(&self) -> &str {
        self.test.rsplit("::").next().unwrap_or_default()
    }
}

/// Builds the targets and runs them one after the other.
///
/// # Errors
/// Where they do not build, where there is none of that name, and at the first that finds a fault.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let mut targets = build(workspace)?;
    let known: Vec<&str> = targets.iter().map(Target::name).collect();
    if options.list {
        println!("{}", known.join("\n"));
        return Ok(());
    }
    if let Some(wanted) = &options.target {
        if !known.contains(&&**wanted) {
            bail!("no target is called {wanted:?}; there are {}", known.join(", "));
        }
        targets.retain(|target| target.name() == wanted);
    }
    targets.iter().try_for_each(|target| fuzz(workspace, target, options.seconds))
}

fn build(workspace: &Workspace) -> Result<Vec<Target>> {
    let host = Job::new("rustc", ["--print", "host-tuple"], workspace.root()).capture()?;
    let folder = workspace.root().join("target/fuzz").display().to_string();
    // A target platform that is named keeps the flags away from macros and build scripts, which nobody links libFuzzer to.
    let arguments = ["test", "--no-run", "--all-features", "--lib", "--test", "decoders", "--target", host.trim()];
    let output = ["--target-dir", &folder, "--message-format", "json-render-diagnostics"];
    let arguments = arguments.into_iter().chain(output).chain(PACKAGES);
    let build = Job::cargo(arguments, workspace.root()).with_environment("RUSTFLAGS", FLAGS);
    println!("$ {build}");
    let printed = build.capture()?;
    let mut targets = Vec::new();
    for message in Message::parse_stream(printed.as_bytes()) {
        let Message::CompilerArtifact(artifact) = message? else { continue };
        let Some(program) = artifact.executable.map(PathBuf::from) else { continue };
        let listed = Job::program(&program, ["--list", "--format", "terse"], workspace.root()).capture()?;
        targets.extend(names(&listed).map(|test| Target { test, program: program.clone() }));
    }
    targets.sort_by(|a, b| a.name().cmp(b.name()));
    Ok(targets)
}

/// The tests right in a module `fuzz`, of what a test program lists.
fn names(listed: &str) -> impl Iterator<Item = String> {
    let tests = listed.lines().filter_map(|line| line.strip_suffix(": test"));
    tests.filter(|test| matches!(test.rsplit("::").collect::<Vec<_>>()[..], [_, "fuzz", ..])).map(str::to_owned)
}

fn fuzz(workspace: &Workspace, target: &Target, seconds: u32) -> Result<()> {
    let folder = workspace.root().join("target/fuzz/inputs").join(target.name());
    let (corpus, faults) = (folder.join("corpus"), folder.join("faults"));
    for made in [&corpus, &faults] {
        fs::create_dir_all(made).with_context(|| format!("cannot make {}", made.display()))?;
    }
    // libFuzzer's arguments are parted at blanks, which the path of a workspace may have: they are relative to here.
    let arguments = format!("-max_total_time={seconds} -artifact_prefix=faults/ -print_final_stats=1 corpus");
    let job = Job::program(&target.program, [&target.test, "--exact", "--nocapture"], &folder)
        .with_environment("BOLERO_LIBFUZZER_ARGS", arguments)
        .with_environment("LUCIHUB_FUZZ_CORPUS", "corpus");
    let known = files(&faults)?;
    let outcome = job.run();
    for fault in files(&faults)?.iter().filter(|file| !known.contains(file)) {
        let bytes = fs::read(fault)?;
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        println!("\nA fault. Mend it, and keep the input as a line of fuzz/{}.hex in its crate:\n{hex}", target.name());
    }
    outcome
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_the_tests_of_modules_called_fuzz() {
        let listed =
            "redis::fuzz::head: test\nfuzz::cursor: test\nfuzz::tests::a: test\nx::b: test\nfuzz::b: benchmark\n";
        assert_eq!(names(listed).collect::<Vec<_>>(), ["redis::fuzz::head", "fuzz::cursor"]);
    }
}
