//! Positions: the only coordinates inside a run.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Invalid;
use crate::id::{RunId, shorten};

/// How far each part of a run is: the number of states, phases and lines, and
/// the next sample index of each channel.
///
/// They mean the same in hot storage, in cold storage, in cursors, gaps, windows
/// and buckets. A channel that is not listed is at 0.
#[derive(Debug, Clone, Default, Eq, Serialize, Deserialize)]
pub struct Positions {
    /// State changes.
    pub states: u64,
    /// Phase changes.
    pub phases: u64,
    /// Log lines.
    pub lines: u64,
    /// The next sample index, a channel each.
    pub samples: Vec<u64>,
}

impl Positions {
    /// The next sample index of a channel.
    #[must_use]
    pub fn sample(&self, channel: u32) -> u64 {
        self.samples.get(channel as usize).copied().unwrap_or(0)
    }

    /// Sets the next sample index of a channel.
    pub fn set_sample(&mut self, channel: u32, next: u64) {
        let at = channel as usize;
        if self.samples.len() <= at {
            self.samples.resize(at + 1, 0);
        }
        self.samples[at] = next;
    }

    /// Whether this is at or past `other` in every part.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.states >= other.states
            && self.phases >= other.phases
            && self.lines >= other.lines
            && (0..self.width(other)).all(|c| self.sample(c) >= other.sample(c))
    }

    /// The later position of both, part by part.
    #[must_use]
    pub fn max(&self, other: &Self) -> Self {
        self.zip(other, u64::max)
    }

    /// The earlier position of both, part by part.
    #[must_use]
    pub fn min(&self, other: &Self) -> Self {
        self.zip(other, u64::min)
    }

    fn zip(&self, other: &Self, pick: fn(u64, u64) -> u64) -> Self {
        Self {
            states: pick(self.states, other.states),
            phases: pick(self.phases, other.phases),
            lines: pick(self.lines, other.lines),
            samples: (0..self.width(other)).map(|c| pick(self.sample(c), other.sample(c))).collect(),
        }
    }

    fn width(&self, other: &Self) -> u32 {
        u32::try_from(self.samples.len().max(other.samples.len())).unwrap_or(u32::MAX)
    }
}

impl PartialEq for Positions {
    fn eq(&self, other: &Self) -> bool {
        self.covers(other) && other.covers(self)
    }
}

/// Where a follower stands in a run. Valid in hot storage, after a restore, and
/// in cold storage after the run was archived.
///
/// ```
/// use lucihub_models_core::{Cursor, Positions};
/// # let run = "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e".parse()?;
/// let at = Positions { states: 2, lines: 40, samples: vec![700, 700, 650], ..Positions::default() };
/// let cursor = Cursor::new(run, at);
/// let text = cursor.to_string();
/// assert_eq!(text, "1.0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e.2.0.40.700x2_650x1");
/// assert_eq!(text.parse::<Cursor>()?, cursor);
/// # Ok::<(), lucihub_models_core::Invalid>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The run.
    pub run: RunId,
    /// What the follower has had of it.
    pub at: Positions,
}

impl Cursor {
    /// The most channels that the text of a cursor may name.
    const MAX_CHANNELS: usize = 1 << 16;

    /// A cursor in a run.
    #[must_use]
    pub const fn new(run: RunId, at: Positions) -> Self {
        Self { run, at }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = &self.at;
        write!(f, "1.{}.{}.{}.{}.", self.run, at.states, at.phases, at.lines)?;
        for (n, alike) in at.samples.chunk_by(|a, b| a == b).enumerate() {
            let separator = if n == 0 { "" } else { "_" };
            write!(f, "{separator}{}x{}", alike[0], alike.len())?;
        }
        Ok(())
    }
}

impl FromStr for Cursor {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = || {
            Invalid::new("cursor", format!("{:?} is not one", shorten(text)))
                .hint("pass on the text of an earlier answer unchanged")
        };
        let number = |part: &str| part.parse::<u64>().map_err(|_| invalid());
        let parts: Vec<&str> = text.split('.').collect();
        let ["1", run, states, phases, lines, samples] = parts[..] else {
            return Err(invalid());
        };
        let mut at =
            Positions { states: number(states)?, phases: number(phases)?, lines: number(lines)?, samples: Vec::new() };
        for group in samples.split('_').filter(|group| !group.is_empty()) {
            let (next, count) = group.split_once('x').ok_or_else(invalid)?;
            let count = usize::try_from(number(count)?).map_err(|_| invalid())?;
            if count > Self::MAX_CHANNELS - at.samples.len() {
                return Err(invalid());
            }
            at.samples.extend(std::iter::repeat_n(number(next)?, count));
        }
        Ok(Self { run: run.parse().map_err(|_| invalid())?, at })
    }
}
