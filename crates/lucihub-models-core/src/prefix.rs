//! The beginning of a run's id.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use uuid::Uuid;

use crate::error::Invalid;
use crate::id::{RunId, shorten};

/// The beginning of a run's id, as people type it, up to the whole id.
///
/// New ids begin with the time of their creation: the first 8 digits change every 65 seconds, the first 12 every
/// millisecond.
///
/// ```
/// use lucihub_models_core::RunPrefix;
/// let prefix: RunPrefix = "0198c1f0-3f".parse()?;
/// assert!(prefix.begins("0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e".parse()?));
/// assert!(!prefix.begins("0198c1f0-405e-7c3a-9d52-3f6a0d1b2c4e".parse()?));
/// # Ok::<(), lucihub_models_core::Invalid>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunPrefix {
    digits: u32,
    first: u128,
}

impl RunPrefix {
    /// The fewest digits: fewer begin too many ids to mean one.
    pub const MIN_DIGITS: u32 = 4;
    /// The digits of a whole id.
    const ALL_DIGITS: u32 = 32;

    /// The id, if all of it was given.
    #[must_use]
    pub const fn whole(&self) -> Option<RunId> {
        if self.digits == Self::ALL_DIGITS { Some(RunId::from_uuid(Uuid::from_u128(self.first))) } else { None }
    }

    /// The ids that begin so, from the first to the last that could be.
    #[must_use]
    pub const fn range(&self) -> RangeInclusive<RunId> {
        let rest = match u128::MAX.checked_shr(4 * self.digits) {
            Some(rest) => rest,
            None => 0,
        };
        RunId::from_uuid(Uuid::from_u128(self.first))..=RunId::from_uuid(Uuid::from_u128(self.first | rest))
    }

    /// Whether an id begins so.
    #[must_use]
    pub fn begins(&self, id: RunId) -> bool {
        self.range().contains(&id)
    }
}

impl From<RunId> for RunPrefix {
    fn from(id: RunId) -> Self {
        Self { digits: Self::ALL_DIGITS, first: id.as_uuid().as_u128() }
    }
}

impl FromStr for RunPrefix {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        const HYPHENS: [usize; 4] = [8, 13, 18, 23];
        if let Ok(id) = text.parse::<RunId>() {
            return Ok(id.into());
        }
        let invalid = |problem: String| {
            Invalid::new("run id", problem)
                .hint(format!("give it as 8-4-4-4-12 hexadecimal digits, or its first {} or more", Self::MIN_DIGITS))
        };
        let hyphened = text.contains('-');
        let (mut digits, mut first) = (0, 0_u128);
        for (at, c) in text.char_indices() {
            let digit = c.to_digit(16);
            let is_hyphen = hyphened && HYPHENS.contains(&at);
            match digit {
                Some(digit) if !is_hyphen && digits < Self::ALL_DIGITS => {
                    first = first << 4 | u128::from(digit);
                    digits += 1;
                }
                None if is_hyphen && c == '-' => {}
                _ => return Err(invalid(format!("{:?} does not begin a UUID", shorten(text)))),
            }
        }
        if digits < Self::MIN_DIGITS {
            return Err(invalid(format!("{text:?} is too short")));
        }
        Ok(Self { digits, first: first << (4 * (Self::ALL_DIGITS - digits)) })
    }
}

impl fmt::Display for RunPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Uuid::from_u128(self.first).hyphenated().to_string();
        let mut left = self.digits;
        let end = text.find(|c: char| {
            let over = left == 0;
            left -= u32::from(c != '-' && !over);
            over
        });
        f.write_str(end.map_or(&*text, |end| text[..end].trim_end_matches('-')))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e";

    #[test]
    fn every_beginning_of_an_id_is_one_and_is_shown_again() {
        let id: RunId = ID.parse().unwrap();
        for end in 4..=ID.len() {
            let typed = &ID[..end];
            let prefix: RunPrefix = typed.parse().unwrap();
            assert_eq!(prefix.to_string(), typed.trim_end_matches('-'));
            assert!(prefix.begins(id));
            assert_eq!(typed.to_uppercase().parse::<RunPrefix>().unwrap(), prefix);
            let without: String = typed.chars().filter(|c| *c != '-').collect();
            assert_eq!(without.parse::<RunPrefix>().unwrap(), prefix);
            assert_eq!(prefix.whole(), (end == ID.len()).then_some(id));
        }
    }

    #[test]
    fn its_range_is_what_begins_so_and_nothing_else() {
        let range = "01-8".parse::<RunPrefix>();
        assert!(range.is_err(), "a hyphen where no UUID has one");
        let range = "0198c1f0-3".parse::<RunPrefix>().unwrap().range();
        assert_eq!(range.start().to_string(), "0198c1f0-3000-0000-0000-000000000000");
        assert_eq!(range.end().to_string(), "0198c1f0-3fff-ffff-ffff-ffffffffffff");
    }

    #[test]
    fn what_begins_no_id_is_refused() {
        for bad in ["", "019", "0198-", "0198g", "-0198", "0198c1f03-f", "latest", "0198c1f0_3f", &format!("{ID}0")] {
            assert!(bad.parse::<RunPrefix>().is_err(), "{bad}");
        }
    }
}
