//! A server whose disk is full: typed, nothing by halves, and on once there is room.

use lucihub_models_core::cold::{Checkpoint, ColdArchive, ColdRuns, ColdSamples};
use lucihub_models_core::{PageRequest, RunFilter, SampleCell, Series, StoreError};
use lucihub_testkit::servers::{PostgresOptions as Config, PostgresServer};
use lucihub_testkit::{Dice, models};

use crate::postgres::lab::{Database, WRITER, open, template};

/// A segment of the server's own log.
const SEGMENT: u64 = 16 * 1024 * 1024;
const SAMPLES: usize = 65_536;

/// A cell that nothing compresses.
fn noise(channel: u32, dice: &Dice) -> Checkpoint {
    let mut series = Series::starting_at(0);
    let values: Vec<f64> = (0..SAMPLES).map(|_| f64::from_bits(dice.roll() >> 2)).collect();
    series.push_values(&values);
    Checkpoint { lines: Vec::new(), samples: vec![SampleCell { channel, cell: 0, series }], ..Checkpoint::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_full_and_goes_on_when_there_is_room() {
    let server = PostgresServer::start(Config::new());
    let database = Database::of(&server.databases(), Some(&template(&server.databases())));
    let cold = open(&database.url(WRITER)).await.unwrap();
    let (mut head, dice) = (models::lorenz_head(64), Dice::new(1));
    head.id = models::run_id(1);
    cold.create(&head).await.unwrap();

    server.limit_files(Some(SEGMENT));
    let mut written = 0;
    let refused = loop {
        let cell = noise(written, &dice);
        match cold.checkpoint(head.id, &cell).await {
            Ok(true) => written += 1,
            Ok(false) => panic!("the run is open"),
            Err(error) => {
                assert!(matches!(&error, StoreError::Full { why, .. } if why.contains("disk")), "{error:?}");
                break cell;
            }
        }
    };
    assert!(written > 8, "{written}");
    // Nothing of the refused one is there, and the rest can be read.
    let there = async |count: u32| {
        let stored = cold.get(head.id).await.unwrap().unwrap();
        for channel in 0..count + 1 {
            let (cells, end) = if channel < count { (1, SAMPLES as u64) } else { (0, 0) };
            assert_eq!(cold.sample_cells(head.id, channel, 0..1).await.unwrap().len(), cells, "channel {channel}");
            assert_eq!(stored.positions.sample(channel), end, "channel {channel}");
        }
        assert_eq!(cold.list(&RunFilter::default(), &PageRequest::default()).await.unwrap().runs.len(), 1);
    };
    there(written).await;

    server.limit_files(None);
    assert!(cold.checkpoint(head.id, &refused).await.unwrap());
    there(written + 1).await;
    assert_eq!(cold.sample_cells(head.id, written, 0..1).await.unwrap(), refused.samples);
}
