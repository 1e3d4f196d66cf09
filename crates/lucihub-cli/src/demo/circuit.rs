//! The run's input: a circuit.

use std::path::Path;

use lucihub_models_core::{Invalid, JsonText, Limits};

use crate::failure::Failure;

/// Two Lorenz systems on one LUCIDAC: integrators 0-2 and 3-5, multipliers 8-9
/// and 10-11; the second one begins 0.0005 beside the first.
const LORENZ: &str = include_str!("../../assets/lorenz.json");

/// Reads a circuit, or takes the built-in one.
///
/// An empty, malformed or too large file, and one with a duplicate key, is refused.
pub(super) fn read(file: Option<&Path>) -> Result<JsonText, Failure> {
    let limits = Limits::default();
    let Some(file) = file else { return Ok(JsonText::parse("the built-in circuit", LORENZ, &limits)?) };
    let name = file.display().to_string();
    let failed = |why| Failure::File { what: "read", path: file.to_owned(), why };
    let size = std::fs::metadata(file).map_err(failed)?.len();
    if size > limits.json_bytes as u64 {
        let hint = format!("the limit is {} bytes", limits.json_bytes);
        return Err(Invalid::new(name, format!("{size} bytes of JSON")).hint(hint).into());
    }
    let bytes = std::fs::read(file).map_err(failed)?;
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        Invalid::new(&name, format!("not UTF-8 from byte {}", error.valid_up_to())).hint("JSON is UTF-8")
    })?;
    Ok(JsonText::parse(&name, text, &limits)?)
}
