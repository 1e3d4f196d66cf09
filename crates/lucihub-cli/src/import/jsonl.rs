//! Rows of JSON Lines.

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::layout::Layout;
use super::rows::{Problem, Row, Rows};
use crate::export::columns::FLAG;
use crate::export::text::Flag;
use crate::failure::Failure;

/// An object per line, each with the members of the first, in its order. Empty lines are passed over.
pub(super) struct Jsonl {
    reader: BufReader<File>,
    text: String,
    line: u64,
    layout: Layout,
    /// The members of the first line.
    members: Vec<String>,
    /// The first line, until it is asked for.
    first: Option<Vec<(String, Item)>>,
    name: String,
}

impl Jsonl {
    pub(super) fn open(file: File, name: String) -> Result<Self, Failure> {
        let layout = Layout { has_index: false, time: None, channels: Vec::new(), has_marks: false };
        let reader = BufReader::new(file);
        let mut rows = Self { reader, text: String::new(), line: 0, layout, members: Vec::new(), first: None, name };
        let Some(first) = rows.object()? else {
            return Err(Problem::new("it is empty", "give at least one object").at(&rows.name, 1));
        };
        rows.members = first.iter().map(|(name, _)| name.clone()).collect();
        rows.layout = Layout::of(&rows.members, FLAG).map_err(|problem| problem.at(&rows.name, rows.line))?;
        rows.first = Some(first);
        Ok(rows)
    }

    /// The next object that there is.
    fn object(&mut self) -> Result<Option<Vec<(String, Item)>>, Failure> {
        loop {
            self.text.clear();
            self.line += 1;
            let read = self.reader.read_line(&mut self.text);
            let size = read.map_err(|why| match why.kind() {
                std::io::ErrorKind::InvalidData => {
                    Problem::new("it is not UTF-8", "save the file as UTF-8").at(&self.name, self.line)
                }
                _ => Failure::File { what: "read", path: self.name.clone().into(), why },
            })?;
            if size == 0 {
                return Ok(None);
            }
            if self.text.trim().is_empty() {
                continue;
            }
            let object: Object = serde_json::from_str(&self.text).map_err(|error| {
                let what = format!("it is no object of numbers: {error}");
                Problem::new(what, "write one JSON object on each line").at(&self.name, self.line)
            })?;
            return Ok(Some(object.0));
        }
    }

    fn read(&self, object: &[(String, Item)], row: &mut Row) -> Result<(), Problem> {
        if let Some((name, _)) =
            object.iter().zip(&self.members).find(|((name, _), member)| name != *member).map(|(m, _)| m)
        {
            return Err(Problem::new("the first line has another member here", SAME).in_column(name));
        }
        if object.len() != self.members.len() {
            let (has, wanted) = (object.len(), self.members.len());
            return Err(Problem::new(format!("{has} members where the first line has {wanted}"), SAME));
        }
        let layout = &self.layout;
        let mut items = object.iter();
        if layout.has_index {
            let item = items.next().and_then(|(_, item)| item.index());
            let problem = || Problem::new("it is no sample index", "write 0, 1, 2 ..").in_column("index");
            row.index = Some(item.ok_or_else(problem)?);
        }
        if let Some(time) = &layout.time {
            let item = items.next().and_then(|(_, item)| item.number());
            let problem = || Problem::new("it is no number", "write seconds, as in 0.0001").in_column(time);
            row.time = Some(item.ok_or_else(problem)?);
        }
        let marks = items.clone().skip(layout.channels.len());
        for (number, (name, item)) in items.take(layout.channels.len()).enumerate() {
            let flag = match (layout.has_marks, item) {
                (false, Item::Null) => Flag::Missing,
                (false, _) => Flag::Ok,
                (true, _) => {
                    let word = marks.clone().nth(number).and_then(|(_, mark)| mark.word());
                    word.and_then(Flag::from_word).ok_or_else(|| {
                        Problem::new("the flag is no word that is known", FLAGS).in_column(&format!("{name}{FLAG}"))
                    })?
                }
            };
            row.values.push(match flag {
                Flag::Missing => None,
                Flag::NaN => Some(f64::NAN),
                Flag::Infinite => Some(f64::INFINITY),
                Flag::NegativeInfinite => Some(f64::NEG_INFINITY),
                Flag::Ok => {
                    let hint = "write a number, or null where a sample is missing";
                    Some(item.number().ok_or_else(|| Problem::new("it is no number", hint).in_column(name))?)
                }
            });
        }
        Ok(())
    }
}

const SAME: &str = "give every line the members of the first, in their order";
const FLAGS: &str = "write ok, missing, nan, inf or -inf";

impl Rows for Jsonl {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn next(&mut self, row: &mut Row) -> Result<bool, Failure> {
        row.values.clear();
        let object = match self.first.take() {
            Some(first) => first,
            None => match self.object()? {
                Some(object) => object,
                None => return Ok(false),
            },
        };
        row.line = self.line;
        self.read(&object, row).map_err(|problem| problem.at(&self.name, self.line))?;
        Ok(true)
    }
}

/// The members of an object, in their order.
struct Object(Vec<(String, Item)>);

/// What a member may be.
#[derive(Debug, Clone, PartialEq)]
enum Item {
    Null,
    Whole(u64),
    Number(f64),
    Word(String),
}

impl Item {
    fn index(&self) -> Option<u64> {
        if let Self::Whole(index) = self { Some(*index) } else { None }
    }

    #[expect(clippy::cast_precision_loss, reason = "as any reader of JSON takes a number for a double")]
    fn number(&self) -> Option<f64> {
        match self {
            Self::Whole(number) => Some(*number as f64),
            Self::Number(number) => Some(*number),
            Self::Null | Self::Word(_) => None,
        }
    }

    fn word(&self) -> Option<&str> {
        if let Self::Word(word) = self { Some(word) } else { None }
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct One;
        impl Visitor<'_> for One {
            type Value = Item;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, null or a flag")
            }

            fn visit_unit<E>(self) -> Result<Item, E> {
                Ok(Item::Null)
            }

            fn visit_u64<E>(self, number: u64) -> Result<Item, E> {
                Ok(Item::Whole(number))
            }

            #[expect(clippy::cast_precision_loss, reason = "as any reader of JSON takes a number for a double")]
            fn visit_i64<E>(self, number: i64) -> Result<Item, E> {
                Ok(Item::Number(number as f64))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Item, E> {
                Ok(Item::Number(number))
            }

            fn visit_str<E>(self, word: &str) -> Result<Item, E> {
                Ok(Item::Word(word.to_owned()))
            }
        }
        deserializer.deserialize_any(One)
    }
}
