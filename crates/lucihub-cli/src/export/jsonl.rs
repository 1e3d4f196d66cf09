//! JSON Lines: an object per index.

use std::io::Write;

use super::columns::{FLAG, INDEX, TIME};
use super::out::Out;
use super::rows::Rows;
use super::table::{Block, Table, Walk};
use super::text::{Flag, push_json};
use crate::failure::Failure;

/// Objects of the same members: index, time, the channels, and for each what its sample is.
#[derive(Debug)]
pub(super) struct Jsonl {
    out: Out,
    /// The members of the channels, as they stand before their values.
    channels: Vec<String>,
    flags: Vec<String>,
    line: String,
}

impl Jsonl {
    pub(super) fn begin(table: &Table, out: Out) -> Result<Self, Failure> {
        let member = |name: String| -> Result<String, Failure> {
            Ok(format!(",{}:", serde_json::to_string(&name).map_err(std::io::Error::from)?))
        };
        let members = |end: &str| table.names.iter().map(|name| member(format!("{name}{end}"))).collect();
        let (channels, flags): (Result<_, _>, Result<_, _>) = (members(""), members(FLAG));
        Ok(Self { out, channels: channels?, flags: flags?, line: String::new() })
    }
}

impl Rows for Jsonl {
    fn block(&mut self, table: &Table, block: &Block) -> Result<(), Failure> {
        let (mut walks, base) = (block.walks(), table.base());
        let mut values = Vec::with_capacity(walks.len());
        for index in block.range.clone() {
            self.line.clear();
            self.line.push_str(&format!("{{\"{INDEX}\":{index}"));
            if let Some(base) = base {
                self.line.push_str(&format!(",\"{TIME}\":"));
                push_json(&mut self.line, Some(base.seconds(index)));
            }
            values.clear();
            values.extend(walks.iter_mut().map(Walk::step));
            for (member, value) in self.channels.iter().zip(&values) {
                self.line.push_str(member);
                push_json(&mut self.line, *value);
            }
            for (member, value) in self.flags.iter().zip(&values) {
                self.line.push_str(member);
                self.line.push('"');
                self.line.push_str(Flag::of(*value).word());
                self.line.push('"');
            }
            self.line.push_str("}\n");
            self.out.write_all(self.line.as_bytes())?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Out, Failure> {
        Ok(self.out)
    }
}
