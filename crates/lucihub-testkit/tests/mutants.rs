//! The suite can fail: each defect of a store is noticed by the case that names its law.

use std::sync::Arc;

use lucihub_testkit::HotHarness;
use lucihub_testkit::conformance::hot::compare::{compare_hot, operations};
use lucihub_testkit::conformance::hot::{
    append, attachments, devices, logs, restore, runs, samples, scan, secure, take_over, trim, watch,
};
use lucihub_testkit::reference::hot::harness;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::mutant::{Defect, mutant};

/// Asserts that a case passes on a sound store and fails on one with the defect.
macro_rules! catches {
    ($($name:ident: $defect:ident by $case:path;)+) => {
        $(
            #[tokio::test]
            async fn $name() {
                let sound: Arc<dyn HotHarness> = mutant(Defect::None).await;
                $case(&*sound).await;
                let broken: Arc<dyn HotHarness> = mutant(Defect::$defect).await;
                let verdict = tokio::spawn(async move { $case(&*broken).await }).await;
                assert!(verdict.is_err_and(|error| error.is_panic()), "the case let the defect pass");
            }
        )+
    };
}

catches! {
    no_fence: NoFence by append::fenced_comes_before_the_rest;
    no_fence_after_a_take_over: NoFence by take_over::an_ended_lease_gives_way;
    no_fence_after_a_restore: NoFence by restore::others_are_fenced;
    no_repeats: NoRepeats by append::repeats_are_duplicates_within_the_window;
    no_repeats_after_the_seal: NoRepeats by append::repeats_are_known_after_the_seal;
    no_seal: NoSeal by append::sealed_comes_before_behind_and_rejected;
    torn_reject: TornReject by append::rejected_writes_nothing;
    window_from_zero: WindowFromZero by samples::windows_are_clipped;
    plain_nan: PlainNan by samples::samples_keep_every_bit;
    split_lines: SplitLines by logs::lines_keep_every_character;
    eager_trim: EagerTrim by trim::trimming_needs_confirmation;
    early_expiry: EarlyExpiry by runs::sealed_runs_expire_in_time;
    no_tombstone: NoTombstone by runs::removed_runs_stay_away;
    eternal_lease: EternalLease by take_over::an_ended_lease_gives_way;
    anyone_withdraws: AnyoneWithdraws by devices::scanners_renew_their_own;
    asleep: Asleep by watch::every_change_wakes_followers;
    blindly_secure: BlindlySecure by secure::what_is_applied_is_secured;
    blindly_secure_after_a_loss: BlindlySecure by secure::an_absent_run_is_missing;
    hides_loss: HidesLoss by restore::the_writer_goes_on;
    short_scan: ShortScan by scan::every_run_is_in_some_part;
    no_owner: NoOwner by attachments::results_are_the_workers_alone;
}

/// Every case that a file of the suite has stands in the list that the macro runs.
#[test]
fn the_list_of_cases_is_complete() {
    let list = include_str!("../src/conformance/hot/cases.rs");
    let files = [
        include_str!("../src/conformance/hot/append.rs"),
        include_str!("../src/conformance/hot/attachments.rs"),
        include_str!("../src/conformance/hot/concurrency.rs"),
        include_str!("../src/conformance/hot/devices.rs"),
        include_str!("../src/conformance/hot/hostile.rs"),
        include_str!("../src/conformance/hot/limits.rs"),
        include_str!("../src/conformance/hot/logs.rs"),
        include_str!("../src/conformance/hot/restore.rs"),
        include_str!("../src/conformance/hot/runs.rs"),
        include_str!("../src/conformance/hot/secure.rs"),
        include_str!("../src/conformance/hot/samples.rs"),
        include_str!("../src/conformance/hot/scan.rs"),
        include_str!("../src/conformance/hot/take_over.rs"),
        include_str!("../src/conformance/hot/trim.rs"),
        include_str!("../src/conformance/hot/watch.rs"),
    ];
    let cases = files.iter().flat_map(|file| file.lines()).filter_map(|line| line.strip_prefix("pub async fn "));
    let missing: Vec<&str> =
        cases.filter_map(|case| case.split('(').next()).filter(|case| !list.contains(&format!(" {case},"))).collect();
    assert_eq!(missing, [""; 0], "name them in cases.rs");
}

/// Random operations tell a defective store from the reference too, always with the same ones.
#[test]
fn comparisons_notice_defects() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for defect in [
        Defect::NoRepeats,
        Defect::NoSeal,
        Defect::TornReject,
        Defect::WindowFromZero,
        Defect::EagerTrim,
        Defect::EarlyExpiry,
        Defect::NoTombstone,
        Defect::EternalLease,
        Defect::AnyoneWithdraws,
    ] {
        let mut runner = TestRunner::deterministic();
        let noticed = (0..500).any(|_| {
            let todo = operations(60).new_tree(&mut runner).unwrap().current();
            runtime.block_on(async move {
                let pair = async move { compare_hot(&*mutant(defect).await, &*harness().await, &todo).await };
                tokio::spawn(pair).await.is_err_and(|error| error.is_panic())
            })
        });
        assert!(noticed, "{defect:?} was not noticed");
    }
}
