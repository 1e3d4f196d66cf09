//! Any sequence of operations is answered as the reference store answers it.

mod harness;

use harness::harness;
use lucihub_testkit::conformance::hot::compare::{compare_hot, operations};
use lucihub_testkit::reference;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn the_toy_answers_as_the_reference(todo in operations(40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async { compare_hot(&*harness().await, &*reference::hot::harness().await, &todo).await });
    }
}
