//! From a run in the store to a scene.

use lucihub_models_core::{Envelope, Invalid, RunHead, RunId};
use lucihub_store::{Located, Store};

use super::portrait;
use super::scene::{self, Scene};
use super::window::{self, Edge, Pair, Which};
use crate::channels;
use crate::failure::Failure;

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
    let (channels, left_out) = chosen(&head, &channels)?;
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
fn chosen(head: &RunHead, asked: &[Which]) -> Result<(Vec<u32>, usize), Invalid> {
    let run = format!("run {}", head.id);
    let there = head.channels.len();
    if there == 0 {
        return Err(Invalid::new(run, "it has no channels, so there is nothing to draw"));
    }
    if asked.is_empty() {
        let first = (0..).take(there.min(CHANNELS)).collect();
        return Ok((first, there.saturating_sub(CHANNELS)));
    }
    let asked = asked.iter().map(|which| channels::number(head, which)).collect::<Result<Vec<u32>, _>>()?;
    if asked.len() > CHANNELS {
        return Err(Invalid::new("--channel", format!("{} channels", asked.len()))
            .hint(format!("a picture holds at most {CHANNELS}")));
    }
    Ok((asked, 0))
}
