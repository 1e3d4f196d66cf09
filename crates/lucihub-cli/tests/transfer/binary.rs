//! Formats for other programs, read back by the crates that others use; `python.rs` reads them in those programs.

#[cfg(feature = "export")]
mod columns {
    use std::fs::File;
    use std::path::Path;

    use arrow_array::RecordBatch;
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Float64Type, Int64Type};
    use arrow_ipc::reader::FileReader;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use crate::transfer::command::{export, printed};
    use crate::transfer::recorded::{BASE, NAMES, recorded, sample};

    /// Past one cell.
    const SAMPLES: u64 = 66_000;

    #[tokio::test]
    async fn arrow_and_parquet_have_every_bit() {
        let dir = recorded(SAMPLES).await;
        let file = |name: &str| dir.path().join(name);
        for name in ["run.arrow", "run.parquet"] {
            printed(export(dir.path(), &["--out", file(name).to_str().unwrap()]));
            let by_pipe = printed(export(dir.path(), &["--format", name.split_once('.').unwrap().1]));
            assert!(std::fs::read(file(name)).unwrap() == by_pipe, "{name}: the same run gives the same bytes");
        }
        same(&arrow(&file("run.arrow")));
        same(&parquet(&file("run.parquet")));
    }

    fn arrow(file: &Path) -> Vec<RecordBatch> {
        FileReader::try_new(File::open(file).unwrap(), None).unwrap().map(Result::unwrap).collect()
    }

    fn parquet(file: &Path) -> Vec<RecordBatch> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(file).unwrap()).unwrap();
        builder.build().unwrap().map(Result::unwrap).collect()
    }

    fn same(batches: &[RecordBatch]) {
        let masks = NAMES.iter().map(|name| format!("{name}_missing"));
        let names: Vec<String> =
            ["index", "time_s"].iter().chain(&NAMES).map(ToString::to_string).chain(masks).collect();
        let mut n = 0;
        for batch in batches {
            let schema = batch.schema();
            assert_eq!(schema.fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>(), names);
            for row in 0..batch.num_rows() {
                assert_eq!(batch.column(0).as_primitive::<Int64Type>().value(row), i64::try_from(n).unwrap());
                let time = batch.column(1).as_primitive::<Float64Type>().value(row);
                assert_eq!(time.to_bits(), BASE.seconds(n).to_bits());
                for channel in 0..NAMES.len() {
                    let value = batch.column(2 + channel).as_primitive::<Float64Type>().value(row);
                    let missing = batch.column(2 + NAMES.len() + channel).as_boolean().value(row);
                    let wanted = sample(channel, n, SAMPLES);
                    assert_eq!(missing, wanted.is_none());
                    assert_eq!(value.to_bits(), wanted.unwrap_or(f64::NAN).to_bits(), "channel {channel}, sample {n}");
                }
                n += 1;
            }
        }
        assert_eq!(n, SAMPLES);
    }
}

#[cfg(not(feature = "export"))]
#[tokio::test]
async fn without_the_feature_it_says_how_to_get_it() {
    let dir = crate::transfer::recorded::recorded(1_000).await;
    for name in ["run.arrow", "run.parquet"] {
        let file = dir.path().join(name);
        let said = crate::transfer::command::refused(&crate::transfer::command::export(
            dir.path(),
            &["--out", file.to_str().unwrap()],
        ));
        assert!(said.contains("--features export"), "{said}");
        assert!(!file.exists());
    }
}
