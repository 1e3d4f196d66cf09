//! Frames from a stream of bytes: lines, and raw samples between them. No frame is read past its limit.

use std::io::{self, BufRead, BufReader, Read};

use lucihub_models_core::{Clock, Limits, SystemClock};
use tokio::sync::mpsc;

use super::frame::{Fault, Frame, Line, Part, Samples, parse};
use crate::output;

/// Bytes of one line: as many as a batch takes.
pub(super) const LINE: usize = 2 * 1024 * 1024;
/// Bytes of samples behind one line.
pub(super) const RAW: u64 = 8 * 1024 * 1024;
/// Bytes of a sample.
const SAMPLE: usize = size_of::<f64>();
/// Characters of a reason: it may repeat what it was given.
const WHY: usize = 400;

/// What came next.
#[derive(Debug)]
pub(crate) enum Next {
    /// A frame, and its number from 1.
    Frame(u64, Frame),
    /// The end; inside the frame of this number, if it is one.
    End(Option<u64>),
    /// What is no frame. What follows is not read.
    Refused(Refused),
    /// The stream cannot be read.
    Broken(io::Error),
}

/// A frame that was not taken, and why.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) frame: u64,
    pub(crate) why: String,
}

/// The frames of a stream.
#[derive(Debug)]
pub(super) struct Frames<R> {
    input: R,
    line: Vec<u8>,
    number: u64,
    limits: Limits,
}

impl<R: BufRead> Frames<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, line: Vec::new(), number: 0, limits: Limits::default() }
    }

    /// Reads on. Nothing is to be read after anything but a frame.
    pub(super) fn next(&mut self) -> Next {
        self.read().unwrap_or_else(Next::Broken)
    }

    fn read(&mut self) -> io::Result<Next> {
        let is_whole = loop {
            self.line.clear();
            // One byte more tells a line of the limit from a longer one.
            let most = LINE as u64 + 1;
            let read = self.input.by_ref().take(most).read_until(b'\n', &mut self.line)?;
            if read == 0 {
                return Ok(Next::End(None));
            }
            let is_whole = self.line.pop_if(|last| *last == b'\n').is_some();
            if !self.line.trim_ascii().is_empty() {
                break is_whole;
            }
        };
        self.number += 1;
        if self.line.len() > LINE {
            return Ok(self.refuse(&format!("a line of more than {LINE} bytes; send it as several frames")));
        }
        let parsed = match std::str::from_utf8(&self.line) {
            Ok(line) => parse(line, SystemClock.now(), &self.limits),
            // The first bytes of a character, and then nothing more.
            Err(error) if !is_whole && error.error_len().is_none() => {
                Err(Fault { why: error.to_string(), is_cut: true })
            }
            Err(error) => Err(Fault::of(format!("not UTF-8: {error}"))),
        };
        match parsed {
            Ok(Line::Announced { channel, first, bytes }) => self.raw(channel, first, bytes),
            Ok(Line::Frame(frame)) => Ok(Next::Frame(self.number, frame)),
            Err(fault) if fault.is_cut && !is_whole => Ok(Next::End(Some(self.number))),
            Err(fault) => Ok(self.refuse(&fault.why)),
        }
    }

    /// Samples that follow as bytes.
    fn raw(&mut self, channel: u32, first: u64, bytes: u64) -> io::Result<Next> {
        if bytes > RAW {
            return Ok(self.refuse(&format!("samples: {bytes} bytes; at most {RAW} follow one line")));
        }
        if !bytes.is_multiple_of(SAMPLE as u64) {
            return Ok(self.refuse(&format!("samples: {bytes} bytes; a sample is {SAMPLE} bytes")));
        }
        let mut raw = Vec::new();
        let read = self.input.by_ref().take(bytes).read_to_end(&mut raw)?;
        if (read as u64) < bytes {
            return Ok(Next::End(Some(self.number)));
        }
        let (samples, _) = raw.as_chunks::<SAMPLE>();
        let values: Vec<f64> = samples.iter().map(|sample| f64::from_le_bytes(*sample)).collect();
        let parts = if values.is_empty() { Vec::new() } else { vec![Part::Values(first, values)] };
        Ok(Next::Frame(self.number, Frame::Samples(Samples { channel, parts })))
    }

    fn refuse(&self, why: &str) -> Next {
        let mut why = output::one_line(why);
        if let Some((end, _)) = why.char_indices().nth(WHY) {
            why.truncate(end);
            why += "...";
        }
        Next::Refused(Refused { frame: self.number, why })
    }
}

/// What a worker sends, read as fast as it is taken and no faster.
#[derive(Debug)]
pub(crate) struct Input {
    frames: mpsc::Receiver<Next>,
    /// What was looked at and not taken.
    first: Option<Next>,
}

impl Input {
    /// Reads standard input, on a thread that no end of the command waits for.
    pub(crate) fn standard() -> Self {
        let (give, frames) = mpsc::channel(1);
        std::thread::spawn(move || {
            let mut frames = Frames::new(BufReader::with_capacity(256 * 1024, io::stdin()));
            loop {
                let next = frames.next();
                let is_last = !matches!(next, Next::Frame(..));
                if give.blocking_send(next).is_err() || is_last {
                    return;
                }
            }
        });
        Self { frames, first: None }
    }

    /// What came next.
    pub(super) async fn next(&mut self) -> Next {
        match self.first.take() {
            Some(next) => next,
            None => self.frames.recv().await.unwrap_or(Next::End(None)),
        }
    }

    /// Ready once the input has ended before anything was in it: whoever was there is gone.
    pub(super) async fn gone(&mut self) {
        if self.first.is_none() {
            let next = self.next().await;
            if matches!(next, Next::End(_)) {
                return;
            }
            self.first = Some(next);
        }
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests;
