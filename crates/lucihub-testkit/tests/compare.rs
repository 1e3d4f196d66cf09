//! Model tests of the reference store against itself, behind a fault wrapper without faults.

use lucihub_testkit::FaultPlan;
use lucihub_testkit::conformance::hot::compare::{compare_hot, operations};
use lucihub_testkit::reference::hot::{faulty_harness, harness};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn the_reference_answers_like_itself(operations in operations(60)) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
            let (a, b) = (harness().await, faulty_harness(FaultPlan::none()).await);
            compare_hot(&*a, &*b, &operations).await;
        });
    }
}
