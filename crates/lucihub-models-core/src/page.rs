//! Pages of a list of runs.

use std::fmt;
use std::str::FromStr;

use crate::digest::Digest;
use crate::error::Invalid;
use crate::filter::RunFilter;
use crate::id::RunId;
use crate::limits::Limits;
use crate::summary::RunSummary;
use crate::timestamp::Timestamp;

/// Which end of a list comes first. Ties in time are ordered by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Newest first.
    #[default]
    Newest,
    /// Oldest first.
    Oldest,
}

/// Where a page begins: after the last run of the page before, of the same search.
///
/// As text it is opaque: hexadecimal digits, with a version and a checksum.
/// What was damaged on its way is refused, and so is a cursor of another search:
/// that is against mistakes. Nothing in it is secret or signed; whoever makes
/// one up begins elsewhere in the same search and sees nothing more, since the
/// filter is sent again with every page.
///
/// ```
/// use lucihub_models_core::{Order, PageCursor, RunFilter, Timestamp};
/// let id = "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e".parse()?;
/// let cursor = PageCursor::new(&RunFilter::default(), Order::Newest, Timestamp::EPOCH, id);
/// let text = cursor.to_string();
/// assert_eq!(text.parse::<PageCursor>()?, cursor);
/// assert!(text.replace('0', "1").parse::<PageCursor>().is_err());
/// # Ok::<(), lucihub_models_core::Invalid>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageCursor {
    created_at: Timestamp,
    id: RunId,
    search: u64,
}

/// The form of a cursor's text. Another form gets another number.
const VERSION: u8 = 1;
/// Version, time, id, search, checksum.
const BYTES: usize = 1 + 8 + 16 + 8 + 4;

impl PageCursor {
    /// The place after a run in a search.
    #[must_use]
    pub fn new(filter: &RunFilter, order: Order, created_at: Timestamp, id: RunId) -> Self {
        Self { created_at, id, search: filter.fingerprint(order) }
    }

    /// When that run was created.
    #[must_use]
    pub const fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// That run.
    #[must_use]
    pub const fn id(&self) -> RunId {
        self.id
    }

    fn bytes(&self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        bytes[0] = VERSION;
        bytes[1..9].copy_from_slice(&self.created_at.as_micros().to_be_bytes());
        bytes[9..25].copy_from_slice(self.id.as_uuid().as_bytes());
        bytes[25..33].copy_from_slice(&self.search.to_be_bytes());
        let check = checksum(&bytes[..33]);
        bytes[33..].copy_from_slice(&check);
        bytes
    }
}

fn checksum(bytes: &[u8]) -> [u8; 4] {
    let digest = Digest::of(bytes);
    let [a, b, c, d, ..] = *digest.as_bytes();
    [a, b, c, d]
}

impl fmt::Display for PageCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for PageCursor {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = |problem: &str| {
            Invalid::new("page cursor", problem).hint("pass on the text of an earlier page unchanged, or begin anew")
        };
        let bytes = from_hex(text).ok_or_else(|| invalid("it is not one"))?;
        if bytes[0] != VERSION {
            return Err(invalid("it is of another version of the library"));
        }
        if checksum(&bytes[..33]) != bytes[33..] {
            return Err(invalid("it was changed"));
        }
        let number = |at: usize| bytes[at..at + 8].iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let micros = number(1).cast_signed();
        let id = bytes[9..25].iter().fold(0_u128, |id, byte| id << 8 | u128::from(*byte));
        let created_at = Timestamp::from_micros(micros).map_err(|_| invalid("it was changed"))?;
        Ok(Self { created_at, id: RunId::from_uuid(uuid::Uuid::from_u128(id)), search: number(25) })
    }
}

/// Bytes from lower-case digits, the only form that is written.
fn from_hex(text: &str) -> Option<[u8; BYTES]> {
    let digit = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; BYTES];
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    if pairs.len() != BYTES {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

/// One page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// Which end comes first.
    pub order: Order,
    /// Where it begins; at the end that comes first if absent.
    pub after: Option<PageCursor>,
    /// How many runs, 1 to [`Limits::page`](crate::Limits::page).
    pub limit: usize,
    /// How many runs to pass over, 0 to [`Limits::offset`](crate::Limits::offset), instead of a cursor. It costs as much
    /// as walking over them in an index (for a label or relation beside other fields: as looking at each run that has
    /// it), and runs that come meanwhile shift the rest: a cursor is better.
    pub offset: usize,
    /// Whether to count all runs of the search, every time anew: in an index, and for a label or relation beside other
    /// fields by looking at each run that has it.
    pub total: bool,
}

impl PageRequest {
    /// The newest runs.
    #[must_use]
    pub const fn newest(limit: usize) -> Self {
        Self { order: Order::Newest, after: None, limit, offset: 0, total: false }
    }

    /// The oldest runs.
    #[must_use]
    pub const fn oldest(limit: usize) -> Self {
        Self { order: Order::Oldest, after: None, limit, offset: 0, total: false }
    }

    /// Begins after the last run of an earlier page.
    #[must_use]
    pub const fn after(mut self, cursor: PageCursor) -> Self {
        self.after = Some(cursor);
        self
    }

    /// Passes over some runs.
    #[must_use]
    pub const fn skip(mut self, offset: usize) -> Self {
        self.offset = offset;
        self
    }

    /// Counts all runs of the search.
    #[must_use]
    pub const fn with_total(mut self) -> Self {
        self.total = true;
        self
    }

    /// Checks the size of the page and of the filter, and that its cursor is one of this search.
    ///
    /// # Errors
    /// [`Invalid`] naming the part, the limit and what to do.
    pub fn check(&self, filter: &RunFilter, limits: &Limits) -> Result<(), Invalid> {
        if !(1..=limits.page).contains(&self.limit) {
            let problem = format!("{} items", self.limit);
            return Err(Invalid::new("page", problem).hint(format!("use 1 to {}", limits.page)));
        }
        let items = filter.items();
        if items > limits.filter_items {
            let hint = format!("the limit is {} in all fields together; ask in several searches", limits.filter_items);
            return Err(Invalid::new("filter", format!("{items} items")).hint(hint));
        }
        if filter.labels.len() > limits.labels {
            let hint = format!("the limit is {}, which is what a run may have", limits.labels);
            return Err(Invalid::new("filter", format!("{} label names", filter.labels.len())).hint(hint));
        }
        if self.offset > limits.offset {
            let hint = format!("the limit is {}; go on from the cursor of a page instead", limits.offset);
            return Err(Invalid::new("offset", self.offset.to_string()).hint(hint));
        }
        let Some(after) = self.after else { return Ok(()) };
        if self.offset > 0 {
            return Err(Invalid::new("page", "both a cursor and an offset").hint("use one of them"));
        }
        if after.search != filter.fingerprint(self.order) {
            let problem = "it is of a search with another filter or order";
            return Err(Invalid::new("page cursor", problem).hint("repeat the search that gave it, or begin anew"));
        }
        Ok(())
    }
}

impl Default for PageRequest {
    fn default() -> Self {
        Self::newest(50)
    }
}

/// The runs of one page, and where the next one begins.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunPage {
    /// The runs.
    pub runs: Vec<RunSummary>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<PageCursor>,
    /// How many runs the whole search has, if that was asked for.
    pub total: Option<u64>,
}
