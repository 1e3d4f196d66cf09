//! Attachments where storage fails, forgets, or was away: results are in the archive, people's reach the worker.

use std::time::Duration;

use lucihub_models_core::StoreError;
use lucihub_models_core::hot::{HotAttachments, HotRuns};
use lucihub_store::{Keeper, KeeperOptions};
use lucihub_testkit::FaultPlan;

use crate::lab::attached::{MIB, attach, given, in_cold, in_hot, name, names, put, read};
use crate::lab::{begin_small, eager, end_small, lab, small, small_head};

#[tokio::test]
async fn a_run_is_opened_with_its_attachments() {
    let lab = lab();
    let head = small_head(2);
    let away = lab.split(&FaultPlan::none().down(1..u64::MAX), &FaultPlan::none());
    away.create(&head).await.unwrap_err();
    let error = attach(&away, head.id, "module", b"m").await.unwrap_err();
    assert!(matches!(&error, StoreError::Unavailable { why, .. } if why.contains("in cold storage all the same")));
    attach(&away, head.id, "large", &vec![1; 2 * MIB]).await.unwrap_err();
    for by_keeper in [true, false] {
        if by_keeper {
            assert_eq!(lab.walk(KeeperOptions::default()).await.opened, 1);
        } else {
            assert!(lab.hot.lose(head.id));
            lab.store.create(&head).await.unwrap();
        }
        assert_eq!(in_hot(&lab, head.id).await, [("module".to_owned(), false)]);
    }
    let recorder = lab.store.record(head.id, "worker").await.unwrap();
    assert_eq!(given(&recorder, "module").await.unwrap(), b"m");
}

#[tokio::test]
async fn what_could_not_be_brought_is_brought_by_a_keeper() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let _recorder = begin_small(&lab.store, run).await;
    lab.walk(eager()).await;
    attach(&lab.store, run, "old", b"1").await.unwrap();
    attach(&lab.store, run, "gone", b"1").await.unwrap();
    let away = lab.split(&FaultPlan::none().down(1..u64::MAX), &FaultPlan::none());
    attach(&away, run, "old", b"2").await.unwrap_err();
    attach(&away, run, "new", b"3").await.unwrap_err();
    away.delete_attachment(run, &name("gone")).await.unwrap_err();
    assert_eq!(read(&lab.store, run, "old").await.unwrap(), b"2", "cold storage has people's, not the copy");
    lab.walk(eager()).await;
    assert_eq!(in_hot(&lab, run).await, [("new".to_owned(), false), ("old".to_owned(), false)]);
    let (_, old) = lab.hot.attachment(run, &name("old")).await.unwrap().unwrap();
    assert_eq!(old[..], *b"2");
}

#[tokio::test(start_paused = true)]
async fn a_writer_puts_its_results_back_and_a_keeper_what_people_put() {
    for opened_anew in [false, true] {
        let lab = lab();
        let run = small(&lab.store, 2).await.id;
        attach(&lab.store, run, "module", b"m").await.unwrap();
        let recorder = begin_small(&lab.store, run).await;
        put(&recorder, "replaced", b"1").await;
        put(&recorder, "replaced", b"2").await;
        put(&recorder, "large", &vec![3; MIB]).await;
        assert!(lab.hot.lose(run));
        if opened_anew {
            lab.walk(eager()).await;
            assert_eq!(in_hot(&lab, run).await, [("module".to_owned(), false)]);
        }
        // The next attachment finds out.
        put(&recorder, "next", b"4").await;
        recorder.flush().await.unwrap();
        assert_eq!(recorder.stats().restores, 1);
        let results = ["large", "next", "replaced"].map(|called| (called.to_owned(), true));
        assert_eq!(in_hot(&lab, run).await, results);
        lab.clock.advance(Duration::from_secs(3));
        lab.walk(eager()).await;
        assert_eq!(given(&recorder, "module").await.unwrap(), b"m");
        end_small(&recorder).await;
        lab.walk(eager()).await;
        lab.archived(run).await;
        for (called, bytes) in [("replaced", &b"2"[..]), ("next", b"4"), ("large", &vec![3; MIB]), ("module", b"m")] {
            assert!(in_cold(&lab, run, called).await.unwrap() == bytes, "{called}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_restored_run_waits_for_its_results() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let plan = FaultPlan::none();
    let recorder = begin_small(&lab.split(&plan, &FaultPlan::none()), run).await;
    put(&recorder, "result", b"r").await;
    let before = plan.operations();
    assert!(lab.hot.lose(run));
    // Every put fails for a while once the run is back.
    let ended = tokio::spawn(async move {
        end_small(&recorder).await;
        recorder
    });
    let mut failed = 0;
    while !ended.is_finished() {
        let log = plan.log();
        let restored = log[usize::try_from(before).unwrap()..].iter().any(|call| call == "hot.restore");
        if restored && failed == 0 {
            plan.go_down();
            failed = plan.operations();
        }
        if failed > 0 && plan.operations() > failed + 5 {
            plan.mend();
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    ended.await.unwrap();
    assert!(failed > 0, "{:?}", plan.log());
    lab.walk(KeeperOptions::default()).await;
    lab.archived(run).await;
    assert_eq!(in_cold(&lab, run, "result").await.unwrap(), b"r");
}

/// A keeper may be stopped or fail at any operation: no archive without the results.
#[tokio::test]
async fn no_run_is_archived_without_its_results() {
    let scene = async || {
        let lab = lab();
        let run = small(&lab.store, 2).await.id;
        attach(&lab.store, run, "module", b"m").await.unwrap();
        let recorder = begin_small(&lab.store, run).await;
        put(&recorder, "result", b"r").await;
        put(&recorder, "more", &[1; 5_000]).await;
        end_small(&recorder).await;
        (lab, run)
    };
    let counted = FaultPlan::none();
    let (lab, _) = scene().await;
    Keeper::new(lab.faulty(&counted), eager()).walk().await.unwrap();
    assert!(counted.operations() > 10, "{:?}", counted.log());
    for n in 1..=counted.operations() {
        let plans = [FaultPlan::none().down(n..u64::MAX), FaultPlan::none().fail_nth(n), FaultPlan::none().lose_nth(n)];
        for plan in plans {
            let (lab, run) = scene().await;
            let _report = Keeper::new(lab.faulty(&plan), eager()).walk().await;
            if lab.store.status(run).await.unwrap().archived.is_some() {
                assert_eq!(in_cold(&lab, run, "result").await.unwrap(), b"r", "operation {n}");
                assert_eq!(in_cold(&lab, run, "more").await.unwrap(), [1; 5_000], "operation {n}");
            }
            assert_eq!(read(&lab.store, run, "result").await.unwrap(), b"r", "readable at any moment");
            lab.walk(eager()).await;
            lab.archived(run).await;
            assert_eq!(names(&lab.store, run).await, ["module", "more", "result"]);
            assert_eq!(in_cold(&lab, run, "result").await.unwrap(), b"r");
        }
    }
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let plan = FaultPlan::none();
    let recorder = begin_small(&lab.split(&plan, &FaultPlan::none()), run).await;
    let next = plan.operations() + 1;
    let _same = plan.clone().lose_nth(next).fail_nth(next + 1);
    put(&recorder, "result", b"r").await;
    assert_eq!(plan.injected(), 2);
    assert_eq!(in_hot(&lab, run).await, [("result".to_owned(), true)]);
}

#[tokio::test]
async fn a_dead_worker_leaves_what_it_has_put() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let recorder = begin_small(&lab.store, run).await;
    put(&recorder, "partial", b"p").await;
    drop(recorder);
    lab.clock.advance(Duration::from_secs(120));
    lab.walk(KeeperOptions::default().with_patience(Duration::ZERO)).await;
    assert!(lab.hot.get(run).await.unwrap().unwrap().seal.is_some());
    assert_eq!(in_cold(&lab, run, "partial").await.unwrap(), b"p");
}

/// A restored run has room for its results, though a keeper has brought what people put since.
#[tokio::test(start_paused = true)]
async fn copies_of_what_people_put_give_way_to_results() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let large = vec![7; MIB];
    for n in 0..6 {
        attach(&lab.store, run, &format!("p{n}"), &large).await.unwrap();
    }
    let plan = FaultPlan::none();
    let recorder = begin_small(&lab.faulty(&plan), run).await;
    for result in ["r0", "r1"] {
        put(&recorder, result, &large).await;
    }
    attach(&lab.store, run, "p6", &large).await.unwrap_err();
    lab.walk(eager()).await;
    plan.hold("hot.put_attachment");
    assert!(lab.hot.lose(run));
    recorder.log("finds out").await.unwrap();
    plan.seen("hot.put_attachment", 3).await;
    lab.walk(eager()).await;
    assert!(in_hot(&lab, run).await.len() >= 7, "a keeper was quicker");
    plan.mend();
    tokio::time::timeout(Duration::from_secs(60), end_small(&recorder)).await.unwrap();
    let kept = in_hot(&lab, run).await;
    assert!(kept.contains(&("r0".to_owned(), true)) && kept.contains(&("r1".to_owned(), true)), "{kept:?}");
    lab.walk(eager()).await;
    for any in ["p0", "p6", "r0", "r1"] {
        assert_eq!(in_cold(&lab, run, any).await.map(|bytes| bytes.len()), Some(MIB), "{any}");
    }
    lab.archived(run).await;
}
