//! Memory of this process and of Redis, second by second.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use lucihub_store::Store;

use crate::memory::resident;

/// What a measured amount of memory may grow by from the second quarter to the last: what allocators keep, a checkpoint more or
/// less under way.
const ROOM: u64 = 24 << 20;

/// Bytes, second by second.
#[derive(Debug, Default)]
pub(super) struct Line(Vec<u64>);

/// How memory went.
#[derive(Debug, Default)]
pub(super) struct Course {
    pub(super) process: Line,
    pub(super) hot: Line,
}

/// Looks until it is time to stop.
pub(super) async fn watch(store: Store, stop: Instant) -> Result<Course> {
    let mut course = Course::default();
    while Instant::now() < stop {
        course.process.0.push(resident("VmRSS")?);
        course.hot.0.push(store.hot().health().await?.used_bytes);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(course)
}

impl Line {
    pub(super) fn peak(&self) -> u64 {
        self.0.iter().copied().max().unwrap_or_default()
    }

    /// The most of the second quarter, and of the last.
    fn quarters(&self) -> [u64; 2] {
        let quarter = self.0.len() / 4;
        let most = |part: &[u64]| part.iter().copied().max().unwrap_or_default();
        [most(&self.0[quarter..2 * quarter]), most(&self.0[3 * quarter..])]
    }
}

impl Course {
    /// Whether it stayed as it was once all were at work.
    pub(super) fn is_flat(&self) -> Result<()> {
        for (what, line) in [("this process", &self.process), ("Redis", &self.hot)] {
            let [before, after] = line.quarters();
            // Too short to tell.
            let told = line.0.len() >= 16;
            ensure!(!told || after <= before + ROOM, "{what} grew from {before} to {after} bytes");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_told_from_the_beginning() {
        let course = |bytes: &dyn Fn(u64) -> u64| Course {
            process: Line((0..60).map(bytes).collect()),
            hot: Line(vec![1 << 20; 60]),
        };
        let warm = course(&|second| (second.min(10) + 1) << 24);
        assert!(warm.is_flat().is_ok(), "what comes at the beginning is none");
        assert!(course(&|second| second << 20).is_flat().is_err());
    }
}
