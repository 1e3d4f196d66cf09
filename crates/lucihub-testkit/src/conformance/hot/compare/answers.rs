//! Answers as they are compared: without what the law leaves open.

use lucihub_models_core::hot::{HotRun, Outcome, Seal, TookOver};
use lucihub_models_core::{Reject, RunHead, RunState};

/// The head without the times that a store's own clock gave.
pub(super) fn untimed(run: &HotRun) -> (RunHead, Vec<RunState>) {
    let mut head = (*run.head).clone();
    let states = std::mem::take(&mut head.states).into_iter().map(|change| change.state).collect();
    (head, states)
}

/// How a take-over that did not succeed is to be compared.
pub(super) fn end_of(answer: &TookOver) -> Option<Seal> {
    match answer {
        TookOver::Cancelled => Some(Seal::Ended(RunState::Cancelled)),
        TookOver::Sealed(seal) => Some(seal.clone()),
        TookOver::NoRun => None,
        other => panic!("one store gave the run away, the other did not: {other:?}"),
    }
}

/// An outcome as it is to be compared: reasons without their words.
pub(super) fn outcome(outcome: &Outcome, current: bool) -> String {
    match outcome {
        Outcome::Rejected(Reject::Invalid(_)) => "Rejected(Invalid)".to_owned(),
        Outcome::Fenced | Outcome::Duplicate | Outcome::Conflict if !current => "replaced".to_owned(),
        other => format!("{other:?}"),
    }
}
