//! Axes: a range of numbers, and where its ticks are.

/// A range of numbers with a name.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    /// What it measures, and in what unit.
    pub(super) label: String,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// A tick and what is written at it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) text: String,
}

/// Beyond this a range would overflow. No measurement comes near it.
pub(super) const GREATEST: f64 = 1e300;

impl Axis {
    /// An axis over exactly this range, widened only where it is empty.
    pub(super) fn over(label: impl Into<String>, low: f64, high: f64) -> Self {
        let (low, high) = widened(low, high);
        Self { label: label.into(), low, high }
    }

    /// An axis on which these values stand with a little room around them, and
    /// -1 to 1 where there are none.
    pub(super) fn around(label: impl Into<String>, values: impl Iterator<Item = f64>) -> Self {
        let ends = values.fold(None, |ends: Option<(f64, f64)>, v| {
            ends.map_or(Some((v, v)), |(low, high)| Some((low.min(v), high.max(v))))
        });
        let (low, high) = ends.map_or((-1.0, 1.0), |(low, high)| widened(low, high));
        let room = (high - low) * 0.05;
        Self { label: label.into(), low: low - room, high: high + room }
    }

    /// The axis that holds this one and another.
    pub(super) fn with(&self, other: &Self) -> Self {
        Self { label: self.label.clone(), low: self.low.min(other.low), high: self.high.max(other.high) }
    }

    /// At most about `most` ticks at round numbers.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "few ticks, few digits")]
    pub(super) fn ticks(&self, most: usize) -> Vec<Tick> {
        let step = round_step((self.high - self.low) / most.max(1) as f64);
        let first = (self.low / step - 1e-9).ceil();
        let decimals = -(step.log10() + 1e-9).floor() as i32;
        let at = |n: usize| (first + n as f64) * step;
        let greatest = self.low.abs().max(self.high.abs());
        (0..=most + 1)
            .map(at)
            .take_while(|at| *at <= self.high + step * 1e-9)
            // 0.30000000000000004 is no label, and -0 is 0.
            .map(|at| if at.abs() < step / 2.0 { 0.0 } else { at })
            .map(|at| Tick { at, text: number(at, decimals, greatest) })
            .collect()
    }
}

/// A value that can be drawn: infinities become the greatest number there is room for.
pub(super) fn drawable(value: f64) -> f64 {
    value.clamp(-GREATEST, GREATEST)
}

/// Widens a range that is too narrow to be told apart.
fn widened(low: f64, high: f64) -> (f64, f64) {
    let size = low.abs().max(high.abs());
    if high - low > (size * 1e-9).max(1e-200) {
        return (low, high);
    }
    let room = if size > 1e-190 { size * 0.1 } else { 1.0 };
    (low - room, high + room)
}

/// The least of 1, 2, 5, 10, ... that is no less.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let digit = least / power;
    let round = [1.0, 2.0, 5.0].into_iter().find(|round| digit <= round + 1e-9).unwrap_or(10.0);
    round * power
}

/// A number with so many decimals, or with a power of ten where that is long.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an exponent of f64, clamped")]
fn number(value: f64, decimals: i32, greatest: f64) -> String {
    if (1e9..).contains(&greatest) || decimals > 7 {
        let digits = f64::from(decimals) + greatest.log10().floor();
        return if value == 0.0 { "0".to_owned() } else { format!("{value:.*e}", digits.clamp(0.0, 15.0) as usize) };
    }
    format!("{value:.*}", decimals.max(0) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(low: f64, high: f64, most: usize) -> Vec<String> {
        Axis::over("", low, high).ticks(most).into_iter().map(|tick| tick.text).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(texts(0.64, 0.74, 5), ["0.64", "0.66", "0.68", "0.70", "0.72", "0.74"]);
        assert_eq!(texts(-1.07, 1.02, 4), ["-1", "0", "1"]);
        assert_eq!(texts(-0.11, 0.31, 4), ["0.0", "0.2"]);
        assert_eq!(texts(0.0, 100_000_000.0, 4), ["0", "50000000", "100000000"]);
        assert_eq!(texts(0.0, 3e-9, 3), ["0", "1e-9", "2e-9", "3e-9"]);
        assert_eq!(texts(1e300, 1.2e300, 3), ["1.0e300", "1.1e300", "1.2e300"]);
    }

    #[test]
    fn any_values_have_an_axis() {
        for values in [
            vec![],
            vec![0.0],
            vec![0.5, 0.5],
            vec![GREATEST, -GREATEST],
            vec![f64::MIN_POSITIVE],
            vec![5e-324, 0.0],
            vec![1.0, 1.0 + f64::EPSILON],
        ] {
            let axis = Axis::around("", values.iter().copied());
            assert!(axis.low < axis.high && (axis.high - axis.low).is_finite(), "{values:?}: {axis:?}");
            assert!(values.iter().all(|v| (axis.low..=axis.high).contains(v)), "{values:?}: {axis:?}");
            let ticks = axis.ticks(5);
            assert!((1..=7).contains(&ticks.len()), "{values:?}: {ticks:?}");
        }
        assert_eq!(drawable(f64::NEG_INFINITY), -GREATEST);
    }
}
