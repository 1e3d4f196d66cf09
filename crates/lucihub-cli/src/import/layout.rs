//! What the columns of a file are.

use std::collections::HashSet;

use super::rows::Problem;
use crate::export::columns::{INDEX, TIME};

/// What the columns of a file are, in this order: the index and the time, where they are there, the channels, and marks,
/// where each channel has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) has_index: bool,
    /// The name of the column of times.
    pub(super) time: Option<String>,
    pub(super) channels: Vec<String>,
    pub(super) has_marks: bool,
}

impl Layout {
    /// Reads the names of columns. `mark` is what marks end with.
    pub(super) fn of(names: &[String], mark: &str) -> Result<Self, Problem> {
        let mut seen = HashSet::new();
        for name in names {
            if name.is_empty() {
                return Err(Problem::new("a column has no name", "name every column"));
            }
            if !seen.insert(name) {
                return Err(Problem::new("two columns have this name", "rename one of them").in_column(name));
            }
        }
        let (has_index, rest) = match names {
            [first, rest @ ..] if first == INDEX => (true, rest),
            all => (false, all),
        };
        let (time, rest) = match rest {
            // An export marks every channel, so what is marked is a channel.
            [first, later @ ..] if first == TIME || (["time", "t"].contains(&&**first) && !is_marked(rest, mark)) => {
                (Some(first.clone()), later)
            }
            all => (None, all),
        };
        let has_marks = is_marked(rest, mark);
        let channels = if has_marks { &rest[..rest.len() / 2] } else { rest };
        if channels.is_empty() {
            return Err(Problem::new("there is no column of a channel", "give at least one beside index and time"));
        }
        Ok(Self { has_index, time, channels: channels.to_vec(), has_marks })
    }

    /// How many columns there are.
    pub(super) fn width(&self) -> usize {
        self.before_channels() + self.channels.len() * if self.has_marks { 2 } else { 1 }
    }

    /// How many columns come before those of the channels.
    pub(super) fn before_channels(&self) -> usize {
        usize::from(self.has_index) + usize::from(self.time.is_some())
    }
}

/// Whether the second half of the columns are the marks of the first.
fn is_marked(names: &[String], mark: &str) -> bool {
    let (channels, marks) = names.split_at(names.len() / 2);
    !channels.is_empty()
        && channels.len() == marks.len()
        && channels.iter().zip(marks).all(|(channel, marked)| marked.strip_suffix(mark) == Some(channel))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(names: &str) -> Result<Layout, Problem> {
        Layout::of(&names.split(',').map(str::to_owned).collect::<Vec<_>>(), "_missing")
    }

    fn seen(names: &str) -> (bool, Option<String>, String, bool) {
        let Layout { has_index, time, channels, has_marks } = layout(names).unwrap();
        (has_index, time, channels.join(","), has_marks)
    }

    #[test]
    fn columns_are_known_by_name_and_place() {
        let time = |name: &str| Some(name.to_owned());
        for (names, expected) in [
            ("x", (false, None, "x", false)),
            ("index,time_s,x,y,x_missing,y_missing", (true, time("time_s"), "x,y", true)),
            ("index,t,t_missing", (true, None, "t", true)),
            ("index,t,x,t_missing,x_missing", (true, None, "t,x", true)),
            ("t,x,y", (false, time("t"), "x,y", false)),
            ("time,x,x_missing", (false, time("time"), "x", true)),
            ("x,t,index", (false, None, "x,t,index", false)),
            ("x,y_missing", (false, None, "x,y_missing", false)),
        ] {
            let (has_index, time, channels, has_marks) = expected;
            assert_eq!(seen(names), (has_index, time, channels.to_owned(), has_marks), "{names}");
        }
        for bad in ["x,x", "", "index", "index,time_s", "x,,y"] {
            assert!(layout(bad).is_err(), "{bad}");
        }
    }
}
