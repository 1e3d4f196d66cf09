//! From a run in the store to a scene.

use lucihub_models_core::{Envelope, Invalid, RunHead, RunId};
use lucihub_store::{Located, Store};

use super::portrait;
use super::scene::{self, Scene};
use super::window::{self, Edge, Pair, Which};
use crate::failure::Failure;
use crate::output;

/// The most channels of one picture.
pub(crate) const CHANNELS: usize = 8;

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) run: RunId,
    /// Empty for the first ones there are.
    pub(crate) channels: Vec<Which>,
    pub(crate) xy: Option<Pair>,
    pub(crate) from: Option<Edge>,
    pub(crate) to: Option<Edge>,
}

/// Reads what a picture needs; `most` is how many buckets it can tell apart.
pub(super) async fn compose(
    store: &Store,
    located: &Located,
    request: &Request,
    most: usize,
) -> Result<Scene, Failure> {
    let head = located.status().head;
    let channels = match request.xy {
        Some(pair) => vec![Which::Number(pair.x), Which::Number(pair.y)],
        None => request.channels.clone(),
    };
    let (channels, left_out) = chosen(&head, channels)?;
    let ends = channels.iter().map(|channel| located.positions().sample(*channel));
    // A point of a portrait needs both.
    let end = if request.xy.is_some() { ends.min() } else { ends.max() }.unwrap_or(0);
    if end == 0 {
        let list = channels.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let problem = format!("no samples were recorded on channel {list}");
        return Err(Invalid::new(format!("run {}", request.run), problem).into());
    }
    let window = window::resolve(request.run, (request.from, request.to), head.time_base, end)?;
    let read = async |channel: u32, most: usize| -> Result<(u32, Envelope), Failure> {
        Ok((channel, store.envelope_at(located, channel, window.clone(), most).await?))
    };
    if let Some(Pair { x, y }) = request.xy {
        let pair = [read(x, portrait::MOST).await?, read(y, portrait::MOST).await?];
        return Ok(scene::over_channel(&head, &window, &pair));
    }
    let mut envelopes = Vec::new();
    for channel in channels {
        envelopes.push(read(channel, most).await?);
    }
    let mut scene = scene::over_time(&head, &window, &envelopes);
    if left_out > 0 {
        scene.notes.push(format!("{left_out} more channels: choose with --channel"));
    }
    Ok(scene)
}

/// The channels to draw, and how many there are beside the default ones.
fn chosen(head: &RunHead, asked: Vec<Which>) -> Result<(Vec<u32>, usize), Invalid> {
    let run = format!("run {}", head.id);
    let there = head.channels.len();
    let Some(last) = there.checked_sub(1) else {
        return Err(Invalid::new(run, "it has no channels, so there is nothing to draw"));
    };
    if asked.is_empty() {
        let first = (0..).take(there.min(CHANNELS)).collect();
        return Ok((first, there.saturating_sub(CHANNELS)));
    }
    let number = |which: Which| match which {
        Which::Number(number) if usize::try_from(number).is_ok_and(|number| number <= last) => Ok(number),
        Which::Number(number) => {
            Err(Invalid::new(&*run, format!("it has no channel {number}")).hint(format!("it has 0 to {last}")))
        }
        Which::Name(name) => (0..)
            .zip(&head.channels)
            .find(|(_, channel)| channel.name.as_ref() == Some(&name))
            .map(|(number, _)| number)
            .ok_or_else(|| Invalid::new(&*run, format!("it has no channel named {name:?}")).hint(names(head))),
    };
    let asked = asked.into_iter().map(number).collect::<Result<Vec<u32>, _>>()?;
    if asked.len() > CHANNELS {
        return Err(Invalid::new("--channel", format!("{} channels", asked.len()))
            .hint(format!("a picture holds at most {CHANNELS}")));
    }
    Ok((asked, 0))
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
