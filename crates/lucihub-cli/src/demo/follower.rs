//! The demo's follower: shows the run while it is recorded.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use lucihub_models_core::RunId;
use lucihub_store::{Event, Select, Store};

use crate::failure::Failure;
use crate::output::{one_line, say};

/// Follows the run to its end: a bar on a terminal, a few plain lines off it,
/// nothing where the answer is JSON.
pub(super) async fn show(store: Store, run: RunId, expected: u64, quiet: bool) -> Result<(), Failure> {
    let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new(expected) };
    if let Ok(style) = ProgressStyle::with_template("{prefix:>10} [{bar:32}] {human_pos}/{human_len} samples  {msg}") {
        bar.set_style(style.progress_chars("=> "));
    }
    let plain = !quiet && bar.is_hidden();
    let mut follower = store.follow(run, Select::default());
    let mut samples = 0_u64;
    while let Some(event) = follower.next().await? {
        match event {
            Event::State(_, change) => {
                bar.set_prefix(change.state.to_string());
                if plain {
                    say(format!("{}  {}", change.at, change.state));
                }
            }
            Event::Phase(_, change) => {
                bar.set_message(change.phase.to_string());
                if plain {
                    say(format!("{}  phase {}", change.at, change.phase));
                }
            }
            Event::Lines(slice) => {
                if let Some(line) = slice.lines.last() {
                    bar.set_message(one_line(&line.text));
                }
            }
            Event::Samples { series, .. } => {
                samples += series.values.len() as u64;
                bar.set_position(samples);
            }
            Event::Rewound(_) => bar.set_message("the store fell behind; going on from there"),
            _ => {}
        }
        bar.enable_steady_tick(Duration::from_millis(100));
    }
    bar.finish_and_clear();
    if plain {
        say(format!("followed {samples} samples"));
    }
    Ok(())
}
