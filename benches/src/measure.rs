//! Measuring: ours and the limit turn by turn, medians, spreads, ratios.

use std::time::Instant;

use anyhow::{Result, ensure};

/// What a figure counts, and which way is better.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unit {
    /// Things per second.
    PerSecond(&'static str),
    /// Time, in this unit, of so many to the second.
    Time(&'static str, f64),
    /// An amount of bytes per something.
    Bytes(&'static str),
}

/// Samples per second.
pub(crate) const SAMPLES: Unit = Unit::PerSecond("samples/s");
/// Seconds.
pub(crate) const S: Unit = Unit::Time("s", 1.0);
/// Milliseconds.
pub(crate) const MS: Unit = Unit::Time("ms", 1e3);
/// Microseconds.
pub(crate) const US: Unit = Unit::Time("us", 1e6);

impl Unit {
    /// Its name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::PerSecond(name) | Self::Time(name, _) | Self::Bytes(name) => name,
        }
    }

    /// The figure of so many things, calls or items, that took so many seconds.
    fn of(self, count: f64, seconds: f64) -> f64 {
        match self {
            Self::PerSecond(_) => count / seconds,
            Self::Time(_, scale) => scale * seconds / count,
            Self::Bytes(_) => count,
        }
    }
}

/// A figure that was measured, repeat by repeat.
#[derive(Debug)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) unit: Unit,
    ours: Vec<f64>,
    limit: Option<(&'static str, Vec<f64>)>,
}

impl Figure {
    /// The median.
    pub(crate) fn value(&self) -> f64 {
        median(&self.ours)
    }

    /// The least and the greatest repeat.
    pub(crate) fn spread(&self) -> (f64, f64) {
        spread(&self.ours)
    }

    /// How often it was measured.
    pub(crate) const fn repeats(&self) -> usize {
        self.ours.len()
    }

    /// What it is measured against, and that one's median.
    pub(crate) fn limit(&self) -> Option<(&'static str, f64)> {
        self.limit.as_ref().map(|(what, values)| (*what, median(values)))
    }

    /// The share of the limit's speed that we reach: 1 is as fast, 0.5 half as
    /// fast. The median over the turns, so that noise which lasts longer than a
    /// turn hits both.
    pub(crate) fn ratio(&self) -> Option<f64> {
        self.ratios().map(|ratios| median(&ratios))
    }

    /// The least and the greatest ratio of a turn.
    pub(crate) fn ratio_spread(&self) -> Option<(f64, f64)> {
        self.ratios().map(|ratios| spread(&ratios))
    }

    fn ratios(&self) -> Option<Vec<f64>> {
        let (_, limit) = self.limit.as_ref()?;
        let share = |(ours, limit): (&f64, &f64)| match self.unit {
            Unit::PerSecond(_) => ours / limit,
            Unit::Time(..) | Unit::Bytes(_) => limit / ours,
        };
        Some(self.ours.iter().zip(limit).map(share).collect())
    }
}

/// All figures, in the order in which they were measured.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) all: Vec<Figure>,
    /// A part of the names of those that are wanted.
    wanted: String,
}

impl Figures {
    /// None yet, of those whose names have this part.
    pub(crate) const fn new(wanted: String) -> Self {
        Self { all: Vec::new(), wanted }
    }

    /// Whether a figure is wanted.
    pub(crate) fn wants(&self, name: &str) -> bool {
        name.contains(&self.wanted)
    }

    /// Whether any figure may be wanted whose name begins so.
    pub(crate) fn wants_any_of(&self, stem: &str) -> bool {
        self.wanted.starts_with(stem) || stem.contains(&self.wanted) || !self.wanted.contains('.')
    }

    /// Measures something against its limit in [turns]. Both return how many
    /// things were done in how many seconds, what they prepared left out.
    pub(crate) fn compare(
        &mut self,
        (name, unit): (impl Into<String>, Unit),
        repeats: u32,
        ours: impl FnMut() -> Result<(f64, f64)>,
        (what, limit): (&'static str, impl FnMut() -> Result<(f64, f64)>),
    ) -> Result<()> {
        let name = name.into();
        if !self.wants(&name) {
            return Ok(());
        }
        let (us, them) = turns(repeats, ours, limit)?;
        let figures = |turns: Vec<(f64, f64)>| turns.into_iter().map(|(count, s)| unit.of(count, s)).collect();
        self.push(Figure { name, unit, ours: figures(us), limit: Some((what, figures(them))) })
    }

    /// Measures something that has no limit beside it.
    pub(crate) fn alone(
        &mut self,
        (name, unit): (impl Into<String>, Unit),
        repeats: u32,
        mut ours: impl FnMut() -> Result<(f64, f64)>,
    ) -> Result<()> {
        let name = name.into();
        if !self.wants(&name) {
            return Ok(());
        }
        ours()?;
        let turns = (0..repeats).map(|_| ours().map(|(count, s)| unit.of(count, s))).collect::<Result<_>>()?;
        self.push(Figure { name, unit, ours: turns, limit: None })
    }

    /// Takes in what was measured elsewhere.
    pub(crate) fn push_values(&mut self, (name, unit): (&str, Unit), ours: Vec<f64>) -> Result<()> {
        if !self.wants(name) || ours.is_empty() {
            return Ok(());
        }
        self.push(Figure { name: name.to_owned(), unit, ours, limit: None })
    }

    /// Takes in what was measured elsewhere, beside its limit.
    pub(crate) fn push_compared(
        &mut self,
        (name, unit): (&str, Unit),
        ours: Vec<f64>,
        limit: (&'static str, Vec<f64>),
    ) -> Result<()> {
        if !self.wants(name) {
            return Ok(());
        }
        self.push(Figure { name: name.to_owned(), unit, ours, limit: Some(limit) })
    }

    fn push(&mut self, figure: Figure) -> Result<()> {
        ensure!(figure.value().is_finite() && figure.value() > 0.0, "{} is {}", figure.name, figure.value());
        eprintln!("{}", crate::report::line(&figure));
        self.all.push(figure);
        Ok(())
    }
}

/// What ours and the limit say turn by turn; who is first changes with each turn.
pub(crate) fn turns<A, B>(
    repeats: u32,
    mut ours: impl FnMut() -> Result<A>,
    mut limit: impl FnMut() -> Result<B>,
) -> Result<(Vec<A>, Vec<B>)> {
    // The first turn finds caches and files cold, and does not count.
    ours()?;
    limit()?;
    let (mut us, mut them) = (Vec::new(), Vec::new());
    for turn in 0..repeats {
        if turn % 2 == 0 {
            us.push(ours()?);
        }
        them.push(limit()?);
        if turn % 2 == 1 {
            us.push(ours()?);
        }
    }
    Ok((us, them))
}

/// Seconds that something took, and what it gave. The value lives on, so that
/// freeing it is not measured.
pub(crate) fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(f64, T)> {
    let begun = Instant::now();
    let value = work()?;
    Ok((begun.elapsed().as_secs_f64(), value))
}

/// The least and the greatest of some values.
fn spread(values: &[f64]) -> (f64, f64) {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    (least, values.iter().copied().fold(f64::NEG_INFINITY, f64::max))
}

/// The middle of some values; the mean of the two middle ones.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_is_a_share_of_speed_and_pairs_turns() {
        let figure = |unit, ours: &[f64], limit: &[f64]| Figure {
            name: "a".to_owned(),
            unit,
            ours: ours.to_vec(),
            limit: Some(("b", limit.to_vec())),
        };
        assert_eq!(figure(SAMPLES, &[5.0, 10.0, 90.0], &[10.0, 20.0, 180.0]).ratio(), Some(0.5));
        assert_eq!(figure(MS, &[20.0, 2.0], &[10.0, 1.0]).ratio(), Some(0.5));
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!((median(&[3.0, 1.0, 2.0]), median(&[4.0, 1.0, 2.0, 3.0])), (2.0, 2.5));
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn units_count() {
        assert_eq!((SAMPLES.of(10.0, 2.0), MS.of(10.0, 2.0), US.of(1.0, 2.0)), (5.0, 200.0, 2e6));
    }
}
