//! The faults in force: what befalls the calls of every client at a moment.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lucihub_testkit::Dice;
use tokio::time::Instant;

use super::client::Side;
use super::plan::Rates;

/// What becomes of one call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fate {
    /// Milliseconds on its way.
    pub(crate) there: u64,
    /// Milliseconds of its answer.
    pub(crate) back: u64,
    /// It never reaches the store.
    pub(crate) fails: bool,
    /// Its answer never comes back.
    pub(crate) loses: bool,
}

/// The faults in force.
pub(crate) struct Weather(Mutex<Inner>);

struct Inner {
    rates: Rates,
    calm: bool,
    /// A storage is away, for one client or for all, until then.
    cuts: Vec<(Side, Option<u16>, Instant)>,
    /// Clients that stand still until then, and whether they have noticed.
    stops: BTreeMap<u16, Instant>,
    counts: BTreeMap<&'static str, u64>,
}

impl Weather {
    /// Fair but for the rates of single faults.
    pub(crate) fn new(rates: Rates) -> Self {
        let (cuts, stops, counts) = Default::default();
        Self(Mutex::new(Inner { rates, calm: false, cuts, stops, counts }))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What befalls the next call of a client.
    pub(crate) fn draw(&self, dice: &Dice) -> Fate {
        let inner = self.lock();
        let Rates { fail, lose, slowest } = inner.rates;
        let roll = dice.roll();
        // Half of the ways take no time, so that calls meet at one moment too.
        let way = |bits: u64| if bits & 1 == 0 { 0 } else { (bits >> 1) % (slowest + 1) };
        let chance = |bits: u64, of: u64| !inner.calm && bits % 1_000 < of;
        Fate {
            there: way(roll & 0xffff),
            back: way(roll >> 16 & 0xffff),
            fails: chance(roll >> 32 & 0xffff, fail),
            loses: chance(roll >> 48, lose),
        }
    }

    /// A storage is away for a while.
    pub(crate) fn cut(&self, side: Side, client: Option<u16>, span: Duration) {
        self.lock().cuts.push((side, client, Instant::now() + span));
    }

    /// Whether a client cannot reach a storage.
    pub(crate) fn is_cut(&self, side: Side, client: u16) -> bool {
        let mut inner = self.lock();
        if inner.cuts.is_empty() {
            return false;
        }
        let now = Instant::now();
        inner.cuts.retain(|(_, _, until)| *until > now);
        inner.cuts.iter().any(|(cut, who, _)| *cut == side && who.is_none_or(|who| who == client))
    }

    /// A client stands still for a while.
    pub(crate) fn stop(&self, client: u16, span: Duration) {
        self.lock().stops.insert(client, Instant::now() + span);
    }

    /// How long a client still stands still.
    pub(crate) fn stopped_for(&self, client: u16) -> Option<Duration> {
        let mut inner = self.lock();
        if inner.stops.is_empty() {
            return None;
        }
        let rest = inner.stops.get(&client)?.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            inner.stops.remove(&client);
            return None;
        }
        Some(rest)
    }

    /// Faults stop.
    pub(crate) fn calm(&self) {
        let mut inner = self.lock();
        inner.calm = true;
        inner.rates.slowest = inner.rates.slowest.min(4);
        inner.cuts.clear();
        inner.stops.clear();
    }

    /// Whether faults have stopped.
    pub(crate) fn is_calm(&self) -> bool {
        self.lock().calm
    }

    /// One more fault of a kind.
    pub(crate) fn count(&self, kind: &'static str) {
        *self.lock().counts.entry(kind).or_default() += 1;
    }

    /// The faults so far, by kind.
    pub(crate) fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.lock().counts.clone()
    }
}
