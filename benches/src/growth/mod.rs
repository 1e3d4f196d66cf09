//! Growth: what things cost as one number grows, run once and drawn.
//!
//! | file | what grows |
//! | --- | --- |
//! | `runs.rs` | runs in the table |
//! | `samples.rs` | samples of a run |
//! | `live.rs` | live runs |
//! | `followers.rs` | followers of a run |
//! | `channels.rs` | channels of a run |
//! | `draw.rs`, `chart.rs` | the figures of a file as pictures, one for each of these |
//!
//! A point is a figure, `growth.AXIS.WHAT_of_SIZE_UNIT`, so that a picture is drawn from a file of figures alone.

mod channels;
mod chart;
pub(crate) mod draw;
mod followers;
mod live;
mod runs;
mod samples;

use anyhow::{Context, Result};

use crate::lab::Lab;
use crate::measure::{Figures, Unit, median};

/// Something that grows, and what is drawn over it.
struct Axis {
    /// Its part in the names of figures, and the name of its picture.
    name: &'static str,
    /// The heading of its picture.
    title: &'static str,
    /// What the sizes are.
    sizes: &'static str,
    /// The panels of its picture, from above.
    panels: &'static [Panel],
}

/// Curves that share their axes.
struct Panel {
    title: &'static str,
    quantity: Quantity,
    curves: &'static [Curve],
}

/// What a panel shows upwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantity {
    Time,
    Bytes,
}

/// One curve: its part in the names of figures, and what it is called.
struct Curve {
    what: &'static str,
    label: &'static str,
}

/// All that grows, in the order in which it is measured.
const AXES: [&Axis; 5] = [&runs::AXIS, &samples::AXIS, &live::AXIS, &followers::AXIS, &channels::AXIS];

/// Measures the group: minutes, so only for those who ask for it.
pub(crate) fn measure(lab: &Lab, figures: &mut Figures) -> Result<()> {
    let of_axis: [fn(&Lab, &mut Figures) -> Result<()>; 5] =
        [runs::measure, samples::measure, live::measure, followers::measure, channels::measure];
    for (axis, measure) in AXES.iter().zip(of_axis) {
        if figures.wants_any_of(&axis.stem()) {
            measure(lab, figures).with_context(|| axis.title)?;
        }
    }
    Ok(())
}

impl Axis {
    /// What the names of its figures begin with.
    fn stem(&self) -> String {
        format!("growth.{}.", self.name)
    }

    /// The name of a point.
    fn figure(&self, what: &str, size: usize, unit: &str) -> String {
        format!("{}{what}_of_{}_{unit}", self.stem(), named(size))
    }
}

/// Repeats of a point: the curve says more than its spread does.
fn repeats(lab: &Lab) -> u32 {
    lab.size.repeats.min(3)
}

/// Takes in what a point took in each repeat, in seconds.
fn push(figures: &mut Figures, (name, unit): (&str, Unit), seconds: &[f64]) -> Result<()> {
    let scale = match unit {
        Unit::Time(_, scale) => scale,
        Unit::PerSecond(_) | Unit::Bytes(_) => 1.0,
    };
    figures.push_values((name, unit), seconds.iter().map(|seconds| seconds * scale).collect())
}

/// The middle of some times, in seconds.
fn middle(times: &[std::time::Duration]) -> f64 {
    median(&times.iter().map(std::time::Duration::as_secs_f64).collect::<Vec<_>>())
}

/// A size as it stands in names.
fn named(size: usize) -> String {
    match size {
        n if n >= 1_000_000 && n % 1_000_000 == 0 => format!("{}m", n / 1_000_000),
        n if n >= 1_000 && n % 1_000 == 0 => format!("{}k", n / 1_000),
        n => n.to_string(),
    }
}

/// The size that has this name.
fn size(name: &str) -> Option<f64> {
    let (digits, scale) = match name.as_bytes().last()? {
        b'm' => (&name[..name.len() - 1], 1e6),
        b'k' => (&name[..name.len() - 1], 1e3),
        _ => (name, 1.0),
    };
    digits.parse::<u32>().ok().map(|digits| f64::from(digits) * scale)
}

#[cfg(test)]
mod tests {
    use super::{named, size};

    #[test]
    fn sizes_have_names_that_can_be_read_back() {
        for (of, name) in [(1, "1"), (256, "256"), (4_096, "4096"), (10_000, "10k"), (200_000_000, "200m")] {
            assert_eq!((named(of).as_str(), size(name)), (name, Some(of as f64)));
        }
        assert_eq!((size(""), size("k"), size("page")), (None, None, None));
    }
}
