//! What has to stand after something that is as long as the run, and is known only with it.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Seek, Write};

/// Bytes that are kept on the disk until their place comes; the file has no name, so nothing is left of it.
#[derive(Debug)]
pub(super) struct Spill(BufWriter<File>);

impl Spill {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self(BufWriter::new(tempfile::tempfile()?)))
    }

    /// Writes all that was kept.
    pub(super) fn pour(self, out: &mut impl Write) -> io::Result<()> {
        let mut file = self.0.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        io::copy(&mut BufReader::new(file), out)?;
        Ok(())
    }
}

impl Write for Spill {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
