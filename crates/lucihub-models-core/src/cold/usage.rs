//! How many runs were created, for quotas.

use std::time::Duration;

use async_trait::async_trait;

use super::Created;
use crate::error::{Result, StoreError};
use crate::latest::{DeviceType, RunHead};
use crate::timestamp::Timestamp;

const MINUTE: i64 = 60_000_000;

/// How many runs an owner created on one kind of device. The windows end now and slide by whole minutes, so a run counts
/// for up to a minute longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// The kind of device; `None` for runs without one.
    pub device_type: Option<DeviceType>,
    /// Runs of the last hour.
    pub last_hour: u64,
    /// Runs of the last day.
    pub last_day: u64,
}

impl Usage {
    /// The name of the kind of device; empty for none.
    #[must_use]
    pub fn name(&self) -> &str {
        self.device_type.as_ref().map_or("", DeviceType::as_str)
    }

    /// The minute that a time lies in: runs are counted by it.
    #[must_use]
    pub fn minute(at: Timestamp) -> Timestamp {
        let begin = at.as_micros().div_euclid(MINUTE) * MINUTE;
        Timestamp::from_micros(begin).unwrap_or(Timestamp::MIN)
    }

    /// Minutes after this one are in the last day.
    #[must_use]
    pub fn day_ago(now: Timestamp) -> Timestamp {
        Self::minute(now).before(Duration::from_secs(24 * 60 * 60 + 60))
    }

    /// Adds the runs of a minute.
    pub fn add(&mut self, minute: Timestamp, runs: u64, now: Timestamp) {
        if minute > Self::minute(now).before(Duration::from_secs(60 * 60 + 60)) {
            self.last_hour += runs;
        }
        if minute > Self::day_ago(now) {
            self.last_day += runs;
        }
    }
}

/// How many runs an owner may create on one kind of device.
///
/// ```
/// use lucihub_models_core::cold::{Quota, Usage};
/// let quota = Quota::default().per_hour(20);
/// let used = Usage { device_type: None, last_hour: 20, last_day: 20 };
/// let error = quota.check(&used).unwrap_err();
/// assert!(error.to_string().contains("20 runs in the last hour"));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quota {
    /// Runs in an hour.
    pub hour: Option<u64>,
    /// Runs in a day.
    pub day: Option<u64>,
}

impl Quota {
    /// Sets how many runs in an hour.
    #[must_use]
    pub const fn per_hour(mut self, runs: u64) -> Self {
        self.hour = Some(runs);
        self
    }

    /// Sets how many runs in a day.
    #[must_use]
    pub const fn per_day(mut self, runs: u64) -> Self {
        self.day = Some(runs);
        self
    }

    /// Whether one run more is allowed.
    ///
    /// # Errors
    /// `QuotaExceeded` naming the kind of device, the limit and the window.
    pub fn check(&self, used: &Usage) -> Result<()> {
        let windows = [("hour", self.hour, used.last_hour), ("day", self.day, used.last_day)];
        for (window, limit, runs) in windows {
            if let Some(limit) = limit.filter(|limit| runs >= *limit) {
                let kind = used.device_type.as_ref().map_or("no device", DeviceType::as_str);
                return Err(StoreError::QuotaExceeded {
                    what: format!("{runs} runs in the last {window} on {kind}"),
                    limit,
                });
            }
        }
        Ok(())
    }
}

/// Counters of created runs. [`ColdRuns::create`](super::ColdRuns::create) counts too, in the transaction that creates a
/// run; a run without an owner is not counted, a repeated `create` counts once, and deleting a run gives nothing back.
#[async_trait]
pub trait ColdUsage: Send + Sync {
    /// Creates a run unless its owner has created as many as the quota allows on its kind of device, by the store's clock.
    /// Of several at once no more are created than the quota allows. A run that is there already is `Existing`, whatever the quota.
    ///
    /// # Errors
    /// `QuotaExceeded`; `Invalid` for a run without an owner; as [`ColdRuns::create`](super::ColdRuns::create). Nothing is
    /// written or counted then.
    async fn create_within(&self, head: &RunHead, quota: &Quota) -> Result<Created>;

    /// What an owner has used in the last day, by kind of device, ordered by its name.
    async fn usage(&self, owner: &str) -> Result<Vec<Usage>>;
}
