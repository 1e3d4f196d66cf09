//! Followers of one run on Redis, all on threads of their own: when they have what was appended, and what they cost the
//! writer.

use anyhow::Result;

use super::{Axis, Curve, Panel, Quantity, middle, push, repeats};
use crate::lab::Lab;
use crate::measure::{Figures, MS, US};
use crate::redis::{Bench, follow};

/// How many there are, and batches of one repeat.
const SIZES: [(usize, usize); 5] = [(1, 300), (10, 300), (100, 200), (1_000, 60), (5_000, 20)];

pub(super) const AXIS: Axis = Axis {
    name: "followers",
    title: "Followers of a run, on Redis",
    sizes: "followers of the run",
    panels: &[Panel {
        title: "Redis",
        quantity: Quantity::Time,
        curves: &[
            Curve { what: "lag_p99", label: "until 99 % have it" },
            Curve { what: "lag_p50", label: "until half of them have it" },
            Curve { what: "append", label: "until the writer has its answer" },
        ],
    }],
};

/// Measures it.
pub(super) fn measure(lab: &Lab, figures: &mut Figures) -> Result<()> {
    let bench = Bench::begin(lab)?;
    // As those of another process: the writer does not wait for its turn behind them.
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    for (size, batches) in SIZES {
        let (mut p50, mut p99, mut appends) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..repeats(lab) {
            let times = lab.wait(follow::times(&bench, (lab.size.of(size), threads.handle()), lab.size.of(batches)))?;
            p50.push(times.lag_ms(50));
            p99.push(times.lag_ms(99));
            appends.push(middle(&times.appends));
        }
        figures.push_values((&AXIS.figure("lag_p50", size, "ms"), MS), p50)?;
        figures.push_values((&AXIS.figure("lag_p99", size, "ms"), MS), p99)?;
        push(figures, (&AXIS.figure("append", size, "us"), US), &appends)?;
    }
    Ok(())
}
