//! Redis without the code under test: commands and replies over a plain connection, and what the entries of streams
//! hold.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use lucihub_models_core::{Positions, RunId};

use super::desk::CHANNELS;
use super::ledger::Left;
use super::noting::Mark;

/// A value, or the cause of the gap that is there instead.
pub(crate) type Told<T> = Result<T, String>;

/// A reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    Nil,
    Number(i64),
    Bytes(Vec<u8>),
    List(Vec<Reply>),
    Error(String),
}

/// A connection to one server.
#[derive(Debug)]
pub(crate) struct Raw(BufReader<TcpStream>);

impl Raw {
    /// Connects to a port of this machine.
    pub(crate) fn connect(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).with_context(|| format!("a raw client of port {port}"))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Sends a command and reads its reply.
    pub(crate) fn call(&mut self, words: &[&[u8]]) -> Result<Reply> {
        let mut command = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            command.extend(format!("${}\r\n", word.len()).into_bytes());
            command.extend(*word);
            command.extend(b"\r\n");
        }
        self.0.get_mut().write_all(&command)?;
        self.read()
    }

    /// As [`Raw::call`], with words of text.
    pub(crate) fn text(&mut self, words: &[&str]) -> Result<Reply> {
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        self.call(&words)
    }

    /// As [`Raw::text`], for a command that answers a number.
    pub(crate) fn number(&mut self, words: &[&str]) -> Result<i64> {
        match self.text(words)? {
            Reply::Number(number) => Ok(number),
            other => bail!("{words:?}: {other:?}"),
        }
    }

    fn read(&mut self) -> Result<Reply> {
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        let line = line.strip_suffix("\r\n").context("a server that ended the connection")?;
        let rest = line.get(1..).unwrap_or_default();
        match line.as_bytes().first() {
            Some(b'+') => Ok(Reply::Bytes(rest.as_bytes().to_vec())),
            Some(b'-') => Ok(Reply::Error(rest.to_owned())),
            Some(b':') => Ok(Reply::Number(rest.parse()?)),
            Some(b'$' | b'*') if rest == "-1" => Ok(Reply::Nil),
            Some(b'$') => {
                let mut bytes = vec![0; rest.parse::<usize>()? + 2];
                self.0.read_exact(&mut bytes)?;
                bytes.truncate(bytes.len() - 2);
                Ok(Reply::Bytes(bytes))
            }
            Some(b'*') => (0..rest.parse::<usize>()?).map(|_| self.read()).collect::<Result<_>>().map(Reply::List),
            _ => bail!("no reply: {line:?}"),
        }
    }

    /// The entries of a stream: where each ends, and its block.
    fn stream(&mut self, key: &str) -> Result<Vec<(u64, Vec<u8>)>> {
        let Reply::List(entries) = self.text(&["XRANGE", key, "-", "+"])? else { bail!("{key} is no stream") };
        entries
            .into_iter()
            .map(|entry| {
                let Reply::List(parts) = entry else { bail!("{key}: no entry") };
                let [Reply::Bytes(id), Reply::List(fields)] = parts.as_slice() else { bail!("{key}: {parts:?}") };
                let [_, Reply::Bytes(block)] = fields.as_slice() else { bail!("{key}: {fields:?}") };
                let id = std::str::from_utf8(id)?;
                Ok((id.split('-').next().unwrap_or_default().parse()?, block.clone()))
            })
            .collect()
    }

    /// How far a run is by its own marks: lines, or samples of a channel.
    fn mark(&mut self, run: RunId, part: &str) -> Result<u64> {
        match self.text(&["HGET", &format!("lh:{{{run}}}:run"), &format!("next:{part}")])? {
            Reply::Bytes(text) => Ok(std::str::from_utf8(&text)?.parse()?),
            Reply::Nil => Ok(0),
            other => bail!("{run} {part}: {other:?}"),
        }
    }

    /// What a server of a cluster has of a run, be it as a replica, after `READONLY`. `None`: it is another's.
    pub(crate) fn left(&mut self, run: RunId) -> Result<Option<Left>> {
        let fields = (0..CHANNELS).map(|channel| format!("next:{channel}"));
        let fields = [format!("lh:{{{run}}}:run"), "tip".to_owned(), "next:lines".to_owned()].into_iter().chain(fields);
        let words: Vec<String> = std::iter::once("HMGET".to_owned()).chain(fields).collect();
        let words: Vec<&[u8]> = words.iter().map(String::as_bytes).collect();
        let fields = match self.call(&words)? {
            Reply::List(fields) => fields,
            Reply::Error(why) if why.starts_with("MOVED ") => return Ok(None),
            other => bail!("{run}: {other:?}"),
        };
        let mut fields = fields.into_iter().map(|field| match field {
            Reply::Bytes(text) => Ok(Some(String::from_utf8(text)?)),
            Reply::Nil => Ok(None),
            other => bail!("{run}: {other:?}"),
        });
        let tip = fields.next().context("as many fields as were asked for")??;
        let mut marks = fields.map(|field| field.and_then(|text| Ok(text.map_or(Ok(0), |text| text.parse())?)));
        let lines = marks.next().context("as many fields as were asked for")??;
        let samples = marks.collect::<Result<_>>()?;
        let next = Positions { lines, samples, ..Positions::default() };
        Ok(Some(Left { next, tip: tip.as_deref().and_then(writer_of), later: None }))
    }

    /// The samples of a channel that hot storage has, and the index of the first one.
    pub(crate) fn samples(&mut self, run: RunId, channel: u32) -> Result<(u64, Vec<Told<f64>>)> {
        let end = self.mark(run, &channel.to_string())?;
        let entries = self.stream(&format!("lh:{{{run}}}:s:{channel}"))?;
        let mut all = Vec::new();
        let mut start = None;
        for (until, block) in entries.into_iter().filter(|(until, _)| *until <= end) {
            let (first, values) = block_of_samples(until, &block)?;
            let at = *start.get_or_insert(first) + all.len() as u64;
            ensure!(first == at, "channel {channel}: an entry begins at {first}, the one before ended at {at}");
            all.extend(values);
        }
        let start = start.unwrap_or(end);
        ensure!(start + all.len() as u64 == end, "channel {channel}: marks say {end}, entries {}", all.len());
        Ok((start, all))
    }

    /// The texts of the lines that hot storage has, and the number of the first one.
    pub(crate) fn lines(&mut self, run: RunId) -> Result<(u64, Vec<Told<String>>)> {
        let end = self.mark(run, "lines")?;
        let entries = self.stream(&format!("lh:{{{run}}}:log"))?;
        let mut all = Vec::new();
        let mut start = None;
        for (until, block) in entries.into_iter().filter(|(until, _)| *until <= end) {
            let lines = block_of_lines(&block)?;
            let first = until - lines.len() as u64;
            let at = *start.get_or_insert(first) + all.len() as u64;
            ensure!(first == at, "an entry of the log begins at {first}, the one before ended at {at}");
            all.extend(lines);
        }
        let start = start.unwrap_or(end);
        ensure!(start + all.len() as u64 == end, "marks say {end} lines, entries {}", all.len());
        Ok((start, all))
    }
}

/// The writer that a tip names, and its last number: see `docs/data-model.md`.
fn writer_of(tip: &str) -> Option<(Mark, u64)> {
    let mut parts = tip.split('.').skip(1);
    let (writer, epoch, seq) = (parts.next()?, parts.next()?, parts.next()?);
    Some((Mark { epoch: epoch.parse().ok()?, writer: writer.to_owned() }, seq.parse().ok()?))
}

/// Format, checksum, kind, body: see `docs/data-model.md`.
fn body(block: &[u8]) -> Result<(u8, &[u8])> {
    match block {
        [1, _, _, _, _, kind, body @ ..] => Ok((*kind, body)),
        _ => bail!("not a block of format 1"),
    }
}

fn take<'a>(body: &mut &'a [u8], count: usize) -> Result<&'a [u8]> {
    let (taken, rest) = body.split_at_checked(count).context("a block that ends too early")?;
    *body = rest;
    Ok(taken)
}

fn number(body: &mut &[u8], bytes: usize) -> Result<u64> {
    Ok(take(body, bytes)?.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

fn floats(bytes: &[u8]) -> impl Iterator<Item = Told<f64>> + '_ {
    bytes.as_chunks::<8>().0.iter().map(|word| Ok(f64::from_le_bytes(*word)))
}

fn block_of_samples(end: u64, block: &[u8]) -> Result<(u64, Vec<Told<f64>>)> {
    let (kind, mut body) = body(block)?;
    if kind == 0 {
        return Ok((end - body.len() as u64 / 8, floats(body).collect()));
    }
    ensure!(kind == 1, "kind {kind} is not one of samples");
    let first = number(&mut body, 8)?;
    let mut all = Vec::new();
    while !body.is_empty() {
        if number(&mut body, 1)? == 0 {
            let count = usize::try_from(number(&mut body, 4)?)?;
            all.extend(floats(take(&mut body, 8 * count)?));
        } else {
            let count = usize::try_from(number(&mut body, 8)?)?;
            number(&mut body, 1)?;
            let length = usize::try_from(number(&mut body, 4)?)?;
            let cause = std::str::from_utf8(take(&mut body, length)?)?;
            all.extend(std::iter::repeat_n(Err(cause.to_owned()), count));
        }
    }
    Ok((first, all))
}

fn block_of_lines(block: &[u8]) -> Result<Vec<Told<String>>> {
    let (kind, mut body) = body(block)?;
    match kind {
        2 => {
            number(&mut body, 4)?;
            texts(body)
        }
        3 => Ok(vec![Err("store".to_owned()); usize::try_from(number(&mut body, 8)?)?]),
        other => bail!("kind {other} is not one of lines"),
    }
}

/// The texts of lines as JSON; one that the store lost has no text and says so as its level.
pub(crate) fn texts(json: &[u8]) -> Result<Vec<Told<String>>> {
    let lines: Vec<lucihub_models_core::LogLine> = serde_json::from_slice(json)?;
    let lost = lucihub_models_core::LogLine::lost();
    Ok(lines.into_iter().map(|line| if line == lost { Err("store".to_owned()) } else { Ok(line.text) }).collect())
}
