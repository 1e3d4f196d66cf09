//! Printing: results on standard output, talk on standard error.

mod rows;

use std::io::{IsTerminal, Write};

use comfy_table::{ContentArrangement, Table, presets};
use indicatif::HumanCount;
use serde::Serialize;

pub(crate) use rows::{Row, list};

use crate::failure::Failure;

/// Prints a line of a result.
pub(crate) fn line(text: impl AsRef<str>) -> Result<(), Failure> {
    writeln!(anstream::stdout(), "{}", text.as_ref())?;
    Ok(())
}

/// Prints a result that is text already.
pub(crate) fn text(bytes: &[u8]) -> Result<(), Failure> {
    anstream::stdout().write_all(bytes)?;
    Ok(())
}

/// Says something to the person who waits, if there is one.
pub(crate) fn say(text: impl AsRef<str>) {
    // Talk that cannot be heard is no failure.
    let _ = writeln!(anstream::stderr(), "{}", text.as_ref());
}

/// Prints one JSON value on one line.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value).map_err(std::io::Error::from)?;
    line(text)
}

/// Prints a table: as wide as it needs off a terminal, so that tools can cut it.
pub(crate) fn table(header: &[&str], rows: Vec<Vec<String>>) -> Result<(), Failure> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header.iter().copied());
    if std::io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    for row in rows {
        table.add_row(row);
    }
    line(table.trim_fmt())
}

/// A number and what it counts: "1 run", "2 runs".
pub(crate) fn counted(count: u64, one: &str, more: &str) -> String {
    format!("{} {}", HumanCount(count), if count == 1 { one } else { more })
}

/// A word as a shell takes it back.
pub(crate) fn typed(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A text that stays on its line: control characters are shown, not obeyed.
pub(crate) fn one_line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{counted, one_line, typed};

    #[test]
    fn one_is_no_plural() {
        for (count, shown) in [(0, "0 runs"), (1, "1 run"), (2, "2 runs"), (1_234, "1,234 runs")] {
            assert_eq!(counted(count, "run", "runs"), shown);
        }
    }

    #[test]
    fn words_are_typed_as_a_shell_takes_them() {
        for (word, shown) in [("a/b-1.c", "a/b-1.c"), ("a b", "'a b'"), ("it's", r"'it'\''s'"), ("", "''")] {
            assert_eq!(typed(word), shown);
        }
    }

    #[test]
    fn control_characters_are_shown() {
        assert_eq!(one_line("a\nb\u{1b}[2J\u{2028}ü"), "a\\nb\\u{1b}[2J\\u{2028}ü");
    }
}
