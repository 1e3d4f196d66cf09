//! Where an export goes: standard output, or a file that is there whole or not at all.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::whole_file::{NO_FILE, WholeFile};

/// Where an export goes.
#[derive(Debug)]
pub(crate) enum Out {
    Stdout(BufWriter<Stdout>),
    File(Box<BufWriter<WholeFile>>),
}

/// Where an export was asked to go.
#[derive(Debug)]
pub(crate) struct Target {
    /// None is standard output.
    file: Option<PathBuf>,
    force: bool,
}

impl Target {
    /// Looks whether it can go there. A file is replaced only by force, and only by a file.
    pub(crate) fn find(file: Option<&Path>, force: bool) -> Result<Self, Failure> {
        let Some(file) = file.filter(|file| *file != Path::new("-")) else { return Ok(Self { file: None, force }) };
        let refused = |why: &str| Err(not_written(file, io::Error::other(why)));
        match std::fs::metadata(file) {
            Ok(there) if there.is_dir() => refused("it is a folder"),
            Ok(there) if !there.is_file() => refused(NO_FILE),
            Ok(_) if !force => refused(EXISTS),
            _ => Ok(Self { file: Some(file.to_owned()), force }),
        }
    }

    pub(crate) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Whether somebody looks at it.
    pub(crate) fn is_terminal(&self) -> bool {
        self.file.is_none() && io::stdout().is_terminal()
    }

    pub(crate) fn open(&self) -> Result<Out, Failure> {
        match &self.file {
            None => Ok(Out::stdout()),
            Some(file) => {
                let whole = WholeFile::begin(file).map_err(|why| not_written(file, why))?;
                Ok(Out::File(Box::new(BufWriter::with_capacity(BUFFER, whole))))
            }
        }
    }

    /// Writes what is left, and puts a file in its place.
    pub(crate) fn finish(&self, out: Out) -> Result<(), Failure> {
        let (whole, file) = match (out, &self.file) {
            (Out::File(buffered), Some(file)) => {
                (buffered.into_inner().map_err(|error| not_written(file, error.into_error()))?, file)
            }
            (mut out, _) => return Ok(out.flush()?),
        };
        let put = if self.force { whole.replace() } else { whole.put_new() };
        put.map_err(|why| match why.kind() {
            io::ErrorKind::AlreadyExists => not_written(file, io::Error::other(EXISTS)),
            _ => not_written(file, why),
        })
    }

    /// A failure to write, with the name of the file.
    pub(crate) fn named(&self, failure: Failure) -> Failure {
        match (failure, &self.file) {
            (Failure::Output(why), Some(file)) => not_written(file, why),
            (failure, _) => failure,
        }
    }
}

const BUFFER: usize = 256 * 1024;
const EXISTS: &str = "it is there already; replace it with --force";

fn not_written(file: &Path, why: io::Error) -> Failure {
    Failure::File { what: "write", path: file.to_owned(), why }
}

impl Out {
    pub(crate) fn stdout() -> Self {
        // Not through a filter of colours: names and bytes stay what they are.
        Self::Stdout(BufWriter::with_capacity(BUFFER, io::stdout()))
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) => out.write(bytes),
            Self::File(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::File(out) => out.flush(),
        }
    }
}
