//! Which samples are drawn: `--from`, `--to` and `--xy` as they are typed.

use std::convert::Infallible;
use std::ops::Range;
use std::str::FromStr;

use lucihub_models_core::{Invalid, RunId, TimeBase};

/// An end of the window: a sample, or a time from the start of OP.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Edge {
    /// A sample index.
    Sample(u64),
    /// Seconds from the start of OP.
    Seconds(f64),
}

impl FromStr for Edge {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let refused = || Invalid::new(text, "neither a sample nor a time").hint("write 5000, 0.08s, 80ms or 80us");
        // The longer suffixes first: `ms` ends in `s`.
        for (suffix, unit) in [("us", 1e-6), ("ms", 1e-3), ("s", 1.0)] {
            if let Some(number) = text.strip_suffix(suffix) {
                let number: f64 = number.trim_end().parse().map_err(|_| refused())?;
                return if number.is_finite() { Ok(Self::Seconds(number * unit)) } else { Err(refused()) };
            }
        }
        text.parse().map(Self::Sample).map_err(|_| refused())
    }
}

/// A channel, as it is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Which {
    /// By its number.
    Number(u32),
    /// By its name.
    Name(String),
}

impl FromStr for Which {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.parse().map_or_else(|_| Self::Name(text.to_owned()), Self::Number))
    }
}

/// Two channels, the second over the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) x: u32,
    pub(crate) y: u32,
}

impl FromStr for Pair {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let refused = || Invalid::new(text, "not two channels").hint("write two numbers, as in 0,1");
        let (x, y) = text.split_once(',').ok_or_else(refused)?;
        let number = |part: &str| part.trim().parse().map_err(|_| refused());
        Ok(Self { x: number(x)?, y: number(y)? })
    }
}

/// The samples between two edges of a run that has `end` samples on the
/// channels asked for.
///
/// # Errors
/// If nothing lies between them, or a time is given and the run has no time base.
pub(crate) fn resolve(
    run: RunId,
    edges: (Option<Edge>, Option<Edge>),
    base: Option<TimeBase>,
    end: u64,
) -> Result<Range<u64>, Invalid> {
    let index = |edge: Edge| match (edge, base) {
        (Edge::Sample(index), _) => Ok(index),
        (Edge::Seconds(seconds), Some(base)) => Ok(base.index(seconds)),
        (Edge::Seconds(_), None) => Err(Invalid::new(format!("run {run}"), "it has no time base, so no times")
            .hint(format!("give samples from 0 to {end}"))),
    };
    let from = edges.0.map_or(Ok(0), index)?;
    let to = edges.1.map_or(Ok(end), index)?;
    if from < end && from < to {
        return Ok(from..to.min(end));
    }
    let problem = if from < end || edges.1.is_some_and(|_| to <= from) {
        format!("nothing lies between sample {from} and sample {to}")
    } else {
        format!("nothing was recorded from sample {from} on")
    };
    Err(Invalid::new(format!("the window of run {run}"), problem).hint(there_is(base, end)))
}

fn there_is(base: Option<TimeBase>, end: u64) -> String {
    let samples = format!("it has the samples 0 to {}", end - 1);
    match base {
        Some(base) => format!("{samples}, {} s to {} s", base.seconds(0), base.seconds(end - 1)),
        None => samples,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> RunId {
        "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e".parse().unwrap()
    }

    #[test]
    fn edges_are_samples_or_times() {
        for (text, edge) in [
            ("0", Edge::Sample(0)),
            ("18446744073709551615", Edge::Sample(u64::MAX)),
            ("0.5s", Edge::Seconds(0.5)),
            ("-2 ms", Edge::Seconds(-0.002)),
            ("250us", Edge::Seconds(0.000_25)),
        ] {
            assert_eq!(text.parse::<Edge>().unwrap(), edge, "{text}");
        }
        for text in ["", "s", "1.5", "-1", "nans", "infs", "1 h", "18446744073709551616"] {
            assert!(text.parse::<Edge>().is_err(), "{text}");
        }
        assert_eq!("3, 0".parse::<Pair>().unwrap(), Pair { x: 3, y: 0 });
        assert!("3".parse::<Pair>().is_err() && "1,2,3".parse::<Pair>().is_err() && "0,-1".parse::<Pair>().is_err());
    }

    #[test]
    fn windows_are_clipped_and_never_empty() {
        let base = Some(TimeBase { rate_hz: 1_000.0, origin_s: 0.0 });
        let ask = |from, to| resolve(run(), (from, to), base, 100);
        assert_eq!(ask(None, None).unwrap(), 0..100);
        assert_eq!(ask(Some(Edge::Seconds(0.01)), Some(Edge::Sample(5_000))).unwrap(), 10..100);
        assert_eq!(ask(Some(Edge::Seconds(-1.0)), Some(Edge::Seconds(0.02))).unwrap(), 0..20);
        for (from, to, why) in [
            (Some(Edge::Sample(100)), None, "from sample 100 on"),
            (Some(Edge::Sample(7)), Some(Edge::Sample(7)), "between sample 7 and sample 7"),
            (None, Some(Edge::Seconds(-1.0)), "between sample 0 and sample 0"),
            (Some(Edge::Sample(200)), Some(Edge::Sample(150)), "between sample 200 and sample 150"),
        ] {
            let said = ask(from, to).unwrap_err().to_string();
            assert!(said.contains(why) && said.contains("0 to 99, 0 s to 0.099 s"), "{said}");
        }
        let said = resolve(run(), (Some(Edge::Seconds(0.0)), None), None, 100).unwrap_err().to_string();
        assert!(said.contains("no time base") && said.contains("from 0 to 100"), "{said}");
    }
}
