//! Chunks of a carrier, and a listener that checks the law of what is given out.

use std::collections::BTreeMap;

use lucihub_models_core::assemble::{Assembled, Assembler, AssemblerOptions, Carrier};
use lucihub_models_core::{GapCause, Series};

pub(crate) const WINDOW: u32 = 6;
pub(crate) const NAME: &str = "04-E9-E5-00-00-01";

/// A sample says where it is from.
#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
pub(crate) fn sample(channel: u32, number: usize, offset: u64) -> f64 {
    (u64::from(channel) << 40 | (number as u64) << 20 | offset) as f64
}

pub(crate) fn column(channel: u32, number: usize, size: u64) -> Vec<f64> {
    (0..size).map(|offset| sample(channel, number, offset)).collect()
}

pub(crate) fn columns(channels: &[u32], number: usize, size: u64) -> Vec<Vec<f64>> {
    channels.iter().map(|channel| column(*channel, number, size)).collect()
}

/// What was given out, a channel each; panics unless it tiles the indices.
#[derive(Debug, Default)]
pub(crate) struct Told(pub(crate) BTreeMap<u32, Series>);

impl Told {
    pub(crate) fn hear(&mut self, pieces: Vec<Assembled>) {
        for piece in pieces {
            match piece {
                Assembled::Samples(block) => {
                    let series = self.0.entry(block.channel).or_default();
                    assert_eq!(block.first, series.end, "a hole or an overlap before samples");
                    assert!(!block.values.is_empty());
                    series.push_values(&block.values);
                }
                Assembled::Gap(mark) => {
                    let series = self.0.entry(mark.channel).or_default();
                    assert_eq!(mark.gap.first, series.end, "a hole or an overlap before a gap");
                    assert!(!mark.gap.is_empty() && mark.gap.cause == GapCause::Device);
                    series.push_gap(mark.gap);
                }
            }
        }
    }

    pub(crate) fn of(&self, channel: u32) -> Series {
        self.0.get(&channel).cloned().unwrap_or_default()
    }
}

pub(crate) fn options() -> AssemblerOptions {
    AssemblerOptions::default().with_window_chunks(WINDOW)
}

pub(crate) fn one_carrier(options: AssemblerOptions) -> Assembler {
    let mut assembler = Assembler::new(options);
    assembler.carrier(Carrier::new(NAME, [0, 1])).unwrap();
    assembler
}
