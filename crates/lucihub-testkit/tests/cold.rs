//! The cold suite on the stores of this crate.

use std::sync::Arc;

use lucihub_testkit::conformance::cold::Store;
use lucihub_testkit::conformance::cold::compare::{compare_cold, operations};
use lucihub_testkit::reference::cold::ReferenceCold;
use lucihub_testkit::{FaultPlan, FaultyCold, ManualClock, cold_conformance};

fn reference() -> Arc<ReferenceCold> {
    Arc::new(ReferenceCold::new(Arc::new(ManualClock::new())))
}

/// A wrapper that lost an operation on its way would be found here.
fn faultless() -> (Store, FaultPlan) {
    let plan = FaultPlan::none();
    (Arc::new(FaultyCold::new(reference(), plan.clone())), plan)
}

cold_conformance!(reference_store, reference());
cold_conformance!(faulty_store_without_faults, faultless());

proptest::proptest! {
    /// Two stores of plain maps agree; the wrapper changes no answer.
    #[test]
    fn any_sequence_gives_the_same_answers(script in operations()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (wrapped, _) = faultless();
            compare_cold(&*reference(), &*wrapped, &script).await;
        });
    }
}

/// A case that is written and not named would never run.
#[test]
fn every_case_is_named() {
    let suite = include_str!("../src/conformance/cold.rs");
    let files = [
        include_str!("../src/conformance/cold/runs.rs"),
        include_str!("../src/conformance/cold/lists.rs"),
        include_str!("../src/conformance/cold/pages.rs"),
        include_str!("../src/conformance/cold/search.rs"),
        include_str!("../src/conformance/cold/usage.rs"),
        include_str!("../src/conformance/cold/archive.rs"),
        include_str!("../src/conformance/cold/samples.rs"),
        include_str!("../src/conformance/cold/logs.rs"),
        include_str!("../src/conformance/cold/devices.rs"),
        include_str!("../src/conformance/cold/attachments.rs"),
        include_str!("../src/conformance/cold/hostile.rs"),
        include_str!("../src/conformance/cold/races.rs"),
    ];
    let named: Vec<&str> = suite.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
    for file in files {
        let cases = file.lines().filter_map(|line| line.strip_prefix("pub async fn ")?.split('(').next());
        let missing: Vec<&str> = cases.filter(|case| !named.contains(case)).collect();
        assert_eq!(missing, [""; 0], "named nowhere in cold_conformance!");
    }
}
