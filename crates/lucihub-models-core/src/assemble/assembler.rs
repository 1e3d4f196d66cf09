//! The assembler of a run: its carriers, and the checks on what they send.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::carrier::Carrier;
use super::options::AssemblerOptions;
use super::outcome::{Assembled, ChunkStats, Finished};
use super::track::Track;
use crate::error::Invalid;
use crate::id::shorten;
use crate::latest::Channel;

/// No carrier begins past this sample index: the limit on samples of one channel.
const LAST_START: u64 = 1 << 40;

/// Puts the chunks of a run's carriers in order. The [module](super) says how.
#[derive(Debug, Clone)]
pub struct Assembler {
    options: AssemblerOptions,
    tracks: BTreeMap<String, Track>,
    channels: BTreeSet<u32>,
}

impl Assembler {
    /// An assembler that knows no carrier yet.
    #[must_use]
    pub fn new(options: AssemblerOptions) -> Self {
        Self { options: options.bounded(), tracks: BTreeMap::new(), channels: BTreeSet::new() }
    }

    /// An assembler for the channels of a run: each carrier's chunks hold its
    /// channels in the order of the list, and count from 0.
    ///
    /// ```
    /// use lucihub_models_core::assemble::{Assembler, AssemblerOptions};
    /// use lucihub_models_core::Channel;
    /// let channels = [Channel::named("x").on("left", "ADC0"), Channel::named("y").on("right", "ADC0")];
    /// let mut assembler = Assembler::for_channels(AssemblerOptions::default(), &channels)?;
    /// assert_eq!(assembler.chunk("right", 0, &[[0.25, 0.5]])?.len(), 1);
    /// # Ok::<(), lucihub_models_core::Invalid>(())
    /// ```
    ///
    /// # Errors
    /// [`Invalid`] for a channel that names no carrier.
    pub fn for_channels(options: AssemblerOptions, channels: &[Channel]) -> Result<Self, Invalid> {
        let mut carriers: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        for (number, channel) in (0..).zip(channels) {
            let carrier = channel.carrier.as_deref().ok_or_else(|| {
                Invalid::new(format!("channel {number}"), "it names no carrier").hint("add its carriers one by one")
            })?;
            carriers.entry(carrier).or_default().push(number);
        }
        let mut assembler = Self::new(options);
        for (name, channels) in carriers {
            assembler.carrier(Carrier::new(name, channels))?;
        }
        Ok(assembler)
    }

    /// Adds a carrier.
    ///
    /// # Errors
    /// [`Invalid`] for a carrier that is there already, that has no channel, or
    /// one that is listed before; and for a first index past 2^40.
    pub fn carrier(&mut self, carrier: Carrier) -> Result<(), Invalid> {
        let invalid = |problem: String| Invalid::new(thing(&carrier.name), problem);
        if self.tracks.contains_key(&carrier.name) {
            return Err(invalid("it was added before".into()));
        }
        if carrier.channels.is_empty() {
            return Err(invalid("it has no channels".into()).hint("leave it out"));
        }
        if carrier.first_index > LAST_START {
            return Err(invalid(format!("first index {}", carrier.first_index))
                .hint(format!("a channel has at most {LAST_START} samples")));
        }
        let mut channels = self.channels.clone();
        if let Some(channel) = carrier.channels.iter().find(|channel| !channels.insert(**channel)) {
            return Err(invalid(format!("channel {channel} is taken")).hint("a channel belongs to one carrier"));
        }
        self.channels = channels;
        self.tracks.insert(carrier.name.clone(), Track::new(carrier));
        Ok(())
    }

    /// Takes a chunk, and gives out what can be placed now: nothing while an
    /// earlier one is missing, and nothing for a chunk that had come already or
    /// comes too late. Each of `columns` holds the samples of one channel.
    ///
    /// # Errors
    /// [`Invalid`] for a carrier that was not added, for columns that are not one
    /// per channel and all of the same length, from 1 to
    /// [`chunk_samples`](AssemblerOptions::chunk_samples), and for a number that
    /// jumps too far. The assembler is as it was then.
    pub fn chunk(
        &mut self,
        carrier: &str,
        number: u32,
        columns: &[impl AsRef<[f64]>],
    ) -> Result<Vec<Assembled>, Invalid> {
        let invalid = |problem: String| Invalid::new(format!("{}, chunk {number}", thing(carrier)), problem);
        let track = self.tracks.get_mut(carrier).ok_or_else(|| {
            invalid("the run does not measure on it".into()).hint("add the carrier before its chunks")
        })?;
        if columns.len() != track.channels.len() {
            return Err(invalid(format!("{} channels", columns.len()))
                .hint(format!("the carrier has {}", track.channels.len())));
        }
        let size = columns.first().map_or(0, |column| column.as_ref().len() as u64);
        if let Some(other) = columns.iter().map(|c| c.as_ref().len() as u64).find(|length| *length != size) {
            return Err(invalid(format!("channels of {size} and of {other} samples")).hint("all have equally many"));
        }
        if !(1..=u64::from(self.options.chunk_samples)).contains(&size) {
            return Err(invalid(format!("{size} samples")).hint(format!("use 1 to {}", self.options.chunk_samples)));
        }
        let number = u64::from(number);
        let jump = track.jump(number);
        if jump > u64::from(self.options.jump_chunks) {
            return Err(invalid(format!("it skips {jump} numbers"))
                .hint(format!("at most {} are taken for a loss", self.options.jump_chunks)));
        }
        let mut out = Vec::new();
        let copy = || columns.iter().map(|column| Arc::from(column.as_ref())).collect();
        track.take(number, copy, size, &self.options, &mut out);
        Ok(out)
    }

    /// What became of a carrier's chunks so far; `None` if it was not added.
    #[must_use]
    pub fn stats(&self, carrier: &str) -> Option<ChunkStats> {
        self.tracks.get(carrier).map(|track| track.stats)
    }

    /// Values that wait for missing chunks, of all carriers. Of each at most
    /// [`window_values`](AssemblerOptions::window_values).
    #[must_use]
    pub fn waiting_values(&self) -> usize {
        self.tracks.values().map(Track::waiting_values).sum()
    }

    /// Gives out all that waits, and compares each carrier with the samples per
    /// channel that the run must have, counted from index 0: the operation time
    /// times the rate, [`TimeBase::index`](crate::TimeBase::index) of it. `None`
    /// if the run has no fixed length.
    ///
    /// Stragglers come up to 150 ms after DONE: call this after them.
    #[must_use]
    pub fn finish(self, expected: Option<u64>) -> Finished {
        let mut pieces = Vec::new();
        let carriers = self
            .tracks
            .into_iter()
            .map(|(name, track)| track.finish(name, expected, &self.options, &mut pieces))
            .collect();
        Finished { pieces, carriers }
    }
}

/// A carrier's name comes from the wire: quoted, and cut.
fn thing(carrier: &str) -> String {
    format!("carrier {:?}", shorten(carrier))
}
