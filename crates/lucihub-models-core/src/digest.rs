//! Digests: BLAKE3 over a canonical form that no encoding changes.

use std::fmt;
use std::str::FromStr;

use crate::error::Invalid;
use crate::extra::Extra;
use crate::latest::{Gap, LogLine, Overload, PhaseChange, RunHead, StateChange};
use crate::timestamp::Timestamp;

/// 32 bytes of BLAKE3; text is 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// A digest from its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The digest of plain bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = || Invalid::new("digest", "not 64 hexadecimal digits");
        if text.len() != 64 || !text.is_ascii() {
            return Err(invalid());
        }
        let mut bytes = [0; 32];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).map_err(|_| invalid())?;
        }
        Ok(Self(bytes))
    }
}

/// The digest of plain bytes that come in parts: [`Digest::of`] of all of them.
///
/// ```
/// use lucihub_models_core::{ByteDigest, Digest};
/// let mut digest = ByteDigest::default();
/// digest.update(b"ab");
/// digest.update(b"c");
/// assert_eq!(digest.finish(), Digest::of(b"abc"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct ByteDigest(blake3::Hasher);

impl ByteDigest {
    /// Adds a part.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all parts so far.
    #[must_use]
    pub fn finish(&self) -> Digest {
        Digest(*self.0.finalize().as_bytes())
    }
}

/// Feeds values to a hash, each with its length or a mark, so that no two
/// contents feed the same bytes.
#[derive(Debug, Clone)]
pub(crate) struct Canonical(blake3::Hasher);

impl Canonical {
    /// Begins a hash of one kind of content; the kind is part of it.
    pub(crate) fn of(kind: &str) -> Self {
        let mut canonical = Self(blake3::Hasher::new());
        canonical.text(kind);
        canonical
    }

    pub(crate) fn finish(&self) -> Digest {
        Digest(*self.0.finalize().as_bytes())
    }

    pub(crate) fn number(&mut self, value: u64) {
        self.0.update(&value.to_le_bytes());
    }

    pub(crate) fn count(&mut self, value: usize) {
        self.number(value as u64);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.update(text.as_bytes());
    }

    pub(crate) fn digest(&mut self, digest: &Digest) {
        self.0.update(&digest.0);
    }

    pub(crate) fn time(&mut self, at: Timestamp) {
        self.0.update(&at.as_micros().to_le_bytes());
    }

    pub(crate) fn optional<T>(&mut self, value: Option<T>, mut feed: impl FnMut(&mut Self, T)) {
        match value {
            None => self.number(0),
            Some(value) => {
                self.number(1);
                feed(self, value);
            }
        }
    }

    pub(crate) fn each<T>(&mut self, items: &[T], mut feed: impl FnMut(&mut Self, &T)) {
        self.count(items.len());
        items.iter().for_each(|item| feed(self, item));
    }

    /// Begins a hash of floats of one kind. The kind is the key, so that nothing stands before the first float: BLAKE3
    /// works on stretches side by side only where they begin at a multiple of their length.
    pub(crate) fn of_floats(kind: &str) -> Self {
        Self(blake3::Hasher::new_derive_key(kind))
    }

    /// Feeds the bits of floats to a hash that has nothing but floats yet. Their number follows behind them.
    pub(crate) fn bits(&mut self, values: &[f64]) {
        self.bits_of(std::iter::once(values));
    }

    /// Feeds the bits of floats as [`bits`](Self::bits) does those of all of them in a row.
    fn bits_of<'a>(&mut self, parts: impl Iterator<Item = &'a [f64]> + Clone) {
        /// The hash works on several stretches side by side only if it is given enough at once: 64 KiB are 2.4 times as
        /// fast as 8.
        const MOST: usize = 64 * 1024;
        let mut buffer = Vec::with_capacity((8 * parts.clone().map(<[f64]>::len).sum::<usize>()).min(MOST));
        for mut rest in parts {
            while !rest.is_empty() {
                let (now, later) = rest.split_at(rest.len().min((MOST - buffer.len()) / 8));
                buffer.extend(now.iter().flat_map(|value| value.to_bits().to_le_bytes()));
                if buffer.len() == MOST {
                    self.0.update(&buffer);
                    buffer.clear();
                }
                rest = later;
            }
        }
        self.0.update(&buffer);
    }

    /// Feeds floats among other values: one hash of their own for all of them. How many each part has is not in it.
    pub(crate) fn floats<'a>(&mut self, parts: impl Iterator<Item = &'a [f64]> + Clone) {
        let mut floats = Self(blake3::Hasher::new());
        floats.bits_of(parts);
        self.digest(&floats.finish());
    }

    pub(crate) fn gap(&mut self, gap: &Gap) {
        self.number(gap.first);
        self.number(gap.end);
        self.text(gap.cause.as_str());
        self.number(u64::from(gap.inferred));
    }

    pub(crate) fn extra(&mut self, extra: &Extra) {
        if extra.is_empty() {
            self.number(0);
        } else {
            self.text(&extra.to_json());
        }
    }

    pub(crate) fn line(&mut self, line: &LogLine) {
        let LogLine { text, at, level, source, cut_from, extra } = line;
        self.text(text);
        self.optional(*at, Self::time);
        self.optional(level.as_deref(), Self::text);
        self.optional(source.as_deref(), Self::text);
        self.optional(*cut_from, Self::number);
        self.extra(extra);
    }

    pub(crate) fn state(&mut self, change: &StateChange) {
        let StateChange { state, at, reason, extra } = change;
        self.text(state.as_str());
        self.time(*at);
        self.optional(reason.as_deref(), Self::text);
        self.extra(extra);
    }

    pub(crate) fn phase(&mut self, change: &PhaseChange) {
        let PhaseChange { phase, at, device_ns, carrier, extra } = change;
        self.text(phase.as_str());
        self.time(*at);
        self.optional(*device_ns, Self::number);
        self.optional(carrier.as_deref(), Self::text);
        self.extra(extra);
    }

    pub(crate) fn overload(&mut self, overload: &Overload) {
        let Overload { element, at, sample, extra } = overload;
        self.text(element);
        self.time(*at);
        self.optional(*sample, Self::number);
        self.extra(extra);
    }
}

/// The digest of what a run recorded: states, phases, overloads, final values,
/// log lines, and per channel every gap, index and bit of every sample.
///
/// It is a hash over per-cell hashes, so it needs one cell in memory at a time,
/// and it does not depend on batches, codec or engine. Feed log cells in order,
/// then each channel in order with its cells in order.
#[derive(Debug, Clone)]
pub struct RunDigest(Canonical);

impl RunDigest {
    /// Begins with the recorded part of the head. Labels, output and error are
    /// not part of it: they may be changed after the run has ended.
    #[must_use]
    pub fn begin(head: &RunHead) -> Self {
        let mut c = Canonical::of("lucihub run 1");
        c.text(&head.id.to_string());
        c.each(&head.states, Canonical::state);
        c.each(&head.phases, Canonical::phase);
        c.each(&head.overloads, Canonical::overload);
        c.each(&head.final_values, |c, value| {
            c.text(&value.element);
            c.number(value.value.to_bits());
            c.extra(&value.extra);
        });
        c.number(head.grid.samples.into());
        c.number(head.grid.lines.into());
        c.count(head.channels.len());
        Self(c)
    }

    /// Adds the number of log lines; their cells follow.
    pub fn lines(&mut self, count: u64) {
        self.0.text("lines");
        self.0.number(count);
    }

    /// Adds one channel and its end; its cells follow.
    pub fn channel(&mut self, channel: u32, end: u64) {
        self.0.text("channel");
        self.0.number(channel.into());
        self.0.number(end);
    }

    /// Adds the hash of one cell.
    pub fn cell(&mut self, hash: &Digest) {
        self.0.digest(hash);
    }

    /// The digest of the run.
    #[must_use]
    pub fn finish(&self) -> Digest {
        self.0.finish()
    }
}
