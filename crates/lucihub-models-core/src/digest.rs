//! Digests: BLAKE3 over a canonical form that no encoding changes.

use std::fmt;
use std::str::FromStr;

use crate::error::Invalid;
use crate::extra::Extra;
use crate::id::DeviceId;
use crate::latest::{
    Channel, DeviceType, FinalValue, Gap, InputType, LogLine, Overload, PhaseChange, Relation, RunHead, StateChange,
    TimeBase,
};
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

    pub(crate) fn channel(&mut self, channel: &Channel) {
        let Channel { carrier, probe, name, unit, extra } = channel;
        for text in [carrier, probe, name, unit] {
            self.optional(text.as_deref(), Self::text);
        }
        self.extra(extra);
    }

    pub(crate) fn time_base(&mut self, base: TimeBase) {
        self.number(base.rate_hz.to_bits());
        self.number(base.origin_s.to_bits());
    }

    pub(crate) fn final_value(&mut self, value: &FinalValue) {
        let FinalValue { element, value, extra } = value;
        self.text(element);
        self.number(value.to_bits());
        self.extra(extra);
    }

    /// A field that documents may lack: nothing where it does, so that a field more changes no digest of before.
    fn field<T>(&mut self, name: &str, value: Option<T>, feed: impl FnOnce(&mut Self, T)) {
        if let Some(value) = value {
            self.text(name);
            feed(self, value);
        }
    }

    pub(crate) fn overload(&mut self, overload: &Overload) {
        let Overload { element, at, sample, extra } = overload;
        self.text(element);
        self.time(*at);
        self.optional(*sample, Self::number);
        self.extra(extra);
    }
}

/// The digest of a run: all of its head that nobody changes after its end, log lines, and per channel every gap, index
/// and bit of every sample.
///
/// It is a hash over per-cell hashes, so it needs one cell in memory at a time,
/// and it does not depend on batches, codec or engine. Feed log cells in order,
/// then each channel in order with its cells in order.
#[derive(Debug, Clone)]
pub struct RunDigest(Canonical);

impl RunDigest {
    /// Begins with the head. Labels, output and error are not part of it: they
    /// may be changed after the run has ended.
    #[must_use]
    pub fn begin(head: &RunHead) -> Self {
        let RunHead {
            id,
            job_type,
            created_at,
            states,
            device,
            device_type,
            owner,
            labels: _,
            input_type,
            input,
            output: _,
            error: _,
            channels,
            time_base,
            op_time_ns,
            ic_time_ns,
            k0,
            priority,
            phases,
            overloads,
            final_values,
            related_to,
            worker,
            firmware,
            entity_digest,
            parameter_schema,
            grid,
            extra,
        } = head;
        let mut c = Canonical::of("lucihub run 2");
        c.text(&id.to_string());
        c.text(job_type.as_str());
        c.time(*created_at);
        c.each(states, Canonical::state);
        c.each(phases, Canonical::phase);
        c.each(overloads, Canonical::overload);
        c.each(final_values, Canonical::final_value);
        c.number(grid.samples.into());
        c.number(grid.lines.into());
        c.each(channels, Canonical::channel);
        c.each(related_to, |c, relation| {
            let Relation { kind, run, extra } = relation;
            c.text(kind.as_str());
            c.text(&run.to_string());
            c.extra(extra);
        });
        for (name, text) in [
            ("device", device.as_ref().map(DeviceId::as_str)),
            ("device_type", device_type.as_ref().map(DeviceType::as_str)),
            ("owner", owner.as_deref()),
            ("input_type", input_type.as_ref().map(InputType::as_str)),
            // Storages may drop the white space around a document.
            ("input", input.as_ref().map(|json| json.as_str().trim_ascii())),
            ("worker", worker.as_deref()),
            ("firmware", firmware.as_deref()),
            ("entity_digest", entity_digest.as_deref()),
            ("parameter_schema", parameter_schema.as_deref()),
        ] {
            c.field(name, text, Canonical::text);
        }
        c.field("time_base", *time_base, Canonical::time_base);
        c.field("op_time_ns", *op_time_ns, Canonical::number);
        c.field("ic_time_ns", *ic_time_ns, Canonical::number);
        c.field("k0", k0.map(u64::from), Canonical::number);
        c.field("priority", priority.map(|priority| priority.to_string()), |c, text| c.text(&text));
        c.extra(extra);
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
