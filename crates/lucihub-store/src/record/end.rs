//! How a run ends.

use lucihub_models_core::{FinalValue, HeadPatch, Invalid, JsonText, Positions, RunState, StateChange};

use super::error::RecordError;
use super::recorder::Recorder;

/// How a run ends.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct End {
    /// The output, byte for byte.
    pub output: Option<JsonText>,
    /// What went wrong, for people.
    pub error: Option<String>,
    /// Why it ended, on the state change.
    pub reason: Option<String>,
    /// What elements read at the end.
    pub final_values: Vec<FinalValue>,
}

impl End {
    /// Sets the output.
    #[must_use]
    pub fn with_output(mut self, output: JsonText) -> Self {
        self.output = Some(output);
        self
    }

    /// Sets what went wrong.
    #[must_use]
    pub fn with_error(mut self, error: impl Into<String>) -> Self {
        self.error = Some(error.into());
        self
    }

    /// Sets why it ended.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Sets what elements read at the end.
    #[must_use]
    pub fn with_final_values(mut self, values: Vec<FinalValue>) -> Self {
        self.final_values = values;
        self
    }
}

impl Recorder {
    /// Ends the run: what waits is appended, then in the last batch the output,
    /// the error, the final values and the terminal state. Returns once that is
    /// in hot storage; the run is sealed then. It ends also where this is no longer
    /// waited for: [`flush`](Self::flush) then waits for it. Nobody sends an end again
    /// that a failover took: [`flush_as`](Self::flush_as) waits until it is safe from that.
    ///
    /// # Errors
    /// `Invalid` for a state that does not end a run or may not follow the
    /// present one, or past a limit: the run goes on then. `Failed` when
    /// recording cannot go on.
    pub async fn finish(&self, state: RunState, end: End) -> Result<Positions, RecordError> {
        let End { output, error, reason, final_values } = end;
        if !state.is_terminal() {
            return Err(Invalid::new("state", format!("{state} does not end a run")).hint("use `state`").into());
        }
        output.as_ref().map_or(Ok(()), |json| json.check("output", &self.limits))?;
        let most = self.limits.text_bytes;
        if [&error, &reason].into_iter().flatten().any(|text| text.len() > most) {
            return Err(self.too_long("error or reason").into());
        }
        final_values.iter().try_for_each(|value| value.check(&self.limits))?;
        self.check_size("output", output.as_ref().map_or(0, |json| json.as_str().len()))?;
        let values = self.head.final_values.len().saturating_add(final_values.len());
        if values > self.limits.head_entries {
            return Err(self.too_many("final values").into());
        }
        self.push(
            |p, now| {
                Self::check_step(&p.run_state, &state)?;
                p.give_up_all();
                // What came before goes ahead, so that the last batch is small and within its limit.
                p.close_open();
                let mut patch = HeadPatch::default();
                patch.output = output;
                patch.error = error;
                p.open.patch(patch);
                for value in final_values {
                    if p.open.bytes() >= self.limits.batch_bytes / 2 {
                        p.close_open();
                    }
                    p.open.final_value(value);
                }
                p.next.states += 1;
                p.run_state = state.clone();
                let change = StateChange::new(state, now);
                p.open.state(match reason {
                    Some(reason) => change.because(reason),
                    None => change,
                });
                p.closing = true;
                Ok(())
            },
            |_| false,
        )
        .await?;
        self.flush().await?;
        Ok(self.next())
    }
}
