//! Following a run from a cursor: nothing missed, nothing twice, unless the store
//! itself lost what it had told. It says so then: [`Event::Rewound`].

use std::collections::VecDeque;
use std::time::Duration;

use futures_core::Stream;
use futures_util::{StreamExt, stream};
use lucihub_models_core::hot::{LineSlice, RunWakes};
use lucihub_models_core::{Cursor, Envelope, PhaseChange, Positions, Result, RunId, RunState, Series, StateChange};

use crate::read::{Located, Source};
use crate::store::Store;

/// What a follower wants to have of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Select {
    /// State changes.
    pub states: bool,
    /// Phase changes.
    pub phases: bool,
    /// Log lines.
    pub lines: bool,
    /// The channels whose samples it wants.
    pub channels: Channels,
    /// Buckets of this width, a power of two, instead of samples: what a live
    /// plot needs. The width of a snapshot's envelope joins it without a seam.
    pub buckets: Option<u64>,
}

/// A choice of channels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Channels {
    /// Every one.
    All,
    /// These.
    Only(Vec<u32>),
}

impl Default for Select {
    fn default() -> Self {
        Self { states: true, phases: true, lines: true, channels: Channels::All, buckets: None }
    }
}

impl Select {
    /// States and log lines, no samples.
    #[must_use]
    pub const fn logs() -> Self {
        Self { states: true, phases: false, lines: true, channels: Channels::Only(Vec::new()), buckets: None }
    }

    /// Asks for buckets instead of samples. A width that is no power of two
    /// becomes the next one.
    #[must_use]
    pub const fn with_buckets(mut self, width: u64) -> Self {
        self.buckets = Some(match width.checked_next_power_of_two() {
            Some(width) => width,
            None => 1 << 62,
        });
        self
    }

    /// Chooses the channels.
    #[must_use]
    pub fn with_channels(mut self, channels: Channels) -> Self {
        self.channels = channels;
        self
    }

    fn wants(&self, channel: u32) -> bool {
        match &self.channels {
            Channels::All => true,
            Channels::Only(these) => these.contains(&channel),
        }
    }
}

/// Something new of a run.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// Log lines.
    Lines(LineSlice),
    /// Samples of a channel, with their gaps.
    Samples {
        /// The channel.
        channel: u32,
        /// The samples, from the follower's position on.
        series: Series,
    },
    /// What a channel looks like from the follower's position on, where buckets
    /// were asked for. Its first bucket may continue the last one of the event or
    /// snapshot before: [`Envelope::join`] makes them one.
    Buckets {
        /// The channel.
        channel: u32,
        /// The buckets of exactly what is new, with its gaps.
        envelope: Envelope,
    },
    /// A change of phase, by number.
    Phase(u64, PhaseChange),
    /// A change of state, by number. Comes after the lines and samples that were
    /// there with it.
    State(u64, StateChange),
    /// The store fell behind the follower, since hot storage lost what it had
    /// told: what follows begins here. Whoever adds up or prints what comes takes
    /// back, or skips, what it had beyond this.
    Rewound(Positions),
    /// The run has ended, and all of it was delivered. The last event.
    Ended(RunState),
}

/// Follows a run. A slow follower costs the writer nothing: it asks for what is
/// new when it comes back.
pub struct Follower {
    store: Store,
    select: Select,
    cursor: Cursor,
    wakes: RunWakes,
    ready: VecDeque<Step>,
    ended: bool,
    /// The longest time between two looks, should a wake-up be lost.
    poll: Duration,
}

/// An event, and where the follower is after it.
struct Step {
    event: Event,
    after: Positions,
}

impl std::fmt::Debug for Follower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Follower").field("cursor", &self.cursor).finish_non_exhaustive()
    }
}

impl Store {
    /// Follows a run from its beginning.
    #[must_use]
    pub fn follow(&self, run: RunId, select: Select) -> Follower {
        self.follow_from(Cursor::new(run, Positions::default()), select)
    }

    /// Follows a run from a cursor, as exactly as if it had never stopped: in
    /// hot storage, after a restore, and in the archive after the run has ended.
    #[must_use]
    pub fn follow_from(&self, cursor: Cursor, select: Select) -> Follower {
        Follower {
            // Made before the first look, so that no change falls between.
            wakes: self.hot().watch(cursor.run),
            store: self.clone(),
            select,
            cursor,
            ready: VecDeque::new(),
            ended: false,
            poll: Duration::from_secs(1),
        }
    }
}

impl Follower {
    /// Lines that one event brings at most.
    const LINES: u64 = 1_024;
    /// Samples that one event brings at most.
    const SAMPLES: u64 = 65_536;
    /// Buckets that one event brings at most.
    const BUCKETS: u64 = 4_096;

    /// Where it stands: after the last event that was taken.
    #[must_use]
    pub const fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    /// Waits for the next event. `None` after [`Event::Ended`].
    ///
    /// # Errors
    /// `NotFound` if there is no such run; others when a storage cannot be read.
    /// The follower stays where it is: calling again goes on.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(step) = self.ready.pop_front() {
                self.cursor.at = step.after;
                return Ok(Some(step.event));
            }
            if self.ended {
                return Ok(None);
            }
            let located = self.store.locate(self.cursor.run).await?;
            if self.is_worth_a_look(&located) {
                self.look(&located).await?;
            }
            if self.ready.is_empty() && !self.woken().await {
                // The store has closed, and will wake nobody again.
                tokio::time::sleep(self.poll).await;
            }
        }
    }

    /// The events as a stream. It ends after [`Event::Ended`] and after an error.
    pub fn into_stream(self) -> impl Stream<Item = Result<Event>> + Send + 'static {
        stream::try_unfold(
            self,
            |mut follower| async move { Ok(follower.next().await?.map(|event| (event, follower))) },
        )
    }

    /// A checkpoint may lie behind what hot storage showed before it went away:
    /// only hot storage and the archive decide that something is gone.
    fn is_worth_a_look(&self, located: &Located) -> bool {
        let decides = matches!(located.source(), Source::Live | Source::Archive);
        decides || located.positions().covers(&self.cursor.at)
    }

    /// Waits for a wake-up, but not for long. `false` once there will be none.
    async fn woken(&mut self) -> bool {
        !matches!(tokio::time::timeout(self.poll, self.wakes.next()).await, Ok(None))
    }

    /// Puts what is new up to one position into `ready`.
    async fn look(&mut self, located: &Located) -> Result<()> {
        let status = located.status();
        let target = located.positions();
        let mut at = self.cursor.at.clone();
        if !target.covers(&at) {
            at = at.min(target);
            self.put(Event::Rewound(at.clone()), &at);
        }
        // States last: whoever sees the end has seen all that came before it.
        self.look_lines(located, &mut at, target.lines).await?;
        if !self.look_samples(located, &mut at, target).await? {
            return Ok(());
        }
        for number in at.phases..target.phases {
            at.phases = number + 1;
            if let Some(change) = nth(&status.head.phases, number).filter(|_| self.select.phases) {
                self.put(Event::Phase(number, change), &at);
            }
        }
        for number in at.states..target.states {
            at.states = number + 1;
            if let Some(change) = nth(&status.head.states, number).filter(|_| self.select.states) {
                self.put(Event::State(number, change), &at);
            }
        }
        if self.ready.is_empty() {
            self.cursor.at = at.clone();
        }
        if status.ended && at.covers(target) {
            self.ended = true;
            self.put(Event::Ended(status.head.state().clone()), &at);
        }
        Ok(())
    }

    async fn look_lines(&mut self, located: &Located, at: &mut Positions, end: u64) -> Result<()> {
        while at.lines < end {
            let part = at.lines..end.min(at.lines + Self::LINES);
            at.lines = part.end;
            if self.select.lines {
                let slice = self.store.lines_at(located, part).await?;
                self.put(Event::Lines(slice), at);
            }
        }
        Ok(())
    }

    /// Whether all samples up to the target are prepared.
    async fn look_samples(&mut self, located: &Located, at: &mut Positions, target: &Positions) -> Result<bool> {
        /// Events that one look prepares at most: the rest waits in the store.
        const MOST: usize = 64;
        for channel in 0..u32::try_from(target.samples.len()).unwrap_or(u32::MAX) {
            while at.sample(channel) < target.sample(channel) {
                if !self.select.wants(channel) {
                    at.set_sample(channel, target.sample(channel));
                    continue;
                }
                if self.ready.len() >= MOST {
                    return Ok(false);
                }
                let first = at.sample(channel);
                let most = self.select.buckets.map_or(Self::SAMPLES, |width| width.saturating_mul(Self::BUCKETS));
                let part = first..target.sample(channel).min(first.saturating_add(most));
                at.set_sample(channel, part.end);
                let event = match self.select.buckets {
                    None => Event::Samples { channel, series: self.store.window_at(located, channel, part).await? },
                    Some(width) => {
                        let envelope = self.store.buckets_at(located, channel, part, width).await?;
                        Event::Buckets { channel, envelope }
                    }
                };
                self.put(event, at);
            }
        }
        Ok(true)
    }

    fn put(&mut self, event: Event, after: &Positions) {
        self.ready.push_back(Step { event, after: after.clone() });
    }
}

fn nth<T: Clone>(list: &[T], number: u64) -> Option<T> {
    list.get(usize::try_from(number).ok()?).cloned()
}
