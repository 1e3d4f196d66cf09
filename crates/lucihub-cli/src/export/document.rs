//! JSON: one document with a list per channel.

use std::io::{self, Write};
use std::ops::Range;

use serde_json::json;

use super::out::Out;
use super::spill::Spill;
use super::table::Table;
use super::text::{Flag, push_json};
use crate::failure::Failure;
use crate::progress::Progress;

/// Writes the document that stands in docs/operations.md, "Exporting and importing". `measurements` is what clients of the
/// hub's REST API expect as the result of a run: a list per channel. Where a list has null, `flags` says why.
pub(super) async fn write(table: &Table, mut out: Out) -> Result<Out, Failure> {
    let head = &table.head;
    let base = table.base();
    let mut front = json!({
        "run": head.id, "type": head.job_type.as_str(), "state": head.state().as_str(),
        "rate_hz": base.map(|base| base.rate_hz), "origin_s": base.map(|base| base.origin_s),
        "first": table.range.start, "end": table.range.end,
    })
    .to_string();
    // The lists follow in the same object.
    front.pop();
    out.write_all(front.as_bytes())?;
    write!(out, ",\"channels\":{}", channels(table))?;
    out.write_all(b",\"measurements\":[")?;
    let mut flags = Spill::new()?;
    let length = table.range.end - table.range.start;
    let mut bar = Progress::of(length * table.names.len() as u64);
    let mut text = String::new();
    for column in 0..table.names.len() {
        let between: &[u8] = if column == 0 { b"[" } else { b",[" };
        out.write_all(between)?;
        flags.write_all(between)?;
        let mut flagged = Flagged { since: table.range.start, flag: Flag::Ok, is_first: true };
        let mut at = table.range.start;
        while at < table.range.end {
            let block = table.column(column, at).await?;
            text.clear();
            for mut walk in block.walks() {
                for index in block.range.clone() {
                    let value = walk.step();
                    if index > table.range.start {
                        text.push(',');
                    }
                    push_json(&mut text, value);
                    flagged.turn(index, Flag::of(value), &mut flags)?;
                }
            }
            out.write_all(text.as_bytes())?;
            at = block.range.end;
            bar.at(length * column as u64 + at - table.range.start);
        }
        flagged.turn(table.range.end, Flag::Ok, &mut flags)?;
        out.write_all(b"]")?;
        flags.write_all(b"]")?;
    }
    out.write_all(b"],\"flags\":[")?;
    flags.pour(&mut out)?;
    writeln!(out, "],\"final_values\":{}}}", final_values(table))?;
    Ok(out)
}

fn channels(table: &Table) -> serde_json::Value {
    let of = |(number, name): (&u32, &String)| {
        let channel = usize::try_from(*number).ok().and_then(|number| table.head.channels.get(number));
        json!({
            "channel": number,
            "name": name,
            "unit": channel.and_then(|channel| channel.unit.as_ref()),
            "carrier": channel.and_then(|channel| channel.carrier.as_ref()),
            "probe": channel.and_then(|channel| channel.probe.as_ref()),
        })
    };
    table.channels.iter().zip(&table.names).map(of).collect()
}

fn final_values(table: &Table) -> serde_json::Value {
    let values = table.head.final_values.iter();
    values
        .map(|last| {
            let flag = Flag::of(Some(last.value));
            json!({ "element": last.element, "value": last.value, "is": flag.word() })
        })
        .collect()
}

/// Stretches of the same flag in a list; those that are plain numbers are not told.
struct Flagged {
    since: u64,
    flag: Flag,
    is_first: bool,
}

impl Flagged {
    /// From this index on the samples are so.
    fn turn(&mut self, index: u64, flag: Flag, out: &mut impl Write) -> io::Result<()> {
        if flag == self.flag {
            return Ok(());
        }
        let Range { start, end } = std::mem::replace(&mut self.since, index)..index;
        let before = std::mem::replace(&mut self.flag, flag);
        if before == Flag::Ok {
            return Ok(());
        }
        let between = if std::mem::replace(&mut self.is_first, false) { "" } else { "," };
        write!(out, "{between}{{\"first\":{start},\"end\":{end},\"is\":\"{}\"}}", before.word())
    }
}
