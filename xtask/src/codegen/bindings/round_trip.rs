//! The examples as other languages get them, and whether they come back.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};

use super::super::documents::Kind;
use super::super::examples::examples;
use super::spelling::canonical;

/// A document as Rust writes it.
#[derive(Debug)]
pub(super) struct Given {
    file: String,
    kind: &'static Kind,
    text: String,
}

/// The examples of all versions, read and written by Rust.
///
/// # Errors
/// Where Rust refuses one.
pub(super) fn documents(schemas: &BTreeMap<String, String>) -> Result<Vec<Given>> {
    let documents = examples(schemas).map(|example| {
        let kind = Kind::of(example.kind).with_context(|| format!("{} is of no kind", example.file))?;
        // Input and output keep the line breaks that they have in the file.
        let text = canonical(&kind.rewrite(example.text)?);
        Ok(Given { file: example.file.to_owned(), kind, text })
    });
    documents.collect()
}

/// A line for each: kind, tab, document.
pub(super) fn to_lines(documents: &[Given]) -> String {
    documents.iter().map(|given| format!("{}\t{}\n", given.kind.name, given.text)).collect()
}

/// Compares what came back, as Rust reads it; the last line is a run that the other language made.
///
/// # Errors
/// Where one is missing, is refused or is another document.
pub(super) fn compare(documents: &[Given], back: &str, language: &str) -> Result<()> {
    let mut lines = back.lines();
    for Given { file, kind, text } in documents {
        let line = lines.next().with_context(|| format!("{file} did not come back"))?;
        let document = line.strip_prefix(kind.name).and_then(|rest| rest.strip_prefix('\t'));
        let document = document.with_context(|| format!("{file} came back as: {line}"))?;
        let read = canonical(&kind.rewrite(document).with_context(|| format!("{file} came back as: {document}"))?);
        if read != *text {
            bail!("{file} came back as another document:\n{text}\n{read}");
        }
    }
    let made = lines.next().and_then(|line| line.strip_prefix("run\t")).context("no run was made")?;
    let run = Kind::of("run").context("runs are documents")?;
    let read = run.rewrite(made).with_context(|| format!("the run that {language} made: {made}"))?;
    let label = format!("{{\"made in\":\"{language}\"}}");
    for part in [&*label, "\"ic\":-0.0", "\"state\":\"queued\"", "\"at\":\"2026-11-23T17:30:00.250000Z\""] {
        ensure!(read.contains(part), "{part} is not in the run that {language} made: {read}");
    }
    ensure!(lines.next().is_none(), "more documents came back than were given");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = r#"{"id":"0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e","type":"run","created_at":"2026-11-23T17:30:00.250000Z","states":[{"state":"queued","at":"2026-11-23T17:30:00.250000Z"}],"labels":{"made in":"Python"},"input":{"ic":-0.0}}"#;

    fn given() -> Vec<Given> {
        let example = r#"{"version":"v2","device":{"id":"lucidac-1","type":"LUCIDAC","newer":-0.0}}"#;
        documents(&BTreeMap::from([("v2/examples/device-a.json".to_owned(), example.to_owned())])).unwrap()
    }

    fn made() -> String {
        format!("run\t{{\"version\":\"v2\",\"run\":{{\"head\":{HEAD}}}}}\n")
    }

    fn refused(lines: &str) -> String {
        format!("{:#}", compare(&given(), lines, "Python").unwrap_err())
    }

    #[test]
    fn what_comes_back_the_same_is_taken() {
        compare(&given(), &(to_lines(&given()) + &made()), "Python").unwrap();
    }

    #[test]
    fn what_comes_back_otherwise_is_refused() {
        let lost = to_lines(&given()).replace("-0.0", "0.0");
        for (lines, words) in [
            (String::new(), "v2/examples/device-a.json did not come back"),
            (lost + &made(), "came back as another document"),
            (to_lines(&given()).replace("device", "head") + &made(), "came back as: head"),
            (to_lines(&given()).replace("LUCIDAC\"", "LUCIDAC\",\"seen_at\":7") + &made(), "not a valid v2 device"),
            (to_lines(&given()), "no run was made"),
            (to_lines(&given()) + &made().replace("-0.0", "0"), "\"ic\":-0.0 is not in the run that Python made"),
            (to_lines(&given()) + &made() + "more\n", "more documents came back"),
        ] {
            let error = refused(&lines);
            assert!(error.contains(words), "{words} is not in {error}");
        }
    }
}
