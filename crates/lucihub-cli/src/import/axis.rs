//! Whether the rows of a file are consecutive samples, and when they were taken.

use lucihub_models_core::{Invalid, TimeBase};

use super::layout::Layout;
use super::rows::{Problem, Row};
use super::time_base::{self, Point};
use crate::failure::Failure;

/// A file that was read to its end, and found sound.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) layout: Layout,
    /// The index of its first row.
    pub(super) first: u64,
    pub(super) rows: u64,
    pub(super) base: Option<TimeBase>,
}

/// What is known of the rows so far.
#[derive(Debug)]
pub(super) struct Axis {
    rate: Option<f64>,
    first: u64,
    rows: u64,
    /// The first, the second and the last time.
    times: Vec<Point>,
}

impl Axis {
    /// Of samples at a rate, if it is given.
    pub(super) fn new(rate: Option<f64>) -> Result<Self, Failure> {
        if let Some(rate) = rate.filter(|rate| !(rate.is_finite() && *rate > 0.0)) {
            let problem = format!("{rate} is no rate");
            return Err(Invalid::new("--rate", problem).hint("write samples per second, as in 10000").into());
        }
        Ok(Self { rate, first: 0, rows: 0, times: Vec::new() })
    }

    /// Looks at the next row.
    pub(super) fn take(&mut self, row: &Row) -> Result<(), Problem> {
        let expected = self.first + self.rows;
        let index = row.index.unwrap_or(expected);
        if self.rows == 0 {
            self.first = index;
        } else if index != expected {
            let hint = format!(
                "{expected} comes here; write a row for every index, and leave cells empty for what is missing"
            );
            return Err(Problem::new(format!("it is sample index {index}"), hint).in_column("index"));
        }
        if let Some(seconds) = row.time {
            self.time(Point { index, seconds })?;
        }
        self.rows += 1;
        Ok(())
    }

    fn time(&mut self, at: Point) -> Result<(), Problem> {
        if !at.seconds.is_finite() {
            return Err(Problem::new(format!("{} is no time", at.seconds), "write seconds"));
        }
        if let (Some(rate), [first, ..]) = (self.rate, &*self.times) {
            let expected = first.seconds + time_base::count(at.index - first.index) / rate;
            // Half a step: as far as a time may be rounded and still say which sample it is.
            if (at.seconds - expected).abs() > 0.5 / rate {
                let what = format!("the time is {:?} s, and {expected:?} s at the rate of {rate} Hz", at.seconds);
                return Err(Problem::new(what, "give the --rate of the file, or leave it out"));
            }
        } else if let [first, second, last] = &*self.times {
            let (step, here) = (second.seconds - first.seconds, at.seconds - last.seconds);
            let rounding = 4.0 * f64::EPSILON * at.seconds.abs().max(first.seconds.abs());
            if (here - step).abs() > step * 1e-3 + rounding {
                let what = format!("the step of time is {here:?} s here, and {step:?} s at the beginning");
                return Err(Problem::new(what, "samples have equal steps; if these are rounded, give --rate HZ"));
            }
        }
        match &mut *self.times {
            [_, _, last] => *last = at,
            [first] => {
                if at.seconds <= first.seconds {
                    return Err(Problem::new("time does not go forward", "give the rows in their order"));
                }
                // The second is the last one too.
                self.times.extend([at, at]);
            }
            _ => self.times.push(at),
        }
        Ok(())
    }

    /// At the end of the file.
    pub(super) fn finish(self, layout: Layout) -> Result<Checked, Problem> {
        let base = match (self.rate, &*self.times) {
            (Some(rate), [first, ..]) => Some(time_base::at_rate(rate, *first)),
            (Some(rate), []) => Some(TimeBase::from_rate(rate)),
            (None, [first, second, last]) => Some(time_base::through(*first, *second, *last)),
            (None, []) => None,
            (None, _) => return Err(Problem::new("one time says no rate", "give --rate HZ")),
        };
        Ok(Checked { layout, first: self.first, rows: self.rows, base })
    }
}
