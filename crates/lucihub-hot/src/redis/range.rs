//! Reading a stretch of a stream: part by part, as one moment.
//!
//! A part is four commands in one pipeline: where the stream begins and ends, the entries up to the last position
//! wanted, the one that holds it, and once more where the stream begins and ends. Entries come by plain `XRANGE`, since
//! each byte that a script hands on costs the server several times as much. What was read is the run at one moment if
//! it was the same run before and after, still as long, and nothing of the range was trimmed; blocks never change.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use fred::bytes::Bytes;
use fred::types::{Key, Value};
use lucihub_models_core::{Result, RunId, StoreError};
use tokio::time::Instant;

use super::RedisHot;
use super::block::Damage;
use super::reply::Reply;

/// A block as it is stored, and the position behind it.
pub(super) struct Stored {
    pub(super) end: u64,
    pub(super) block: Bytes,
}

/// Where a stream begins and ends, and in which life of the run.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Extent {
    incarnation: String,
    base: u64,
    next: u64,
}

/// One part of a stretch.
struct Part {
    before: Extent,
    after: Extent,
    /// Whether there is no more up to the end of the range.
    done: bool,
    blocks: Vec<Stored>,
}

/// How many entries one part has: fewer once they did not come in time, and more again when they do.
#[derive(Debug)]
pub(super) struct PartSize(AtomicU64);

impl PartSize {
    /// At most 4 MiB of samples, mostly much less.
    const MOST: u64 = 64;

    pub(super) const fn new() -> Self {
        Self(AtomicU64::new(Self::MOST))
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn note(&self, size: u64, in_time: bool) {
        let next = if in_time { (size * 2).min(Self::MOST) } else { (size / 2).max(1) };
        // Of reads at the same time, the one that began with the present size decides.
        let _ = self.0.compare_exchange(size, next, Ordering::Relaxed, Ordering::Relaxed);
    }
}

impl RedisHot {
    /// Reads the blocks that touch a range, clipped to what is there, in order.
    ///
    /// `begin` makes the answer for the clipped start, `take` adds a block for the range that is left and returns the
    /// block's first position.
    pub(super) async fn read_range<T>(
        &self,
        run: RunId,
        name: &str,
        stream: Key,
        range: Range<u64>,
        begin: impl Fn(u64) -> T,
        take: impl Fn(&mut T, u64, &Bytes, &Range<u64>) -> Result<u64, Damage>,
    ) -> Result<Option<T>> {
        let mut deadline = self.link.deadline();
        'anew: loop {
            let Some(mut part) = self.read_part(deadline, run, name, &stream, range.clone()).await? else {
                return Ok(None);
            };
            let incarnation = part.before.incarnation.clone();
            let start = range.start.clamp(part.before.base, part.before.next);
            let clipped = start..range.end.clamp(start, part.before.next);
            let mut answer = begin(start);
            let mut at = start;
            loop {
                let is_other = |extent: &Extent| extent.incarnation != incarnation || extent.next < clipped.end;
                if is_other(&part.before) || is_other(&part.after) || part.after.base > at {
                    // Another life of the run, or an older copy of it; or trimmed past the reader.
                    continue 'anew;
                }
                for Stored { end, block } in &part.blocks {
                    if at >= clipped.end {
                        break;
                    }
                    let first = take(&mut answer, *end, block, &(at..clipped.end))
                        .map_err(|damage| corrupt(run, name, *end, &damage.to_string()))?;
                    if first > at {
                        return Err(corrupt(run, name, *end, &format!("it begins at {first}, {at} is missing")));
                    }
                    at = (*end).min(clipped.end);
                }
                if at >= clipped.end {
                    return Ok(Some(answer));
                }
                if part.done {
                    return Err(corrupt(run, name, at, "no block holds it"));
                }
                // A long stretch may take its time as long as it grows; what begins anew may not.
                deadline = self.link.deadline();
                let Some(next) = self.read_part(deadline, run, name, &stream, at..clipped.end).await? else {
                    return Ok(None);
                };
                part = next;
            }
        }
    }

    /// Reads what follows the start of a range, until its end or until it is enough.
    async fn read_part(
        &self,
        deadline: Instant,
        run: RunId,
        name: &str,
        stream: &Key,
        range: Range<u64>,
    ) -> Result<Option<Part>> {
        let size = self.parts.get();
        let keys = self.keys.run(run).fixed(0);
        let mut extent = super::args();
        extent.push(name.into());
        let id = |at: u64| format!("{}-0", at.min(MOST));
        // An entry bears the position behind its last one: those that touch the range end behind its start.
        let (after, last) = (format!("({}", id(range.start)), id(range.end));
        let xrange = |from: String, to: String, count: u64| -> Vec<Value> {
            vec![stream.clone().into(), from.into(), to.into(), "COUNT".into(), count.to_string().into()]
        };
        let reads = vec![xrange(after, last.clone(), size), xrange(format!("({last}"), "+".to_owned(), 1)];
        let read = self.link.read_between(deadline, &self.link.scripts.extent, keys, extent, reads).await;
        self.parts.note(size, !matches!(read, Err(StoreError::Unavailable { .. })));
        let (before, found, after) = read?;
        let (Some(before), Some(after)) = (read_extent(before)?, read_extent(after)?) else { return Ok(None) };
        let mut found = found.into_iter();
        let mut blocks = read_entries(found.next().unwrap_or(Value::Null))?;
        // A part that was cut short goes on after its last entry.
        let done = (blocks.len() as u64) < size;
        if done {
            blocks.extend(read_entries(found.next().unwrap_or(Value::Null))?);
        }
        Ok(Some(Part { before, after, done, blocks }))
    }
}

pub(super) fn read_extent(mut reply: Reply) -> Result<Option<Extent>> {
    match &*reply.text()? {
        "extent" => Ok(Some(Extent { incarnation: reply.text()?, base: reply.number()?, next: reply.number()? })),
        "absent" | "deleted" => Ok(None),
        other => Err(reply.bad(format!("{other:?}"))),
    }
}

/// No position that core's limits allow is larger: they end at 2^40 samples. Scripts know those below 2^53 exactly.
const MOST: u64 = 1 << 52;

pub(super) fn read_entries(entries: Value) -> Result<Vec<Stored>> {
    let mut reply = Reply::new("XRANGE", vec![entries]);
    let mut blocks = Vec::new();
    for entry in reply.list()? {
        let stored = match entry {
            Value::Array(parts) => read_entry(parts),
            _ => None,
        };
        blocks.push(stored.ok_or_else(|| reply.bad("an entry is none"))?);
    }
    Ok(blocks)
}

/// An id, then names and values, of which there is one.
fn read_entry(parts: Vec<Value>) -> Option<Stored> {
    let [id, Value::Array(fields)] = <[Value; 2]>::try_from(parts).ok()? else { return None };
    let end = id.into_string()?.strip_suffix("-0")?.parse().ok()?;
    let [_, block] = <[Value; 2]>::try_from(fields).ok()?;
    Some(Stored { end, block: block.into_bytes()? })
}

fn corrupt(run: RunId, name: &str, end: u64, why: &str) -> StoreError {
    let what = if name == "lines" { "log".to_owned() } else { format!("channel {name}") };
    StoreError::corrupt(format!("run {run} in hot storage, {what}, block before {end}"), why)
}
