//! A search with its total, beside runs and states in tables of their own, as hubs for such devices keep them.
//!
//! Both hold as many runs of as many owners in as many states each, on the same server, and look for those of one owner
//! that have succeeded: the newest fifty, and how many there are.

use std::path::Path;

use anyhow::{Result, ensure};
use lucihub_models_core::cold::Commit;
use lucihub_models_core::{Digest, PageRequest, Positions, RunFilter, RunState, StateChange, Timestamp};
use lucihub_testkit::models::run_head;
use serde_json::json;

use super::figure;
use super::peer::{Peer, number};
use crate::cold::{Engine, Place};
use crate::lab::Lab;
use crate::measure::{Figures, MS, timed};

/// What is measured on each database.
pub(super) const SEARCH: &str = "search_with_total_of_100k_ms";
const WHAT: &str = "plain Python, a table of states";
const PAGE: usize = 50;
const OWNERS: u64 = 10;
const OWNER: &str = "owner-3";
/// What a run comes to after it was queued.
const STATES: [RunState; 2] = [RunState::InProgress, RunState::Succeeded];
/// Between two runs, in microseconds.
const STEP: u64 = 1_000;

/// Measures it on a database.
pub(super) fn measure(lab: &Lab, figures: &mut Figures, engine: &dyn Engine, python: &Path) -> Result<()> {
    let name = figure(engine.name(), SEARCH);
    if !figures.wants(&name) {
        return Ok(());
    }
    let runs = lab.size.of(100_000).max(2_000);
    let states: Vec<String> = [RunState::Queued].iter().chain(&STATES).map(ToString::to_string).collect();
    let place = filled(lab, engine, runs)?;
    let mut peer = Peer::of_lists(python, &engine.peer_database(lab, "peer-lists")?)?;
    peer.ask(&json!({ "do": "fill", "runs": runs, "owners": OWNERS, "states": states }))?;

    let expected = runs as u64 / OWNERS;
    let filter = RunFilter::default().owner(OWNER).state(RunState::Succeeded);
    let request = PageRequest::newest(PAGE).with_total();
    let ours = || {
        let (seconds, page) = timed(|| Ok(lab.wait(place.cold.list(&filter, &request))?))?;
        ensure!(page.total == Some(expected) && page.runs.len() == PAGE, "{:?} of {expected}", page.total);
        Ok((1.0, seconds))
    };
    let search = json!({ "do": "search", "user": OWNER, "state": RunState::Succeeded.to_string(), "limit": PAGE });
    let theirs = || {
        let answer = peer.ask(&search)?;
        ensure!(answer["total"] == expected && answer["shown"] == PAGE, "{answer}, not {expected}");
        Ok((1.0, number(&answer, "seconds")?))
    };
    figures.compare((name, MS), lab.size.repeats, ours, (WHAT, theirs))
}

/// Cold storage with so many runs that have ended, none of them with samples.
fn filled(lab: &Lab, engine: &dyn Engine, runs: usize) -> Result<Place> {
    let mut place = engine.place(lab, "peers-lists")?;
    let mut head = run_head(0);
    lab.wait(place.cold.create(&head))?;
    head.states.extend(STATES.map(|state| StateChange::new(state, Timestamp::EPOCH)));
    let positions = Positions { states: head.states.len() as u64, ..Positions::default() };
    // Any digest will do: who commits has computed it.
    lab.wait(place.cold.commit(&Commit { head, positions, digest: Digest::of(b"bench"), at: Timestamp::EPOCH }))?;
    place.side.fill(runs, STEP)?;
    place.side.settle()?;
    Ok(place)
}
