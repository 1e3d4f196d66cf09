//! Rules that JSON Schema cannot say, by name: `"x-lucihub-rules": [...]` in a schema.

use std::collections::HashMap;

use serde_json::Value;

/// A rule. It holds where the part of a schema that names it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Of a list of ADC channels: none stands twice.
    AdcChannelOnce,
    /// Of an I block's list of inputs, each a list of lanes: no lane stands twice.
    LaneFeedsOneInput,
}

/// A place below the one that a rule is about, and what is wrong there.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) steps: Vec<usize>,
    pub(super) sentence: String,
}

impl Rule {
    pub(super) const ALL: [Self; 2] = [Self::AdcChannelOnce, Self::LaneFeedsOneInput];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::AdcChannelOnce => "adc-channel-once",
            Self::LaneFeedsOneInput => "lane-feeds-one-input",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }

    /// Where it is broken. What is of another type breaks the schema, not the rule.
    pub(super) fn broken(self, value: &Value) -> Vec<Broken> {
        let items = value.as_array().map_or(&[][..], Vec::as_slice);
        match self {
            Self::AdcChannelOnce => {
                let places = items.iter().enumerate().map(|(at, item)| (vec![at], item));
                seconds(places, |channel, first| {
                    format!("ADC channel {channel} is sampled by item {} already; leave it out", first[0])
                })
            }
            Self::LaneFeedsOneInput => {
                let places = items.iter().enumerate().flat_map(|(input, lanes)| {
                    let lanes = lanes.as_array().map_or(&[][..], Vec::as_slice);
                    lanes.iter().enumerate().map(move |(at, lane)| (vec![input, at], lane))
                });
                seconds(places, |lane, first| {
                    format!("lane {lane} feeds input {} already; use another lane with the same source", first[0])
                })
            }
        }
    }
}

/// The places of numbers that stand somewhere before.
fn seconds<'a>(
    places: impl Iterator<Item = (Vec<usize>, &'a Value)>,
    sentence: impl Fn(u64, &[usize]) -> String,
) -> Vec<Broken> {
    let mut first: HashMap<u64, Vec<usize>> = HashMap::new();
    let mut broken = Vec::new();
    for (steps, value) in places {
        // JSON Schema takes 3.0 for the integer 3.
        let Some(number) = value.as_u64().or_else(|| whole(value.as_f64()?)) else { continue };
        match first.get(&number) {
            Some(before) => broken.push(Broken { sentence: sentence(number, before), steps }),
            None => {
                first.insert(number, steps);
            }
        }
    }
    broken
}

/// A small float without a fraction, as the integer that it is.
fn whole(float: f64) -> Option<u64> {
    // What is larger is past every limit of a schema that names a rule.
    const MOST: f64 = 1e9;
    (float.fract() == 0.0 && float.abs() < MOST).then(|| format!("{float:.0}").parse().ok()).flatten()
}
