//! What is worth a line of what a keeper did.

use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, Instant};

use lucihub_models_core::{Result, RunId, StoreError, Timestamp};
use lucihub_store::archive::WalkReport;
use serde::Serialize;

/// What a keeper did and what went wrong, as `--json` prints it.
#[derive(Debug, Serialize)]
pub(super) struct News {
    pub(super) at: Timestamp,
    opened: u64,
    mirrored: u64,
    checkpoints: u64,
    failed: u64,
    rescued: u64,
    archived: u64,
    expired: u64,
    devices: u64,
    pub(super) errors: Vec<Wrong>,
    /// Whether a walk succeeded after some that could not even begin.
    #[serde(skip)]
    pub(super) recovered: bool,
}

/// What went wrong: with one run, or with all.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Wrong {
    run: Option<RunId>,
    error: String,
}

impl Wrong {
    pub(super) const fn is_of_a_run(&self) -> bool {
        self.run.is_some()
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.run {
            Some(run) => write!(f, "run {run}: {}", self.error),
            None => f.write_str(&self.error),
        }
    }
}

/// What went wrong in a walk. A storage that is away is said once, not again with every run.
pub(super) fn wrong(report: &WalkReport) -> Vec<Wrong> {
    let away = match &report.devices_error {
        Some(StoreError::Unavailable { store, .. }) => Some(store),
        _ => None,
    };
    let is_known = |error: &StoreError| matches!(error, StoreError::Unavailable { store, .. } if Some(store) == away);
    let of_all = report.devices_error.iter().map(|error| Wrong { run: None, error: error.to_string() });
    let of_runs = report.errors.iter().filter(|(_, error)| !is_known(error));
    of_all.chain(of_runs.map(|(run, error)| Wrong { run: Some(*run), error: error.to_string() })).collect()
}

impl News {
    /// What a report says.
    pub(super) fn of(at: Timestamp, report: &WalkReport, errors: Vec<Wrong>) -> Self {
        Self {
            at,
            opened: report.opened,
            mirrored: report.mirrored,
            checkpoints: report.checkpoints,
            failed: report.failed,
            rescued: report.rescued,
            archived: report.archived,
            expired: report.expired,
            devices: report.devices,
            errors,
            recovered: false,
        }
    }

    /// What was done, in words; `None` if nothing was.
    pub(super) fn done(&self) -> Option<String> {
        let all = [
            (self.opened, "run opened", "runs opened"),
            (self.mirrored, "state mirrored", "states mirrored"),
            (self.checkpoints, "checkpoint", "checkpoints"),
            (self.failed, "run failed, its worker being dead", "runs failed, their workers being dead"),
            (self.rescued, "run put back", "runs put back"),
            (self.archived, "run archived", "runs archived"),
            (self.expired, "run leaves hot storage in an hour", "runs leave hot storage in an hour"),
            (self.devices, "device entered", "devices entered"),
        ];
        let done: Vec<String> = all
            .iter()
            .filter(|(count, ..)| *count > 0)
            .map(|(count, one, more)| format!("{count} {}", if *count == 1 { one } else { more }))
            .collect();
        (!done.is_empty()).then(|| done.join(", "))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.done().is_none() && self.errors.is_empty()
    }
}

/// What was told already: what stays wrong is told once a minute, not with every walk.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// By run; `None` is all of them.
    wrong: HashMap<Option<RunId>, (String, Instant)>,
}

impl Told {
    const AGAIN: Duration = Duration::from_secs(60);

    /// What is new in the outcome of a walk.
    pub(super) fn news(&mut self, at: Timestamp, walked: Result<WalkReport>) -> News {
        let (report, errors) = match walked {
            Ok(report) => {
                let errors = wrong(&report);
                (report, errors)
            }
            Err(error) => (WalkReport::default(), vec![Wrong { run: None, error: error.to_string() }]),
        };
        let began = errors.iter().all(Wrong::is_of_a_run);
        let recovered = began && self.wrong.remove(&None).is_some();
        let errors = errors.into_iter().filter(|wrong| self.is_new(wrong)).collect();
        News { recovered, ..News::of(at, &report, errors) }
    }

    fn is_new(&mut self, wrong: &Wrong) -> bool {
        let now = Instant::now();
        self.wrong.retain(|_, (_, at)| now.duration_since(*at) < Self::AGAIN);
        match self.wrong.get(&wrong.run) {
            Some((text, _)) if *text == wrong.error => false,
            _ => self.wrong.insert(wrong.run, (wrong.error.clone(), now)).is_none_or(|(text, _)| text != wrong.error),
        }
    }
}

#[cfg(test)]
mod tests {
    use lucihub_testkit::models::run_id;

    use super::*;

    #[test]
    fn what_stays_wrong_is_told_once_and_its_end_too() {
        let mut told = Told::default();
        let mut news = |walked| told.news(Timestamp::EPOCH, walked);
        let away = || Err(StoreError::unavailable("redis://host", "connection refused"));
        assert_eq!(news(away()).errors.len(), 1);
        assert!(news(away()).is_empty());
        assert_eq!(news(Err(StoreError::unavailable("redis://host", "no answer"))).errors.len(), 1);
        assert!(news(Ok(WalkReport::default())).recovered);
        let quiet = news(Ok(WalkReport::default()));
        assert!(!quiet.recovered && quiet.is_empty());
        assert_eq!(news(away()).errors.len(), 1, "a new outage is news");
    }

    #[test]
    fn a_storage_that_is_away_is_said_once_for_all_runs() {
        let away = || StoreError::unavailable("redis://host", "no answer");
        let mut report = WalkReport::default();
        report.errors = vec![(run_id(1), away()), (run_id(2), StoreError::not_found("cell"))];
        assert_eq!(wrong(&report).len(), 2);
        report.devices_error = Some(away());
        let said: Vec<String> = wrong(&report).iter().map(ToString::to_string).collect();
        assert!(
            said.len() == 2 && said[0] == away().to_string() && said[1].ends_with("cell does not exist"),
            "{said:?}"
        );
    }

    #[test]
    fn what_was_done_is_said_in_words() {
        let mut report = WalkReport::default();
        assert_eq!(News::of(Timestamp::EPOCH, &report, Vec::new()).done(), None);
        report.archived = 2;
        report.checkpoints = 1;
        assert_eq!(News::of(Timestamp::EPOCH, &report, Vec::new()).done().unwrap(), "1 checkpoint, 2 runs archived");
    }
}
