//! Stream entries: blocks of samples and of log lines that know where they belong.
//!
//! ```text
//! byte 0      format, 1
//! byte 1..5   CRC-32C, little-endian, over run, channel, first and end position, kind and body
//! byte 5      kind
//! byte 6..    body
//! ```
//!
//! | kind | body |
//! | --- | --- |
//! | 0 values | f64, little-endian, one behind the other; the first index follows from the end |
//! | 1 pieces | first index (u64), then pieces |
//! | 2 lines | count (u32), then a JSON array of lines in the model's own form |
//! | 3 lost lines | count (u64): lines that the store lost |
//!
//! A piece is 0, count (u32), values; or 1, samples (u64), inferred (u8), length of the cause (u32), cause.
//!
//! The end position is the id of the entry. A block that is read under another key or id than it was written for, or
//! with a bit changed, fails its checksum.

use std::fmt;
use std::ops::Range;

use fred::bytes::Bytes;
use lucihub_models_core::{Gap, GapCause, LogLine, Piece, RunId, Series};
use thiserror::Error;

const FORMAT: u8 = 1;
const HEADER: usize = 6;
const VALUES: u8 = 0;
const PIECES: u8 = 1;
const LINES: u8 = 2;
const LOST_LINES: u8 = 3;

/// The log's place among the channels, in checksums.
pub(super) const LOG: u32 = u32::MAX;

/// Samples of one entry at most: a window of a few samples reads no more than this.
const MOST_VALUES: usize = 8_192;
/// Bytes of pieces or lines after which another entry is begun. One line may be longer by itself.
const MOST_BYTES: usize = 8 * MOST_VALUES;

/// A stream entry to be written: its id and its block.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) end: u64,
    pub(super) block: Bytes,
}

/// Why stored bytes are not a block.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub(super) struct Damage(String);

fn damage<T>(why: impl fmt::Display) -> Result<T, Damage> {
    Err(Damage(format!("{why}")))
}

/// Where a block belongs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) run: RunId,
    pub(super) channel: u32,
    pub(super) first: u64,
    pub(super) end: u64,
}

/// Fills in format and checksum of a block whose kind and body stand already.
pub(super) fn seal(place: Place, mut block: Vec<u8>) -> Entry {
    block[0] = FORMAT;
    let sum = checksum(place, &block[HEADER - 1..]);
    block[1..HEADER - 1].copy_from_slice(&sum.to_le_bytes());
    Entry { end: place.end, block: block.into() }
}

fn checksum(place: Place, kind_and_body: &[u8]) -> u32 {
    let mut key = [0; 36];
    key[..16].copy_from_slice(place.run.as_uuid().as_bytes());
    key[16..20].copy_from_slice(&place.channel.to_le_bytes());
    key[20..28].copy_from_slice(&place.first.to_le_bytes());
    key[28..].copy_from_slice(&place.end.to_le_bytes());
    crc32c::crc32c_append(crc32c::crc32c(&key), kind_and_body)
}

fn begin(kind: u8, body: usize) -> Vec<u8> {
    let mut block = Vec::with_capacity(HEADER + body);
    block.resize(HEADER, 0);
    block[HEADER - 1] = kind;
    block
}

fn put_values(block: &mut Vec<u8>, values: &[f64]) {
    block.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

/// The entries for the pieces of one channel, which tile its indices.
pub(super) fn pack_samples(run: RunId, channel: u32, pieces: &[Piece], entries: &mut Vec<Entry>) {
    if pieces.iter().all(|piece| matches!(piece, Piece::Block { .. })) {
        return pack_values(run, channel, pieces, entries);
    }
    let Some(mut first) = pieces.first().map(Piece::first) else { return };
    let mut at = first;
    let mut block = Vec::new();
    for piece in pieces {
        let mut rest = match piece {
            Piece::Block { values, .. } => &values[..],
            Piece::Gap(_) => &[],
        };
        loop {
            if block.is_empty() {
                first = at;
                block = begin(PIECES, 8);
                block.extend(first.to_le_bytes());
            }
            match piece {
                Piece::Block { .. } => {
                    let room = (MOST_BYTES.saturating_sub(block.len()) / 8).max(1);
                    let (now, later) = rest.split_at(rest.len().min(room));
                    block.push(0);
                    block.extend(u32::try_from(now.len()).unwrap_or(u32::MAX).to_le_bytes());
                    put_values(&mut block, now);
                    (rest, at) = (later, at + now.len() as u64);
                }
                Piece::Gap(gap) => {
                    put_gap(&mut block, gap);
                    at = gap.end;
                }
            }
            if block.len() >= MOST_BYTES {
                entries.push(seal(Place { run, channel, first, end: at }, std::mem::take(&mut block)));
            }
            if rest.is_empty() {
                break;
            }
        }
    }
    if !block.is_empty() {
        entries.push(seal(Place { run, channel, first, end: at }, block));
    }
}

/// Neighbouring blocks become one, and large ones several.
fn pack_values(run: RunId, channel: u32, pieces: &[Piece], entries: &mut Vec<Entry>) {
    let mut block = Vec::new();
    let mut at = pieces.first().map_or(0, Piece::first);
    let mut first = at;
    let total: usize = pieces.iter().map(|p| usize::try_from(p.end() - p.first()).unwrap_or(0)).sum();
    let mut left = total;
    for piece in pieces {
        let Piece::Block { values, .. } = piece else { continue };
        let mut values = &values[..];
        while !values.is_empty() {
            if block.is_empty() {
                block = begin(VALUES, 8 * left.min(MOST_VALUES));
                first = at;
            }
            let room = MOST_VALUES - (block.len() - HEADER) / 8;
            let (now, later) = values.split_at(values.len().min(room));
            put_values(&mut block, now);
            (values, at, left) = (later, at + now.len() as u64, left - now.len());
            if left == 0 || now.len() == room {
                entries.push(seal(Place { run, channel, first, end: at }, std::mem::take(&mut block)));
            }
        }
    }
}

fn put_gap(block: &mut Vec<u8>, gap: &Gap) {
    block.push(1);
    block.extend(gap.len().to_le_bytes());
    block.push(u8::from(gap.inferred));
    let cause = gap.cause.as_str().as_bytes();
    block.extend(u32::try_from(cause.len()).unwrap_or(u32::MAX).to_le_bytes());
    block.extend(cause);
}

/// The entries for log lines.
///
/// # Errors
/// When a line is not JSON.
pub(super) fn pack_lines(run: RunId, first: u64, lines: &[LogLine]) -> Result<Vec<Entry>, serde_json::Error> {
    let size = |line: &LogLine| line.text.len() + 64;
    let (mut entries, mut rest, mut first) = (Vec::new(), lines, first);
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = rest.iter().take_while(|line| {
            bytes += size(line);
            bytes <= MOST_BYTES
        });
        let (now, later) = rest.split_at(fits.count().max(1));
        let mut block = begin(LINES, 4 + now.iter().map(size).sum::<usize>());
        block.extend(u32::try_from(now.len()).unwrap_or(u32::MAX).to_le_bytes());
        serde_json::to_writer(&mut block, now)?;
        let end = first + now.len() as u64;
        entries.push(seal(Place { run, channel: LOG, first, end }, block));
        (rest, first) = (later, end);
    }
    Ok(entries)
}

/// The entry for lines that the store lost.
pub(super) fn pack_lost_lines(run: RunId, lost: Range<u64>) -> Entry {
    let mut block = begin(LOST_LINES, 8);
    block.extend((lost.end - lost.start).to_le_bytes());
    seal(Place { run, channel: LOG, first: lost.start, end: lost.end }, block)
}

/// The part of a body that is not read yet.
struct Body<'a>(&'a [u8]);

impl<'a> Body<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8], Damage> {
        let Some((now, later)) = self.0.split_at_checked(count) else { return damage("it is too short") };
        self.0 = later;
        Ok(now)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Damage> {
        self.bytes(N)?.try_into().or_else(|_| damage("it is too short"))
    }

    fn u32(&mut self) -> Result<usize, Damage> {
        usize::try_from(u32::from_le_bytes(self.array()?)).or_else(damage)
    }

    fn u64(&mut self) -> Result<u64, Damage> {
        Ok(u64::from_le_bytes(self.array()?))
    }
}

/// Takes format and kind off a block.
fn open(block: &[u8]) -> Result<(u8, Body<'_>), Damage> {
    match block {
        [FORMAT, _, _, _, _, kind, body @ ..] => Ok((*kind, Body(body))),
        [] => damage("it is empty"),
        [FORMAT, ..] => damage("it is too short"),
        [other, ..] => damage(format!("format {other} is not known to this version")),
    }
}

fn check(place: Place, block: &[u8]) -> Result<(), Damage> {
    let stored = Body(&block[1..]).array().map(u32::from_le_bytes)?;
    if stored == checksum(place, &block[HEADER - 1..]) { Ok(()) } else { damage("its checksum does not fit") }
}

/// Appends the samples of a block that lie in a range to a series, which ends where the block continues it.
/// Returns the block's first index.
pub(super) fn read_samples(
    run: RunId,
    channel: u32,
    end: u64,
    block: &[u8],
    range: &Range<u64>,
    series: &mut Series,
) -> Result<u64, Damage> {
    let (kind, mut body) = open(block)?;
    let first = match kind {
        VALUES => end.checked_sub(body.0.len() as u64 / 8).ok_or_else(|| Damage("it is too long".to_owned()))?,
        PIECES => body.u64()?,
        other => return damage(format!("kind {other} is not one of samples")),
    };
    check(Place { run, channel, first, end }, block)?;
    let mut at = first;
    if kind == VALUES {
        push_values(body.0, &mut at, range, series)?;
    }
    while kind == PIECES && !body.0.is_empty() {
        if body.array::<1>()? == [0] {
            let count = body.u32()?;
            push_values(body.bytes(count.saturating_mul(8))?, &mut at, range, series)?;
        } else {
            let length = body.u64()?;
            let inferred = body.array::<1>()? != [0];
            let count = body.u32()?;
            let cause = std::str::from_utf8(body.bytes(count)?).or_else(damage)?;
            let mut gap = Gap::new(at..at.saturating_add(length), GapCause::from(cause));
            gap.inferred = inferred;
            at = gap.end;
            if let Some(gap) = gap.clip(range) {
                series.push_gap(gap);
            }
        }
    }
    if at == end { Ok(first) } else { damage(format!("it ends at {at}, its id says {end}")) }
}

fn push_values(bytes: &[u8], at: &mut u64, range: &Range<u64>, series: &mut Series) -> Result<(), Damage> {
    let count = bytes.len() / 8;
    let Some(end) = at.checked_add(count as u64) else { return damage("it goes past the last index") };
    let place = |index: u64| usize::try_from(index.saturating_sub(*at)).unwrap_or(usize::MAX).min(count);
    let (from, to) = (place(range.start), place(range.end));
    if from < to {
        let (words, _) = bytes[8 * from..8 * to].as_chunks();
        let values: Vec<f64> = words.iter().map(|word| f64::from_le_bytes(*word)).collect();
        series.push_values(&values);
    }
    *at = end;
    Ok(())
}

/// Appends the lines of a block that lie in a range. Returns the number of the block's first line.
pub(super) fn read_lines(
    run: RunId,
    end: u64,
    block: &[u8],
    range: &Range<u64>,
    lines: &mut Vec<LogLine>,
) -> Result<u64, Damage> {
    let (kind, mut body) = open(block)?;
    let count = match kind {
        LINES => body.u32()? as u64,
        LOST_LINES => body.u64()?,
        other => return damage(format!("kind {other} is not one of log lines")),
    };
    let Some(first) = end.checked_sub(count) else { return damage("it has more lines than there are") };
    check(Place { run, channel: LOG, first, end }, block)?;
    let (from, to) = (range.start.clamp(first, end), range.end.clamp(first, end));
    let (skip, most) = (from - first, to.saturating_sub(from));
    let most = usize::try_from(most).or_else(damage)?;
    if kind == LOST_LINES {
        lines.extend(std::iter::repeat_n(LogLine::lost(), most));
        return Ok(first);
    }
    let all: Vec<LogLine> = serde_json::from_slice(body.0).or_else(damage)?;
    if all.len() as u64 != count {
        return damage(format!("it has {} lines where {count} belong", all.len()));
    }
    lines.extend(all.into_iter().skip(usize::try_from(skip).unwrap_or(usize::MAX)).take(most));
    Ok(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> RunId {
        "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e".parse().unwrap()
    }

    fn values(range: Range<u64>) -> Piece {
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let values = range.clone().map(|index| index as f64).collect();
        Piece::Block { first: range.start, values }
    }

    #[test]
    fn entries_stay_small_beside_a_gap() {
        let end = 300_000;
        let gap = Gap::new(100_000..100_007, GapCause::Device);
        let pieces = [values(0..100_000), Piece::Gap(gap.clone()), values(100_007..end)];
        let mut entries = Vec::new();
        pack_samples(run(), 3, &pieces, &mut entries);
        assert!(entries.iter().all(|entry| entry.block.len() <= MOST_BYTES + 64), "an entry is too large");
        let mut series = Series::starting_at(0);
        let mut at = 0;
        for entry in &entries {
            assert_eq!(read_samples(run(), 3, entry.end, &entry.block, &(0..u64::MAX), &mut series).unwrap(), at);
            at = entry.end;
        }
        assert_eq!((at, &series.gaps[..]), (end, &[gap][..]));
        assert_eq!(series.values.len() as u64, end - 7);
        // A window that begins amid a piece that was split.
        let mut window = Series::starting_at(150_000);
        let entry = entries.iter().find(|entry| entry.end > 150_000).unwrap();
        read_samples(run(), 3, entry.end, &entry.block, &(150_000..150_010), &mut window).unwrap();
        assert_eq!(window.values, (150_000_u32..150_010).map(f64::from).collect::<Vec<_>>());
    }

    #[test]
    fn lines_are_split_and_a_long_one_stands_alone() {
        let line = |length: usize| LogLine::new(lucihub_models_core::Timestamp::EPOCH, "x".repeat(length));
        let lines: Vec<LogLine> = (0..3_000)
            .map(|n| line(n % 90))
            .chain([line(65_536), line(1)])
            .chain((0..9).map(|_| line(30_000)))
            .collect();
        let entries = pack_lines(run(), 7, &lines).unwrap();
        assert!(entries.iter().all(|entry| entry.block.len() <= 2 * MOST_BYTES), "an entry is too large");
        let (mut all, mut at) = (Vec::new(), 7);
        for entry in &entries {
            assert_eq!(read_lines(run(), entry.end, &entry.block, &(0..u64::MAX), &mut all).unwrap(), at);
            at = entry.end;
        }
        assert_eq!((at, all), (7 + lines.len() as u64, lines));
    }
}
