//! Embeds the migrations: their SQL, and what their headers say. A migration without a header does not compile.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The lines of `up.sql` that are read, before its first statement.
const OLDEST: &str = "-- oldest generation:";
const TRANSACTION: &str = "-- in a transaction:";

fn main() -> Result<()> {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("migrations");
    let mut list = String::new();
    for engine in ["sqlite", "postgres"] {
        // The compiler does not see files that are added.
        println!("cargo::rerun-if-changed=migrations/{engine}");
        writeln!(list, "/// The migrations of `migrations/{engine}`, oldest first.")?;
        writeln!(list, "#[cfg(feature = \"{engine}\")]")?;
        writeln!(list, "pub(crate) const {}: &[Script] = &[", engine.to_uppercase())?;
        for name in names(&folder.join(engine))? {
            let script = script(&folder.join(engine).join(&name), &name, engine);
            list.push_str(&script.map_err(|e| format!("migrations/{engine}/{name}/up.sql: {e}"))?);
        }
        list.push_str("];\n");
    }
    fs::write(Path::new(&env::var("OUT_DIR")?).join("scripts.rs"), list)?;
    Ok(())
}

/// The folders of one engine, in the order of their stamps.
fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.push(entry.file_name().into_string().map_err(|_| "the name of a migration is not UTF-8")?);
        }
    }
    names.sort();
    Ok(names)
}

/// One element of the list.
fn script(folder: &Path, name: &str, engine: &str) -> Result<String> {
    let (up, down) = (folder.join("up.sql"), folder.join("down.sql"));
    let (oldest, in_transaction) = header(&fs::read_to_string(&up)?)?;
    if engine == "sqlite" && !in_transaction {
        return Err("SQLite runs every migration in a transaction; leave the line out".into());
    }
    let text = |path: &Path| format!("include_str!({:?})", path.display().to_string());
    Ok(format!(
        "    Script {{ name: {name:?}, up: {}, down: {}, oldest: {oldest}, in_transaction: {in_transaction} }},\n",
        text(&up),
        text(&down),
    ))
}

/// The oldest generation that may still use the schema, and whether the migration runs in a transaction.
fn header(up: &str) -> Result<(u32, bool)> {
    let head = up.lines().map(str::trim).take_while(|line| line.is_empty() || line.starts_with("--"));
    let (mut oldest, mut in_transaction) = (None, true);
    for line in head {
        if let Some(number) = line.strip_prefix(OLDEST) {
            oldest = Some(number.trim().parse().map_err(|_| format!("`{line}` states no number"))?);
        } else if let Some(word) = line.strip_prefix(TRANSACTION) {
            in_transaction = match word.trim() {
                "yes" => true,
                "no" => false,
                _ => return Err(format!("`{line}` says neither yes nor no").into()),
            };
        }
    }
    let hint =
        || format!("its header lacks `{OLDEST} N`, the oldest generation that may still use the schema after it");
    Ok((oldest.ok_or_else(hint)?, in_transaction))
}
