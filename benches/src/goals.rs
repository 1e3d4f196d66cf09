//! The goals: how far a figure should come, by its name.
//!
//! A goal is a share of the limit's speed, as ratios are: what may take at most half of the limit's time has to reach
//! twice its speed. Where there is no limit, it is the most that the value may be. Some have both.

use crate::measure::Figure;

/// How far a figure should come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Goal {
    /// At least this ratio to the limit.
    Ratio(f64),
    /// At most this value, in the unit of the figure.
    Value(f64),
    /// At least this ratio, and at most this value.
    Both(f64, f64),
}

/// At most so many times what the limit takes, in time or bytes.
const fn times(most: f64) -> Goal {
    Goal::Ratio(1.0 / most)
}

/// Every figure that has a goal. One that names no size holds for each that is measured.
const GOALS: [(&str, Goal); 36] = [
    ("hot.redis.ingest_100_samples_per_s", Goal::Ratio(0.9)),
    ("hot.redis.ingest_1000_samples_per_s", Goal::Ratio(0.9)),
    ("hot.redis.ingest_8000_samples_per_s", Goal::Ratio(0.9)),
    ("hot.redis.ingest_100_beside_xadd_samples_per_s", Goal::Ratio(0.8)),
    ("hot.redis.ingest_1000_beside_xadd_samples_per_s", Goal::Ratio(0.8)),
    ("hot.redis.ingest_8000_beside_xadd_samples_per_s", Goal::Ratio(0.8)),
    ("peers.redis.ingest_1000_samples_per_s", Goal::Ratio(1.0)),
    ("peers.redis.ingest_1000_one_in_flight_samples_per_s", Goal::Ratio(1.0)),
    ("peers.redis.log_lines_per_s", Goal::Ratio(20.0)),
    ("peers.postgres.write_side_ms", times(0.5)),
    ("peers.sqlite.write_side_ms", times(0.9)),
    ("peers.postgres.bytes_per_sample", times(0.2)),
    ("peers.sqlite.bytes_per_sample", times(0.08)),
    ("peers.postgres.read_run_ms", times(0.5)),
    ("peers.sqlite.read_run_ms", times(1.0)),
    ("cold.sqlite.page_50_of_10k_us", times(1.3)),
    ("cold.sqlite.page_50_of_100k_us", times(1.3)),
    ("cold.sqlite.page_50_of_1m_us", times(1.3)),
    ("cold.postgres.page_50_of_10k_us", times(1.3)),
    ("cold.postgres.page_50_of_100k_us", times(1.3)),
    ("cold.postgres.page_50_of_1m_us", times(1.3)),
    ("growth.runs.sqlite.page_50_3m_beside_10k", times(1.3)),
    ("growth.runs.postgres.page_50_3m_beside_10k", times(1.3)),
    ("peers.postgres.search_with_total_of_100k_ms", times(1.0 / 20.0)),
    ("peers.sqlite.search_with_total_of_100k_ms", times(1.0 / 20.0)),
    ("store.sqlite.end_to_read_at_pace_ms", times(2.0)),
    ("store.sqlite.redis_end_to_read_at_pace_ms", Goal::Both(0.5, 15.0)),
    ("store.postgres.end_to_read_at_pace_ms", times(2.0)),
    ("store.postgres.redis_end_to_read_at_pace_ms", Goal::Both(0.5, 25.0)),
    ("store.memory_archiving_1gb_above_idle_bytes", Goal::Value(64.0 * 1_048_576.0)),
    ("store.archive_1gb_s", times(1.2)),
    ("cold.sqlite.envelope_2000_of_100m_ms", times(2.0)),
    ("cold.postgres.envelope_2000_of_100m_ms", times(2.0)),
    ("builds.core_s", Goal::Value(20.0)),
    ("builds.worker_s", Goal::Value(90.0)),
    ("builds.demo_release_s", Goal::Value(300.0)),
];

/// The goal of a figure, if it has one.
pub(crate) fn of(name: &str) -> Option<Goal> {
    GOALS.iter().find(|(known, _)| *known == name).map(|(_, goal)| *goal)
}

impl Goal {
    /// Whether a figure comes as far. One without a limit reaches no ratio.
    pub(crate) fn met(self, figure: &Figure) -> bool {
        match self {
            Self::Ratio(least) => figure.ratio().is_some_and(|ratio| ratio >= least),
            Self::Value(most) => figure.value() <= most,
            Self::Both(least, most) => Self::Ratio(least).met(figure) && Self::Value(most).met(figure),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::measure::{Figures, MS};
    use crate::{builds, peers};

    /// What is measured in any case; read, since those tests are a program of their own.
    const PROMISED: &str = include_str!("../tests/quick.rs");
    /// Of the group that measures how cost grows.
    const GROWTH: [&str; 2] =
        ["growth.runs.sqlite.page_50_3m_beside_10k", "growth.runs.postgres.page_50_3m_beside_10k"];

    #[test]
    fn every_goal_is_of_a_figure() {
        let promised: BTreeSet<&str> = PROMISED.split('"').filter(|part| part.contains('.')).collect();
        let others: BTreeSet<String> = peers::names().chain(builds::names()).chain(GROWTH.map(str::to_owned)).collect();
        for (name, _) in GOALS {
            assert!(promised.contains(name) || others.contains(name), "{name} is no figure");
        }
        assert_eq!(GOALS.map(|(name, _)| name).iter().collect::<BTreeSet<_>>().len(), GOALS.len(), "one goal each");
    }

    #[test]
    fn a_goal_is_met_from_its_bound_on() -> anyhow::Result<()> {
        let mut figures = Figures::new(String::new());
        figures.push_compared(("a", MS), vec![20.0], ("b", vec![10.0]))?;
        figures.push_values(("c", MS), vec![20.0])?;
        let [compared, alone] = figures.all.as_slice() else { unreachable!("{figures:?}") };
        assert!(times(2.0).met(compared) && !times(1.9).met(compared));
        assert!(Goal::Value(20.0).met(alone) && !Goal::Value(19.9).met(alone));
        assert!(Goal::Both(0.5, 20.0).met(compared));
        assert!(!Goal::Both(0.6, 20.0).met(compared) && !Goal::Both(0.5, 19.9).met(compared), "one is not enough");
        assert!(!times(1e9).met(alone), "there is nothing that it could be compared with");
        Ok(())
    }
}
