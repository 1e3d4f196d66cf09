//! Reading a stretch of a stream: part by part, as one moment.

use std::ops::Range;

use fred::bytes::Bytes;
use fred::types::{Key, Value};
use lucihub_models_core::{Result, RunId, StoreError};

use super::RedisHot;
use super::block::Damage;
use super::link::Lane;
use super::reply::Reply;

/// A block as it is stored, and the position behind it.
pub(super) struct Stored {
    pub(super) end: u64,
    pub(super) block: Bytes,
}

/// One part of a stretch.
struct Part {
    incarnation: String,
    base: u64,
    next: u64,
    done: bool,
    blocks: Vec<Stored>,
}

impl RedisHot {
    /// Reads the blocks that touch a range, clipped to what is there, in order.
    ///
    /// `begin` makes the answer for the clipped start, `take` adds a block for the range that is left and returns the
    /// block's first position. Since blocks never change, parts that are read one after the other are the run at one
    /// moment; unless it was trimmed past the reader or is another run meanwhile, and then all begins anew.
    pub(super) async fn read_range<T>(
        &self,
        run: RunId,
        name: &str,
        stream: Key,
        range: Range<u64>,
        begin: impl Fn(u64) -> T,
        take: impl Fn(&mut T, u64, &Bytes, &Range<u64>) -> Result<u64, Damage>,
    ) -> Result<Option<T>> {
        'anew: loop {
            let Some(mut part) = self.read_part(run, name, &stream, &range, "").await? else { return Ok(None) };
            let incarnation = part.incarnation.clone();
            let start = range.start.clamp(part.base, part.next);
            let clipped = start..range.end.clamp(start, part.next);
            let mut answer = begin(start);
            let mut at = start;
            loop {
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
                if part.done && part.blocks.is_empty() {
                    return Err(corrupt(run, name, at, "no block holds it"));
                }
                let after = part.blocks.last().map_or(at, |last| last.end);
                let clip = at..clipped.end;
                let Some(next) = self.read_part(run, name, &stream, &clip, &format!("{after}-0")).await? else {
                    return Ok(None);
                };
                if next.incarnation != incarnation || next.base > at {
                    continue 'anew;
                }
                part = next;
            }
        }
    }

    async fn read_part(
        &self,
        run: RunId,
        name: &str,
        stream: &Key,
        range: &Range<u64>,
        after: &str,
    ) -> Result<Option<Part>> {
        /// Bytes of one answer: enough to be worth the way, small enough not to hold up others.
        const BYTES: usize = 1024 * 1024;
        let mut keys = self.keys.run(run).fixed(1);
        keys.push(stream.clone());
        let mut args = super::args();
        let position = |at: u64| Value::from(at.min(MOST).to_string());
        args.extend([name.into(), position(range.start), after.into(), position(range.end), BYTES.to_string().into()]);
        let mut reply = self.link.call(Lane::Read, &self.link.scripts.range, keys, args).await?;
        match &*reply.text()? {
            "entries" => read_entries(reply).map(Some),
            "absent" | "deleted" => Ok(None),
            other => Err(reply.bad(format!("{other:?}"))),
        }
    }
}

/// Positions are below 2^41 by core's limits; scripts count exactly up to 2^53.
const MOST: u64 = 1 << 52;

fn read_entries(mut reply: Reply) -> Result<Part> {
    let incarnation = reply.text()?;
    let (base, next) = (reply.number()?, reply.number()?);
    let done = !reply.text()?.is_empty();
    let mut blocks = Vec::new();
    for entry in reply.list()? {
        let Value::Array(mut parts) = entry else { return Err(reply.bad("an entry is none")) };
        let (block, id) = (parts.pop().and_then(Value::into_bytes), parts.pop().and_then(Value::into_string));
        let end = id.as_deref().and_then(|id| id.strip_suffix("-0")).and_then(|end| end.parse().ok());
        let (Some(end), Some(block)) = (end, block) else { return Err(reply.bad("an entry is none")) };
        blocks.push(Stored { end, block });
    }
    Ok(Part { incarnation, base, next, done, blocks })
}

fn corrupt(run: RunId, name: &str, end: u64, why: &str) -> StoreError {
    let what = if name == "lines" { "log".to_owned() } else { format!("channel {name}") };
    StoreError::corrupt(format!("run {run} in hot storage, {what}, block before {end}"), why)
}
