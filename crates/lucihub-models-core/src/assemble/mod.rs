//! Putting a device's chunks in order: numbered messages in, samples at their index out.
//!
//! A carrier sends its samples as chunks, numbered from its first one. Over UDP
//! they overtake each other, come twice or not at all, and no sample carries a
//! time: its time is its index. So the place of a chunk is the sum of all chunks
//! before it, and that of a lost one must be left free, or the axis shifts.
//!
//! # The law
//!
//! - **An index that was given out is final.** What is given out tiles each
//!   channel from its first index on: samples, or a gap with cause `device`.
//! - A chunk waits until all before it have come. One that is missing counts as
//!   lost when a chunk more than [`window_chunks`](AssemblerOptions::window_chunks)
//!   past it has come, when more than
//!   [`window_values`](AssemblerOptions::window_values) wait for it, or at the end.
//!   If it comes after all, it is dropped and counted.
//! - **The length of a lost chunk is exact while its carrier's chunks are of one
//!   size**: every chunk that has come, but the one with the greatest number. That
//!   one may be shorter, for it may be the last of the run. What has come must be
//!   two chunks at least.
//! - Else the length is the mean of the neighbours' sizes, and the gap is marked
//!   as inferred.
//! - **At the end** the number of samples that the run must have is known: operation
//!   time times rate. Where sizes vary, the lost chunks that are waited for till
//!   then share what is missing to that number, if sizes seen so far explain it.
//!   So a short run, which fits the window, ends where it must. What is missing
//!   after that becomes an inferred gap at the end; what is too much is only
//!   reported, in [`Reconciled`], for indices are final.
//!
//! A pure state machine: no clock, no I/O, and its memory is bounded by the
//! window of each carrier.
//!
//! # From chunks to a run
//!
//! ```
//! use lucihub_models_core::assemble::{Assembled, Assembler, AssemblerOptions, Carrier};
//! use lucihub_models_core::TimeBase;
//!
//! let mut assembler = Assembler::new(AssemblerOptions::default());
//! assembler.carrier(Carrier::new("04-E9-E5-00-00-01", [0, 1]))?;
//!
//! let mut told = Vec::new();
//! for (number, x, y) in [(0, [0.0, 0.1], [1.0, 0.9]), (3, [0.6, 0.7], [0.4, 0.3]), (1, [0.2, 0.3], [0.8, 0.7])] {
//!     told.extend(assembler.chunk("04-E9-E5-00-00-01", number, &[x, y])?);
//! }
//! // 150 ms after DONE nothing comes any more: chunk 2 is lost.
//! let finished = assembler.finish(Some(TimeBase::from_rate(10_000.0).index(0.0008)));
//! told.extend(finished.pieces);
//!
//! let mut lines = Vec::new();
//! for piece in told {
//!     match piece {
//!         // `recorder.samples(block.channel, block.first, &block.values)`
//!         Assembled::Samples(block) if block.channel == 0 => lines.push((block.first, block.values.to_vec())),
//!         // `recorder.gap(mark.channel, mark.gap.end, mark.gap.cause)`
//!         Assembled::Gap(mark) if mark.channel == 0 => lines.push((mark.gap.first, vec![])),
//!         _ => {}
//!     }
//! }
//! assert_eq!(lines, [(0, vec![0.0, 0.1]), (2, vec![0.2, 0.3]), (4, vec![]), (6, vec![0.6, 0.7])]);
//! assert_eq!(finished.carriers[0].stats.lost_samples, 2);
//! assert!(finished.carriers[0].is_as_expected());
//! # Ok::<(), lucihub_models_core::Invalid>(())
//! ```

mod assembler;
mod carrier;
mod options;
mod outcome;
mod sizes;
mod track;

pub use assembler::Assembler;
pub use carrier::Carrier;
pub use options::AssemblerOptions;
pub use outcome::{Assembled, ChunkStats, Finished, Reconciled};
