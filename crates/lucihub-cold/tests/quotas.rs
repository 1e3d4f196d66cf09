//! Counters of created runs, under clocks that are wrong for a while.

use std::sync::Arc;
use std::time::Duration;

use lucihub_cold::migrate;
use lucihub_models_core::cold::Quota;
use lucihub_models_core::{Clock, StoreError};
use lucihub_testkit::ManualClock;
use lucihub_testkit::models::run_head;

use crate::migrations::open::open;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::test]
async fn a_clock_that_was_days_ahead_takes_no_counts_away() {
    for place in crate::migrations::place::places() {
        migrate::up(&place.url()).await.unwrap();
        let clock = Arc::new(ManualClock::new());
        let cold = open(&place, &clock).await;
        let quota = Quota::default().per_day(2);
        let create = async |n| {
            let mut head = run_head(n);
            head.owner = Some("ada".into());
            cold.create_within(&head, &quota).await
        };
        create(1).await.unwrap();
        create(2).await.unwrap();
        assert!(matches!(create(3).await, Err(StoreError::QuotaExceeded { .. })));

        let right = clock.now();
        clock.advance(3 * DAY);
        create(3).await.unwrap();
        clock.set(right);
        let used = cold.usage("ada").await.unwrap();
        assert_eq!(used[0].last_day, 3, "what was counted, and what lies ahead: {place}");
        assert!(matches!(create(4).await, Err(StoreError::QuotaExceeded { .. })), "{place}");

        // Counts go all the same, when they are old by any clock.
        clock.advance(10 * DAY);
        create(4).await.unwrap();
        assert_eq!(place.rows("SELECT count(*) || '' FROM usage"), ["2"], "{place}");
        clock.advance(3 * DAY);
        create(5).await.unwrap();
        assert_eq!(place.rows("SELECT count(*) || '' FROM usage"), ["2"], "{place}");
    }
}
