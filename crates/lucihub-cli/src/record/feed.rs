//! From frames to the recorder, in order, as fast as it takes them.

use lucihub_models_core::{FinalValue, GapCause, RunState};
use lucihub_store::Recorder;
use lucihub_store::record::{Arrival, RecordError};

use super::answers::Answers;
use super::frame::{Frame, Part, Samples};
use super::input::{Input, Next, Refused};

/// How the work on a run came to an end.
#[derive(Debug)]
pub(super) enum Done {
    /// The worker has ended the run.
    Finished(RunState),
    /// The input ended before that; inside the frame of this number, if it is one.
    EndOfInput(Option<u64>),
    /// A frame was refused.
    Refused(Refused),
    /// The input cannot be read.
    Broken(std::io::Error),
    /// Recording cannot go on.
    Failed(RecordError),
}

/// Takes frames until there is a reason not to.
pub(super) struct Feed<'a> {
    recorder: &'a Recorder,
    answers: &'a Answers,
    /// They go with the end, once, however often a worker begins anew.
    final_values: Vec<FinalValue>,
    final_bytes: usize,
}

/// Bytes of all elements with final values together.
const FINAL_BYTES: usize = 4 * 1024 * 1024;
/// Elements with final values.
const FINAL_VALUES: usize = 16_384;

impl<'a> Feed<'a> {
    pub(super) const fn new(recorder: &'a Recorder, answers: &'a Answers) -> Self {
        Self { recorder, answers, final_values: Vec::new(), final_bytes: 0 }
    }

    pub(super) async fn run(mut self, input: &mut Input) -> Done {
        loop {
            let (number, frame) = match input.next().await {
                Next::Frame(number, frame) => (number, frame),
                Next::End(inside) => return Done::EndOfInput(inside),
                Next::Refused(refused) => return Done::Refused(refused),
                Next::Broken(error) => return Done::Broken(error),
            };
            match self.apply(number, frame).await {
                Ok(None) => {}
                Ok(Some(state)) => return Done::Finished(state),
                Err(RecordError::Invalid(invalid)) => {
                    return Done::Refused(Refused { frame: number, why: invalid.to_string() });
                }
                Err(error) => return Done::Failed(error),
            }
        }
    }

    /// Takes one frame. The state is the one that ended the run.
    async fn apply(&mut self, number: u64, frame: Frame) -> Result<Option<RunState>, RecordError> {
        let recorder = self.recorder;
        match frame {
            Frame::State(change) => recorder.change(change).await?,
            Frame::Phase(change) => recorder.phase(change).await?,
            Frame::Log(line) => recorder.line(line).await?,
            Frame::Describe(patch) => recorder.describe(*patch).await?,
            Frame::Samples(samples) => self.samples(number, samples).await?,
            Frame::Gap { channel, end, cause } => recorder.gap(channel, end, cause).await?,
            Frame::Overload(overload) => recorder.overload(overload).await?,
            Frame::Final(value) => self.keep(value)?,
            Frame::Flush => {
                recorder.flush().await?;
                self.answers.applied(recorder.acknowledged(), recorder.channels());
            }
            Frame::Finish(state, end) => {
                let end = end.with_final_values(std::mem::take(&mut self.final_values));
                recorder.finish(state.clone(), end).await?;
                return Ok(Some(state));
            }
        }
        Ok(None)
    }

    async fn samples(&self, number: u64, Samples { channel, parts }: Samples) -> Result<(), RecordError> {
        for part in parts {
            let (first, values) = match part {
                Part::Values(first, values) => (first, values),
                Part::Missing(end) => {
                    self.recorder.gap(channel, end, GapCause::Device).await?;
                    continue;
                }
            };
            if self.recorder.samples(channel, first, &values).await? == Arrival::Late {
                let late = self.recorder.stats().late_samples;
                self.answers.late(
                    number,
                    &format!(
                        "channel {channel}: samples from index {first} came after their place was decided; dropped, \
                         {late} in all so far; begin at `next`"
                    ),
                );
            }
        }
        Ok(())
    }

    fn keep(&mut self, value: FinalValue) -> Result<(), RecordError> {
        self.final_bytes += value.element.len();
        if self.final_values.len() >= FINAL_VALUES || self.final_bytes > FINAL_BYTES {
            let limits = format!("the limit is {FINAL_VALUES} of them, with {FINAL_BYTES} bytes of names");
            return Err(lucihub_models_core::Invalid::new("final values", "too many").hint(limits).into());
        }
        self.final_values.push(value);
        Ok(())
    }
}
