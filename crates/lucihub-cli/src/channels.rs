//! Channels of a run as people name them.

use lucihub_models_core::{Invalid, RunHead};

use crate::output;
use crate::plot::Which;

/// The number of a channel.
///
/// # Errors
/// If the run has no such channel; says which it has.
pub(crate) fn number(head: &RunHead, which: &Which) -> Result<u32, Invalid> {
    let run = format!("run {}", head.id);
    let there = u32::try_from(head.channels.len()).unwrap_or(u32::MAX);
    match which {
        Which::Number(number) if *number < there => Ok(*number),
        Which::Number(number) => {
            let hint = match there {
                0 => "it has none".to_owned(),
                _ => format!("it has 0 to {}", there - 1),
            };
            Err(Invalid::new(run, format!("it has no channel {number}")).hint(hint))
        }
        Which::Name(name) => (0..)
            .zip(&head.channels)
            .find(|(_, channel)| channel.name.as_ref() == Some(name))
            .map(|(number, _)| number)
            .ok_or_else(|| Invalid::new(run, format!("it has no channel named {name:?}")).hint(names(head))),
    }
}

/// The names that there are; of very many, how to find them.
fn names(head: &RunHead) -> String {
    const MOST: usize = 32;
    let names: Vec<String> =
        head.channels.iter().filter_map(|channel| channel.name.as_deref().map(output::one_line)).collect();
    match names.len() {
        0 => format!("its channels have no names; use 0 to {}", head.channels.len().saturating_sub(1)),
        1..=MOST => format!("it has {}", names.join(", ")),
        _ => format!("`lucihub runs show {}` lists them", head.id),
    }
}
