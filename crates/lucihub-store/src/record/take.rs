//! Taking a run over, to record it.

use std::time::Duration;

use lucihub_models_core::hot::{Seal, TakeOver, Taken, TookOver};
use lucihub_models_core::{DeviceId, Invalid, PageRequest, Positions, RunFilter, RunId, RunState, StoreError};
use tokio::time::{sleep, timeout};

use super::error::{Failure, RecordError};
use super::options::RecordOptions;
use super::recorder::Recorder;
use crate::observe::recording;
use crate::store::Store;

/// The pause before cold storage is asked again that gave no answer.
const ASK_AGAIN: Duration = Duration::from_millis(50);

impl Store {
    /// Takes a run over and records it, with the default options.
    ///
    /// # Errors
    /// [`RecordError::Held`], [`RecordError::Cancelled`], [`RecordError::NoRun`]
    /// or [`RecordError::Failed`] when the run is not to be had.
    pub async fn record(&self, run: RunId, worker: &str) -> Result<Recorder, RecordError> {
        self.record_with(run, worker, RecordOptions::default()).await
    }

    /// Takes over the run that has waited longest for a device and that is still
    /// to be had. `None` if there is none: look again in a while.
    ///
    /// ```no_run
    /// # async fn f(store: lucihub_store::Store) -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// let device = "lucidac-1".parse()?;
    /// loop {
    ///     match store.take_next(&device, "worker-1").await? {
    ///         Some(recorder) => println!("recording run {}", recorder.run()),
    ///         None => tokio::time::sleep(Duration::from_secs(1)).await,
    ///     }
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// When a storage cannot be reached.
    pub async fn take_next(&self, device: &DeviceId, worker: &str) -> Result<Option<Recorder>, RecordError> {
        self.take_next_with(device, worker, RecordOptions::default()).await
    }

    /// Takes over the run that has waited longest for a device. It is not one that a worker began already: that is
    /// taken by its id.
    ///
    /// # Errors
    /// As [`take_next`](Self::take_next).
    pub async fn take_next_with(
        &self,
        device: &DeviceId,
        worker: &str,
        options: RecordOptions,
    ) -> Result<Option<Recorder>, RecordError> {
        /// The mirror is about a second behind: more than these did not end since.
        const LOOK_AT: usize = 100;
        let filter = RunFilter::default().device(device.clone()).state(RunState::Queued);
        for run in self.list(&filter, &PageRequest::oldest(LOOK_AT)).await?.runs {
            match self.record_with(run.id, worker, options.clone()).await {
                Ok(recorder) => return Ok(Some(recorder)),
                // Taken, cancelled, ended or not opened yet: the next one.
                Err(
                    RecordError::Held { .. }
                    | RecordError::Cancelled(_)
                    | RecordError::NoRun(_)
                    | RecordError::Failed { failure: Failure::Sealed(_), .. },
                ) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Takes a run over and records it. Where another had it before and cold storage is away, that is waited for up to a
    /// quarter of the lease: it may have what hot storage lost.
    ///
    /// # Errors
    /// As [`record`](Self::record). After an error of hot storage the run may be this worker's all the same: the same
    /// worker asking again, through this store or a clone of it, gets it.
    pub async fn record_with(&self, run: RunId, worker: &str, options: RecordOptions) -> Result<Recorder, RecordError> {
        if worker.is_empty() || worker.len() > self.limits().text_bytes {
            return Err(Invalid::new("worker", format!("a name of {} bytes", worker.len()))
                .hint(format!("use 1 to {}", self.limits().text_bytes))
                .into());
        }
        let writer = options.writer.or_else(|| self.asked().again(run, worker));
        let writer = writer.unwrap_or_else(|| self.ids().writer_id());
        let asking = self.asked().asking(run, worker, writer);
        let request = TakeOver { run, worker: worker.to_owned(), writer, lease: options.lease };
        let answer = match self.hot().take_over(&request).await {
            // It may hold the run by now, and nobody else knows its writer id: asked again.
            Err(StoreError::Unknown { .. }) => self.hot().take_over(&request).await,
            answer => answer,
        };
        recording::asked(run, worker, &answer);
        // Not even an error that says that nothing was written is certain: a client that sent the request a second time
        // tells of that one.
        let taken = match answer? {
            TookOver::Taken(taken) => taken,
            other => {
                asking.answered();
                return Err(self.not_taken(run, other).await);
            }
        };
        let (known, beyond) = self.ask_cold(&taken, &request, &options).await;
        // Whoever gave up before asks again as the same writer.
        asking.answered();
        let recorder = Recorder::start(self.clone(), request, &taken, known, options);
        if let Some(stored) = beyond {
            recorder.pass_over(&stored).await?;
        }
        Ok(recorder)
    }

    /// Why a run was not to be had.
    async fn not_taken(&self, run: RunId, answer: TookOver) -> RecordError {
        match answer {
            TookOver::Held { by, until } => RecordError::Held { run, by, until },
            TookOver::Cancelled => RecordError::Cancelled(run),
            TookOver::Sealed(seal) => RecordError::Failed { run, failure: Failure::Sealed(seal) },
            TookOver::Taken(_) | TookOver::NoRun => self.not_in_hot(run).await,
        }
    }

    /// Why hot storage does not have a run: an archived one has left it, if cold storage is there to say so.
    async fn not_in_hot(&self, run: RunId) -> RecordError {
        match self.cold().get(run).await {
            Ok(Some(cold)) if cold.head.state().is_terminal() => {
                let failure = Failure::Sealed(Seal::Ended(cold.head.state().clone()));
                RecordError::Failed { run, failure }
            }
            _ => RecordError::NoRun(run),
        }
    }

    /// Which workers cold storage may rightly name from now on, if that is known; and how far it is, if that is further
    /// than a run that was taken over: hot storage lost it, and the writer that put it back died before it had sent all
    /// again. A worker without cold storage can know neither.
    async fn ask_cold(
        &self,
        taken: &Taken,
        request: &TakeOver,
        options: &RecordOptions,
    ) -> (Option<Vec<String>>, Option<Positions>) {
        let mut known = vec![request.worker.clone()];
        if taken.mark.epoch == 1 && options.writer.is_none() {
            // Nobody has had it before.
            return (Some(known), None);
        }
        // One that goes on blindly may write anew what only cold storage has. But cold storage that is away for long must
        // not cost the lease.
        let asked = async {
            loop {
                match self.cold().get(request.run).await {
                    Err(error) if error.is_transient() => sleep(ASK_AGAIN).await,
                    answer => return answer,
                }
            }
        };
        let Ok(Ok(Some(cold))) = timeout(options.lease / 4, asked).await else {
            return (None, None);
        };
        let at = &taken.run.next;
        let stored = Positions { states: at.states, phases: at.phases, ..cold.positions };
        let beyond = (cold.archived.is_none() && !at.covers(&stored)).then_some(stored);
        known.extend(cold.head.worker);
        (Some(known), beyond)
    }
}
