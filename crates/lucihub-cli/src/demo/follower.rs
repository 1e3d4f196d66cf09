//! The demo's follower: shows the run while it is recorded.

use std::pin::pin;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use lucihub_models_core::{Gap, Positions, RunId, Series, Timestamp};
use lucihub_store::{Event, Select, Store};

use crate::failure::Failure;
use crate::outage;
use crate::output::{one_line, say};

/// How long lines wait for others that belong before them.
const SETTLE: Duration = Duration::from_millis(20);

/// What the run is shown by: a bar on a terminal, nothing off it and where the answer is JSON.
pub(super) fn bar(expected: u64, quiet: bool) -> ProgressBar {
    let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new(expected) };
    if let Ok(style) = ProgressStyle::with_template("{prefix:>10} [{bar:32}] {human_pos}/{human_len} samples  {msg}") {
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}

/// Follows the run to its end: on the bar, or as a few plain lines where there is none.
pub(super) async fn show(
    store: Store,
    run: RunId,
    bar: ProgressBar,
    server: Option<String>,
    quiet: bool,
) -> Result<(), Failure> {
    let plain = !quiet && bar.is_hidden();
    let mut follower = store.follow(run, Select::default());
    let (mut told, mut lines) = (Told::default(), Lines::default());
    loop {
        let event = {
            let mut next = pin!(outage::next(&mut follower, server.as_deref()));
            loop {
                tokio::select! {
                    biased;
                    event = &mut next => break event?,
                    () = tokio::time::sleep(SETTLE), if !lines.is_empty() => lines.print(),
                }
            }
        };
        match event {
            Some(Event::State(number, change)) => {
                bar.set_prefix(change.state.to_string());
                if plain && told.is_new_state(number) {
                    lines.add(change.at, change.state.to_string());
                }
            }
            Some(Event::Phase(number, change)) => {
                bar.set_message(change.phase.to_string());
                if plain && told.is_new_phase(number) {
                    lines.add(change.at, format!("phase {}", change.phase));
                }
            }
            Some(Event::Lines(slice)) => {
                if let Some(line) = slice.lines.last() {
                    bar.set_message(one_line(&line.text));
                }
            }
            Some(Event::Samples { channel, series }) => told.samples(channel, &series),
            Some(Event::Rewound(to)) => {
                told.rewind(&to);
                bar.set_message("the store fell behind; going on from there");
                if plain {
                    lines.print();
                    say("the store fell behind what was followed; going on from there");
                }
            }
            Some(_) => {}
            None => break,
        }
        bar.set_position(told.count());
        bar.enable_steady_tick(Duration::from_millis(100));
    }
    bar.finish_and_clear();
    lines.print();
    if plain {
        say(format!("followed {}", crate::output::counted(told.count(), "sample", "samples")));
    }
    Ok(())
}

/// What came together, to be told in the order in which it happened: one look brings all phases before all states.
#[derive(Debug, Default)]
struct Lines(Vec<(Timestamp, String)>);

impl Lines {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, at: Timestamp, what: String) {
        self.0.push((at, what));
    }

    fn take(&mut self) -> Vec<(Timestamp, String)> {
        self.0.sort_by_key(|(at, _)| *at);
        std::mem::take(&mut self.0)
    }

    fn print(&mut self) {
        self.take().into_iter().for_each(|(at, what)| say(format!("{at}  {what}")));
    }
}

/// What was told of the run: what comes again after the store fell behind is neither counted nor printed twice.
#[derive(Debug, Default)]
struct Told {
    /// Each channel's end, and what is missing before it.
    channels: Vec<(u64, Vec<Gap>)>,
    states: u64,
    phases: u64,
}

impl Told {
    fn is_new_state(&mut self, number: u64) -> bool {
        let is_new = number >= self.states;
        self.states = self.states.max(number + 1);
        is_new
    }

    fn is_new_phase(&mut self, number: u64) -> bool {
        let is_new = number >= self.phases;
        self.phases = self.phases.max(number + 1);
        is_new
    }

    fn samples(&mut self, channel: u32, series: &Series) {
        let channel = channel as usize;
        if self.channels.len() <= channel {
            self.channels.resize_with(channel + 1, Default::default);
        }
        let (end, gaps) = &mut self.channels[channel];
        *end = series.end;
        gaps.extend(series.gaps.iter().cloned());
    }

    /// Forgets what the store no longer has: it comes again.
    fn rewind(&mut self, to: &Positions) {
        for (channel, (end, gaps)) in (0..).zip(&mut self.channels) {
            *end = (*end).min(to.sample(channel));
            gaps.retain(|gap| gap.first < *end);
            gaps.iter_mut().for_each(|gap| gap.end = gap.end.min(*end));
        }
    }

    /// Samples that are there.
    fn count(&self) -> u64 {
        self.channels.iter().map(|(end, gaps)| end - gaps.iter().map(Gap::len).sum::<u64>()).sum()
    }
}

#[cfg(test)]
mod tests {
    use lucihub_models_core::GapCause;

    use super::*;

    fn series(first: u64, values: u64, gap: u64) -> Series {
        let mut series = Series::starting_at(first);
        series.push_values(&vec![0.5; usize::try_from(values).unwrap()]);
        if gap > 0 {
            series.push_gap(Gap::new(first + values..first + values + gap, GapCause::Device));
        }
        series
    }

    #[test]
    fn what_comes_again_is_counted_once() {
        let mut told = Told::default();
        told.samples(1, &series(0, 100, 20));
        told.samples(1, &series(120, 30, 0));
        assert_eq!(told.count(), 130);
        let mut to = Positions::default();
        to.set_sample(1, 110);
        told.rewind(&to);
        assert_eq!(told.count(), 100);
        told.samples(1, &series(110, 0, 10));
        told.samples(1, &series(120, 30, 0));
        assert_eq!(told.count(), 130);
        assert!(told.is_new_state(0) && told.is_new_state(1) && !told.is_new_state(0) && !told.is_new_state(1));
        assert!(told.is_new_phase(0) && !told.is_new_phase(0));
    }

    #[test]
    fn lines_come_in_the_order_of_time() {
        let mut lines = Lines::default();
        let at = |micros| Timestamp::from_micros(micros).unwrap();
        lines.add(at(2), "phase IC".to_owned());
        lines.add(at(3), "phase OP".to_owned());
        lines.add(at(1), "inprogress".to_owned());
        assert_eq!(
            lines.take().into_iter().map(|(_, what)| what).collect::<Vec<_>>(),
            ["inprogress", "phase IC", "phase OP"]
        );
        assert!(lines.is_empty());
    }
}
