//! Changes of state before the last one.

use lucihub_models_core::{Invalid, RunState, StateChange};

use super::error::RecordError;
use super::recorder::Recorder;

impl Recorder {
    /// Appends a change of state, now.
    ///
    /// # Errors
    /// `Invalid` if the state may not follow the present one, or is terminal:
    /// that is [`finish`](Self::finish)'s.
    pub async fn state(&self, state: RunState) -> Result<(), RecordError> {
        self.change(StateChange::new(state, self.store.now())).await
    }

    /// Appends a change of state with its time and its reason. A state that the run is in already is no change.
    ///
    /// # Errors
    /// As [`state`](Self::state), and `Invalid` for a reason past the limit.
    pub async fn change(&self, change: StateChange) -> Result<(), RecordError> {
        let state = change.state.clone();
        if state.is_terminal() {
            return Err(Invalid::new("state", format!("{state} ends the run")).hint("use `finish`").into());
        }
        change.check(&self.limits)?;
        self.push(
            |p, _| {
                Self::check_step(&p.run_state, &change.state)?;
                // One more is left for the state that ends the run.
                self.check_count("states", p.next.states.saturating_add(1))?;
                p.run_state = change.state.clone();
                p.next.states += 1;
                p.open.state(change);
                Ok(())
            },
            |p| p.run_state == state,
        )
        .await
    }
}
