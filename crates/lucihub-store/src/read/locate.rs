//! Where a run is, and how it stands.

use std::sync::Arc;

use lucihub_models_core::cold::{Archived, ColdRun};
use lucihub_models_core::hot::HotRun;
use lucihub_models_core::{Positions, Result, RunHead, RunId};

use crate::observe::reading;
use crate::runs::not_found;
use crate::store::Store;

/// Where an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The archive: final.
    Archive,
    /// Hot storage: the present.
    Live,
    /// Cold storage alone, of a run that hot storage does not have: it waits to
    /// be opened, or to be put back.
    Checkpoint,
    /// Cold storage alone, since hot storage cannot be reached.
    Stale,
}

/// A run, where it was found. All that is read through it is clipped to one
/// position, so an answer is never torn.
#[derive(Debug, Clone)]
pub struct Located {
    pub(super) cold: ColdRun,
    pub(super) hot: Option<HotRun>,
    source: Source,
}

/// How a run stands.
#[derive(Debug, Clone)]
pub struct RunStatus {
    /// The head, with the labels of cold storage.
    pub head: Arc<RunHead>,
    /// How far it is.
    pub positions: Positions,
    /// Whether it was archived.
    pub archived: Option<Archived>,
    /// Whether its end was asked for.
    pub cancel_requested: bool,
    /// Whether it has ended, so that nothing more will come.
    pub ended: bool,
    /// Where the answer came from.
    pub source: Source,
}

impl Located {
    /// A live run, as a keeper found it.
    pub(crate) const fn live(cold: ColdRun, hot: HotRun) -> Self {
        Self { cold, hot: Some(hot), source: Source::Live }
    }

    pub(crate) const fn cold_positions(&self) -> &Positions {
        &self.cold.positions
    }

    pub(crate) const fn hot_run(&self) -> Option<&HotRun> {
        self.hot.as_ref()
    }

    pub(crate) const fn grid(&self) -> lucihub_models_core::Grid {
        self.cold.head.grid
    }

    /// Where it was found.
    #[must_use]
    pub const fn source(&self) -> Source {
        self.source
    }

    /// How far it is.
    #[must_use]
    pub fn positions(&self) -> &Positions {
        self.hot.as_ref().map_or(&self.cold.positions, |hot| &hot.next)
    }

    /// How it stands.
    #[must_use]
    pub fn status(&self) -> RunStatus {
        let head = match &self.hot {
            Some(hot) if hot.head.labels == self.cold.head.labels => hot.head.clone(),
            Some(hot) => {
                let mut head = (*hot.head).clone();
                head.labels.clone_from(&self.cold.head.labels);
                Arc::new(head)
            }
            None => Arc::new(self.cold.head.clone()),
        };
        RunStatus {
            head,
            positions: self.positions().clone(),
            archived: self.cold.archived,
            cancel_requested: self.hot.as_ref().is_some_and(|hot| hot.cancel),
            ended: self.cold.archived.is_some() || self.hot.as_ref().is_some_and(|hot| hot.seal.is_some()),
            source: self.source,
        }
    }

    /// The identity of the run.
    #[must_use]
    pub const fn run(&self) -> RunId {
        self.cold.head.id
    }
}

impl Store {
    /// How a run stands.
    ///
    /// # Errors
    /// `NotFound`; others when cold storage cannot be read. While hot storage
    /// cannot be reached, the answer is the last checkpoint, marked [`Source::Stale`].
    pub async fn status(&self, run: RunId) -> Result<RunStatus> {
        Ok(self.locate(run).await?.status())
    }

    /// Finds a run at one position.
    ///
    /// # Errors
    /// As [`status`](Self::status).
    pub async fn locate(&self, run: RunId) -> Result<Located> {
        let located = self.find(run).await?;
        reading::located(&located);
        Ok(located)
    }

    async fn find(&self, run: RunId) -> Result<Located> {
        let cold = self.cold_run(run).await?.ok_or_else(|| not_found(run))?;
        if cold.archived.is_some() {
            return Ok(Located { cold, hot: None, source: Source::Archive });
        }
        match self.hot().get(run).await {
            Ok(Some(hot)) => Ok(Located { cold, hot: Some(hot), source: Source::Live }),
            Ok(None) => {
                // It may have been archived, and have left hot storage, between the two looks.
                let cold = self.cold_run(run).await?.ok_or_else(|| not_found(run))?;
                let source = if cold.archived.is_some() { Source::Archive } else { Source::Checkpoint };
                Ok(Located { cold, hot: None, source })
            }
            Err(error) => {
                reading::stale(run, &error);
                Ok(Located { cold, hot: None, source: Source::Stale })
            }
        }
    }

    /// A run of cold storage, with the positions of its whole content: states and
    /// phases are where its head is, lines and samples where its cells are.
    pub(crate) async fn cold_run(&self, run: RunId) -> Result<Option<ColdRun>> {
        let cold = self.cold().get(run).await?;
        Ok(cold.map(|mut cold| {
            cold.positions.states = cold.head.states.len() as u64;
            cold.positions.phases = cold.head.phases.len() as u64;
            cold
        }))
    }
}
