//! NPZ: a zip of arrays as `numpy.load` reads them, one after the other.

use std::io::{self, Write};

use zip::ZipWriter;
use zip::write::{SimpleFileOptions, StreamWriter};

use super::columns::{INDEX, MISSING, TIME};
use super::out::Out;
use super::spill::Spill;
use super::table::Table;
use crate::failure::Failure;
use crate::progress::Progress;

/// Writes `index`, `time_s`, and for each channel its samples, with NaN where one is missing, and where one is missing.
///
/// Nothing is compressed, as `numpy.savez` does it; times of files are left out, so the same run gives the same bytes.
pub(super) async fn write(table: &Table, out: Out) -> Result<Out, Failure> {
    let mut npz = Npz {
        zip: ZipWriter::new_stream(Resigned { out, has_failed: false }),
        length: table.range.end - table.range.start,
    };
    npz.begin(INDEX, "<i8")?;
    for index in table.range.clone() {
        npz.zip.write_all(&index.to_le_bytes())?;
    }
    if let Some(base) = table.base() {
        npz.begin(TIME, "<f8")?;
        for index in table.range.clone() {
            npz.zip.write_all(&base.seconds(index).to_le_bytes())?;
        }
    }
    let mut bar = Progress::of(npz.length * table.names.len() as u64);
    for (column, name) in table.names.iter().enumerate() {
        let mut missing = Spill::new()?;
        npz.begin(name, "<f8")?;
        let mut at = table.range.start;
        while at < table.range.end {
            let block = table.column(column, at).await?;
            let mut bytes = Vec::with_capacity(block.series.iter().map(|series| series.values.len() * 8).sum());
            for mut walk in block.walks() {
                for _ in block.range.clone() {
                    let value = walk.step();
                    bytes.extend_from_slice(&value.unwrap_or(f64::NAN).to_le_bytes());
                    missing.write_all(&[u8::from(value.is_none())])?;
                }
            }
            npz.zip.write_all(&bytes)?;
            at = block.range.end;
            bar.at(npz.length * column as u64 + at - table.range.start);
        }
        npz.begin(&format!("{name}{MISSING}"), "|b1")?;
        missing.pour(&mut npz.zip)?;
    }
    Ok(npz.zip.finish().map_err(io::Error::from)?.into_inner().out)
}

struct Npz {
    zip: ZipWriter<StreamWriter<Resigned>>,
    /// Of every array.
    length: u64,
}

impl Npz {
    /// Begins an array of this type.
    fn begin(&mut self, name: &str, kind: &str) -> Result<(), Failure> {
        let options = SimpleFileOptions::default().large_file(true);
        self.zip.start_file(format!("{}.npy", member(name)), options).map_err(io::Error::from)?;
        Ok(self.zip.write_all(&header(kind, self.length))?)
    }
}

/// Takes whatever comes once writing has failed: a zip writer that is dropped ends its file, and else complains about that
/// on standard error.
struct Resigned {
    out: Out,
    has_failed: bool,
}

impl Write for Resigned {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.has_failed {
            return Ok(bytes.len());
        }
        let written = self.out.write(bytes);
        self.has_failed = written.as_ref().is_err_and(|why| why.kind() != io::ErrorKind::Interrupted);
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.has_failed { Ok(()) } else { self.out.flush() }
    }
}

/// A name as Python's zip module gives it back: it ends a name at NUL, so that one is written in words.
fn member(name: &str) -> String {
    name.replace('\0', "\\0")
}

/// What an array of version 1.0 begins with; its data is aligned to 64 bytes.
fn header(kind: &str, length: u64) -> Vec<u8> {
    const BEFORE: usize = 10;
    let mut text = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({length},), }}");
    while !(BEFORE + text.len() + 1).is_multiple_of(64) {
        text.push(' ');
    }
    text.push('\n');
    let size = u16::try_from(text.len()).unwrap_or(u16::MAX);
    [b"\x93NUMPY\x01\x00", &size.to_le_bytes()[..], text.as_bytes()].concat()
}
