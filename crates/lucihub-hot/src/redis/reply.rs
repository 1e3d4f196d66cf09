//! Replies of scripts, taken apart.

use std::collections::HashMap;

use fred::bytes::Bytes;
use fred::types::Value;
use lucihub_models_core::hot::Seal;
use lucihub_models_core::{Positions, Result, RunState, StoreError, Timestamp};

use super::keys::POSITION_NAMES;

/// A reply: its parts, taken in order. Anything unexpected is `Corrupt`, with the script's name.
#[derive(Debug)]
pub(super) struct Reply {
    script: &'static str,
    parts: std::vec::IntoIter<Value>,
}

impl Reply {
    pub(super) fn new(script: &'static str, parts: Vec<Value>) -> Self {
        Self { script, parts: parts.into_iter() }
    }

    /// What is wrong with it.
    pub(super) fn bad(&self, why: impl std::fmt::Display) -> StoreError {
        StoreError::corrupt(format!("Redis's answer to {}", self.script), why)
    }

    pub(super) fn next(&mut self) -> Result<Value> {
        self.parts.next().ok_or_else(|| self.bad("it is too short"))
    }

    pub(super) fn text(&mut self) -> Result<String> {
        self.optional_text()?.ok_or_else(|| self.bad("a text is missing"))
    }

    pub(super) fn optional_text(&mut self) -> Result<Option<String>> {
        let value = self.next()?;
        self.as_text(value)
    }

    /// The next text, or none at the end.
    pub(super) fn optional_next(&mut self) -> Result<Option<String>> {
        if self.parts.as_slice().is_empty() { Ok(None) } else { self.text().map(Some) }
    }

    pub(super) fn bytes(&mut self) -> Result<Bytes> {
        self.next()?.into_bytes().ok_or_else(|| self.bad("bytes are missing"))
    }

    /// All parts that are left, as positions.
    pub(super) fn into_positions(self) -> Result<Positions> {
        Self::new(self.script, vec![Value::Array(self.parts.collect())]).positions()
    }

    fn as_text(&self, value: Value) -> Result<Option<String>> {
        match value {
            Value::Null => Ok(None),
            Value::Integer(number) => Ok(Some(number.to_string())),
            other => other.into_string().map(Some).ok_or_else(|| self.bad("a text is none")),
        }
    }

    pub(super) fn number(&mut self) -> Result<u64> {
        let text = self.text()?;
        text.parse().map_err(|_| self.bad(format!("{text:?} is no number")))
    }

    pub(super) fn time(&mut self) -> Result<Timestamp> {
        let text = self.text()?;
        self.as_time(&text)
    }

    pub(super) fn as_time(&self, text: &str) -> Result<Timestamp> {
        let micros = text.parse().map_err(|_| self.bad(format!("{text:?} is no time")))?;
        Timestamp::from_micros(micros).map_err(|e| self.bad(e))
    }

    /// A seal, by its state.
    pub(super) fn seal(&mut self) -> Result<Seal> {
        Ok(Seal::Ended(RunState::from(&*self.text()?)))
    }

    /// An array; absent and empty are the same.
    pub(super) fn list(&mut self) -> Result<Vec<Value>> {
        match self.next()? {
            Value::Null => Ok(Vec::new()),
            Value::Array(values) => Ok(values),
            _ => Err(self.bad("a list is none")),
        }
    }

    /// An array as a reply of its own.
    pub(super) fn nested(&mut self) -> Result<Self> {
        Ok(Self::new(self.script, self.list()?))
    }

    /// An array if there is one.
    pub(super) fn optional_nested(&mut self) -> Result<Option<Self>> {
        match self.next()? {
            Value::Null => Ok(None),
            Value::Array(values) => Ok(Some(Self::new(self.script, values))),
            _ => Err(self.bad("a list is none")),
        }
    }

    pub(super) fn texts(&mut self) -> Result<Vec<String>> {
        let list = self.list()?;
        list.into_iter().map(|v| self.as_text(v)?.ok_or_else(|| self.bad("a text is missing"))).collect()
    }

    /// The fields of a hash.
    pub(super) fn fields(&mut self) -> Result<HashMap<String, String>> {
        let mut texts = self.texts()?.into_iter();
        let mut fields = HashMap::with_capacity(texts.len() / 2);
        while let (Some(name), Some(value)) = (texts.next(), texts.next()) {
            fields.insert(name, value);
        }
        Ok(fields)
    }

    pub(super) fn positions(&mut self) -> Result<Positions> {
        let mut texts = self.texts()?.into_iter();
        let mut positions = Positions::default();
        while let (Some(name), Some(value)) = (texts.next(), texts.next()) {
            self.set_position(&mut positions, &name, &value)?;
        }
        Ok(positions)
    }

    /// Sets one position by its name.
    pub(super) fn set_position(&self, positions: &mut Positions, name: &str, value: &str) -> Result<()> {
        let at = value.parse().map_err(|_| self.bad(format!("{value:?} is no position")))?;
        match name {
            "states" => positions.states = at,
            "phases" => positions.phases = at,
            "lines" => positions.lines = at,
            channel => {
                let channel = channel.parse::<u32>().ok().filter(|channel| *channel < MAX_CHANNELS);
                positions.set_sample(channel.ok_or_else(|| self.bad(format!("{name:?} is no channel")))?, at);
            }
        }
        Ok(())
    }
}

/// No stored channel number is believed past this: it would take the memory of all before it.
const MAX_CHANNELS: u32 = 1 << 20;

/// Positions as a counted list of names and values. What is 0 is left out.
pub(super) fn position_args(positions: &Positions, args: &mut Vec<Value>) {
    let at = args.len();
    args.push(Value::Null);
    put_positions("", positions, args);
    args[at] = count(args.len() - at - 1);
}

/// Positions as names and values, behind a prefix. What is 0 is left out.
pub(super) fn put_positions(prefix: &str, positions: &Positions, args: &mut Vec<Value>) {
    let [states, phases, lines] = POSITION_NAMES;
    let named = [(states, positions.states), (phases, positions.phases), (lines, positions.lines)];
    for (name, value) in named.into_iter().filter(|(_, value)| *value > 0) {
        args.push(format!("{prefix}{name}").into());
        args.push(value.to_string().into());
    }
    for (channel, value) in positions.samples.iter().enumerate().filter(|(_, value)| **value > 0) {
        args.push(format!("{prefix}{channel}").into());
        args.push(value.to_string().into());
    }
}

/// A count as an argument.
pub(super) fn count(count: usize) -> Value {
    count.to_string().into()
}
