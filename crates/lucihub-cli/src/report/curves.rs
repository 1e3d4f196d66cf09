//! The curves as data: what the scripts of a page draw.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lucihub_models_core::{Bucket, Envelope, RunHead};
use serde::Serialize;

use crate::plot::{self, Kind};

/// What was measured, as the page holds it.
#[derive(Debug, Serialize)]
pub(super) struct Measured {
    /// Samples per second, if the run has a time base.
    rate: Option<f64>,
    /// The time of sample 0 in seconds.
    origin: f64,
    marks: Vec<Mark>,
    channels: Vec<Curve>,
}

#[derive(Debug, Serialize)]
struct Mark {
    /// Where, on the axis of time or of samples.
    at: f64,
    kind: &'static str,
    text: String,
}

#[derive(Debug, Serialize)]
struct Curve {
    name: String,
    unit: String,
    first: u64,
    end: u64,
    /// Samples per bucket. At 1 the values are the samples, in double precision; else they are the least, the greatest,
    /// the first and the last of all buckets, one list after the other, in single precision.
    width: u64,
    /// Little endian, as base64.
    values: String,
    holes: Vec<[u64; 2]>,
}

impl Measured {
    /// The curves of the channels on which something came.
    pub(super) fn of(head: &RunHead, envelopes: &[Envelope]) -> Self {
        let end = envelopes.iter().map(|envelope| envelope.end).max().unwrap_or(0);
        let x = plot::on_axis(head);
        let marks = plot::marks(head, &x, &(x(0)..=x(end))).into_iter().map(|mark| Mark {
            at: mark.x,
            kind: match mark.kind {
                Kind::Phase => "phase",
                Kind::Overload => "overload",
            },
            text: mark.text,
        });
        let channels = (0..).zip(&head.channels).zip(envelopes).filter(|(_, envelope)| envelope.end > 0);
        Self {
            rate: head.time_base.map(|base| base.rate_hz),
            origin: head.time_base.map_or(0.0, |base| base.origin_s),
            marks: marks.collect(),
            channels: channels
                .map(|((number, channel), envelope)| Curve {
                    name: plot::name(head, number),
                    unit: plot::unit(channel),
                    first: envelope.first,
                    end: envelope.end,
                    width: envelope.width,
                    values: STANDARD.encode(values(envelope)),
                    holes: plot::holes(envelope, &(0..envelope.end))
                        .iter()
                        .map(|hole| [hole.start, hole.end])
                        .collect(),
                })
                .collect(),
        }
    }
}

fn values(envelope: &Envelope) -> Vec<u8> {
    let all = |pick: fn(&Bucket) -> f64| envelope.buckets.iter().map(pick);
    if envelope.width == 1 {
        return all(|bucket| bucket.first).flat_map(f64::to_le_bytes).collect();
    }
    let planes: [fn(&Bucket) -> f64; 4] = [|b| b.min, |b| b.max, |b| b.first, |b| b.last];
    planes.into_iter().flat_map(all).flat_map(|value| single(value).to_le_bytes()).collect()
}

/// In single precision, infinite only where it is.
#[expect(clippy::cast_possible_truncation, reason = "the page says that it rounds")]
fn single(value: f64) -> f32 {
    if value.is_finite() { value.clamp(f32::MIN.into(), f32::MAX.into()) as f32 } else { value as f32 }
}

#[cfg(test)]
mod tests {
    use lucihub_models_core::{EnvelopeBuilder, Series};

    use super::*;

    fn envelope(values: &[f64], width: u64) -> Envelope {
        let mut series = Series::starting_at(0);
        series.push_values(values);
        let mut builder = EnvelopeBuilder::new(0, width);
        builder.series(&series);
        builder.finish()
    }

    #[test]
    fn samples_are_exact_and_buckets_are_planes() {
        let exact = values(&envelope(&[0.1, f64::NAN, -0.0], 1));
        assert_eq!(exact[..8], 0.1_f64.to_le_bytes());
        assert_eq!(exact[16..], (-0.0_f64).to_le_bytes());
        let planes = values(&envelope(&[0.5, 0.25, 1.0, 2.0], 2));
        let planes: Vec<f32> = planes.chunks(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
        assert_eq!(planes, [0.25, 1.0, 0.5, 2.0, 0.5, 1.0, 0.25, 2.0]);
    }

    #[test]
    fn what_is_finite_stays_so() {
        assert_eq!([single(1e300), single(-1e300)], [f32::MAX, f32::MIN]);
        assert!(single(f64::INFINITY).is_infinite() && single(f64::NAN).is_nan());
    }
}
