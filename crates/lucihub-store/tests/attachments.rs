//! Attachments on their whole way: to a worker, from it, and into the archive.

use std::sync::Arc;
use std::time::Duration;

use lucihub_models_core::cold::{ColdDevices, ColdRuns, SeenFields};
use lucihub_models_core::hot::HotStore;
use lucihub_models_core::{DeviceId, DeviceType, NewAttachment, RunState, StoreError, Timestamp};
use lucihub_store::record::Failure;
use lucihub_store::{Keeper, KeeperOptions, RecordError, Store, Urls};
use lucihub_testkit::{FaultPlan, models};

use crate::lab::attached::{MIB, attach, called, given, in_cold, in_hot, name, names, put, read};
use crate::lab::{begin_small, clean_walk, eager, end_small, lab, small};

#[tokio::test]
async fn small_ones_reach_a_worker_and_results_are_archived() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    attach(&lab.store, run, "module", &[7; 1_000]).await.unwrap();
    attach(&lab.store, run, "large", &vec![1; MIB + 1]).await.unwrap();
    let recorder = begin_small(&lab.store, run).await;
    assert_eq!(given(&recorder, "module").await.unwrap(), [7; 1_000]);
    assert_eq!(given(&recorder, "large").await, None, "large ones do not go through hot storage");
    put(&recorder, "report", b"first").await;
    put(&recorder, "report", b"all well").await;
    put(&recorder, "empty", b"").await;
    let known: Vec<_> = recorder.attachments().await.unwrap().into_iter().map(|known| known.by_worker).collect();
    assert_eq!(known, [true, false, true]);

    // Whoever reads has them before any keeper came by.
    let all = ["empty", "large", "module", "report"];
    assert_eq!(names(&lab.store, run).await, all);
    assert_eq!(read(&lab.store, run, "report").await.unwrap(), b"all well");
    assert_eq!(in_cold(&lab, run, "report").await, None);
    end_small(&recorder).await;
    let report = lab.walk(KeeperOptions::default()).await;
    assert_eq!((report.attachments, report.archived), (2, 1));

    // History is readable without hot storage.
    let history = lab.split(&FaultPlan::none().down(1..u64::MAX), &FaultPlan::none());
    assert_eq!(names(&history, run).await, all);
    for (called, bytes) in [("empty", vec![]), ("large", vec![1; MIB + 1]), ("module", vec![7; 1_000])] {
        assert!(read(&history, run, called).await.unwrap() == bytes, "{called}");
    }
    assert_eq!(read(&history, run, "report").await.unwrap(), b"all well");
    // People's from now on.
    attach(&history, run, "report", b"corrected").await.unwrap();
    assert!(history.delete_attachment(run, &name("empty")).await.unwrap());
    assert_eq!(read(&lab.store, run, "report").await.unwrap(), b"corrected");
    assert_eq!(names(&lab.store, run).await, ["large", "module", "report"]);
    lab.walk(KeeperOptions::default()).await;
    assert_eq!(read(&lab.store, run, "report").await.unwrap(), b"corrected");

    assert!(lab.store.delete(run, false).await.unwrap());
    assert_eq!((names(&lab.store, run).await, read(&lab.store, run, "report").await), (vec![], None));
    assert!(matches!(attach(&lab.store, run, "a", b"").await, Err(StoreError::NotFound { .. })));
    assert!(!lab.store.delete_attachment(run, &name("a")).await.unwrap());
}

#[tokio::test]
async fn results_are_the_workers_until_the_archive() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    attach(&lab.store, run, "shared", b"people's").await.unwrap();
    let recorder = begin_small(&lab.store, run).await;
    put(&recorder, "shared", b"the worker's").await;
    for sealed in [false, true] {
        if sealed {
            end_small(&recorder).await;
        }
        let refused = [
            attach(&lab.store, run, "shared", b"people's again").await.unwrap_err(),
            lab.store.delete_attachment(run, &name("shared")).await.unwrap_err(),
        ];
        for error in refused {
            assert!(matches!(error, StoreError::Precondition { .. }), "{error}");
        }
        assert_eq!(read(&lab.store, run, "shared").await.unwrap(), b"the worker's");
        assert_eq!(names(&lab.store, run).await, ["shared"]);
        assert_eq!(in_cold(&lab, run, "shared").await.unwrap(), b"people's");
    }
    attach(&lab.store, run, "late", b"of a run that has ended").await.unwrap();
    let error = recorder.attach(called("too-late"), &b"x"[..]).await.unwrap_err();
    assert!(matches!(error, RecordError::Failed { failure: Failure::Closed | Failure::Sealed(_), .. }), "{error}");
    lab.walk(KeeperOptions::default()).await;
    assert_eq!(names(&lab.store, run).await, ["late", "shared"]);
    assert_eq!(read(&lab.store, run, "shared").await.unwrap(), b"the worker's");
}

#[tokio::test]
async fn people_change_theirs_while_the_run_is_open() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    attach(&lab.store, run, "a", b"1").await.unwrap();
    attach(&lab.store, run, "b", b"1").await.unwrap();
    attach(&lab.store, run, "c", b"1").await.unwrap();
    attach(&lab.store, run, "a", b"2").await.unwrap();
    attach(&lab.store, run, "b", &vec![2; 2 * MIB]).await.unwrap();
    assert!(lab.store.delete_attachment(run, &name("c")).await.unwrap());
    assert!(!lab.store.delete_attachment(run, &name("c")).await.unwrap());
    let recorder = begin_small(&lab.store, run).await;
    for _ in 0..2 {
        assert_eq!(in_hot(&lab, run).await, [("a".to_owned(), false)]);
        assert_eq!(given(&recorder, "a").await.unwrap(), b"2");
        assert_eq!(names(&lab.store, run).await, ["a", "b"]);
        // A keeper changes nothing.
        lab.walk(eager()).await;
    }
}

#[tokio::test]
async fn what_is_past_a_limit_is_refused() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let recorder = begin_small(&lab.store, run).await;
    let error = recorder.attach(called("a"), vec![0; MIB + 1]).await.unwrap_err();
    assert!(matches!(error, RecordError::Invalid(_)), "{error}");
    let error = recorder.attach(NewAttachment::new(name("a"), "text"), &b"a"[..]).await.unwrap_err();
    assert!(matches!(error, RecordError::Invalid(_)), "{error}");
    for number in 0..8 {
        put(&recorder, &format!("n{number}"), &vec![number; MIB]).await;
    }
    let error = recorder.attach(called("a"), &b"a"[..]).await.unwrap_err();
    assert!(matches!(error, RecordError::Store(StoreError::Full { .. })), "{error}");
    let error = attach(&lab.store, run, "p", b"p").await.unwrap_err();
    assert!(matches!(&error, StoreError::Full { why, .. } if why.contains("in cold storage all the same")), "{error}");
    assert_eq!(in_cold(&lab, run, "p").await.unwrap(), b"p");
    assert!(matches!(attach(&lab.store, run, "q", &vec![0; 64 * MIB + 1]).await, Err(StoreError::Invalid(_))));
    // What was refused comes not back with a restore, and holds nothing up.
    assert!(lab.hot.lose(run));
    recorder.log("on").await.unwrap();
    end_small(&recorder).await;
    assert_eq!(in_hot(&lab, run).await.len(), 8);
    lab.walk(KeeperOptions::default()).await;
    lab.archived(run).await;
    assert_eq!(names(&lab.store, run).await.len(), 9);
}

#[tokio::test]
async fn a_worker_without_cold_storage_attaches() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    attach(&lab.store, run, "module", b"m").await.unwrap();
    let alone = Store::open(&Urls::new("none:", "none:")).await.unwrap();
    let hot: Arc<dyn HotStore> = lab.hot.clone();
    let worker = Store::builder(hot, alone.cold().clone()).build();
    let recorder = begin_small(&worker, run).await;
    assert_eq!(given(&recorder, "module").await.unwrap(), b"m");
    put(&recorder, "result", b"r").await;
    end_small(&recorder).await;
    lab.walk(KeeperOptions::default()).await;
    assert_eq!(in_cold(&lab, run, "result").await.unwrap(), b"r");
    assert!(matches!(worker.attachments(run).await, Err(StoreError::Unavailable { .. })), "it says what is missing");
}

#[tokio::test]
async fn devices_have_attachments_too() {
    let lab = lab();
    let id: DeviceId = "lucidac-1".parse().unwrap();
    let seen = SeenFields {
        id: id.clone(),
        device_type: DeviceType::Lucidac,
        firmware: None,
        entity_digest: None,
        seen_at: Timestamp::EPOCH,
    };
    assert!(matches!(attach(&lab.store, id.clone(), "entity", b"{}").await, Err(StoreError::NotFound { .. })));
    lab.cold.put_seen(&seen).await.unwrap();
    attach(&lab.store, id.clone(), "entity", b"{}").await.unwrap();
    assert_eq!(names(&lab.store, id.clone()).await, ["entity"]);
    assert_eq!(read(&lab.store, id.clone(), "entity").await.unwrap(), b"{}");
    assert!(lab.store.delete_attachment(id.clone(), &name("entity")).await.unwrap());
    assert_eq!(read(&lab.store, id, "entity").await, None);
}

/// A keeper keeps the entity that a scanner has seen, as an attachment of the device.
#[tokio::test]
async fn the_entity_of_a_device_is_kept() {
    let lab = lab();
    let keeper = Keeper::new(lab.store.clone(), eager());
    let mut seen = models::device_seen(1, "scanner");
    for (entity, kept) in
        [(None, None), (Some(&b"{1}"[..]), Some(&b"{1}"[..])), (Some(b"{2}"), Some(b"{2}")), (None, Some(b"{2}"))]
    {
        lab.clock.advance(Duration::from_secs(1));
        seen.entity = entity.map(Arc::from);
        lab.store.announce(&seen, Duration::from_secs(180)).await.unwrap();
        for _ in 0..2 {
            clean_walk(&keeper).await;
            assert_eq!(read(&lab.store, seen.id.clone(), "entity").await.as_deref(), kept);
        }
    }
    // Whatever people do with it is theirs, until it changes.
    assert!(lab.store.delete_attachment(seen.id.clone(), &name("entity")).await.unwrap());
    // A device that is full of people's attachments keeps nothing waiting.
    for number in 0..64 {
        attach(&lab.store, seen.id.clone(), &format!("n{number}"), b"x").await.unwrap();
    }
    lab.clock.advance(Duration::from_secs(1));
    seen.entity = Some(Arc::from(&b"{3}"[..]));
    lab.store.announce(&seen, Duration::from_secs(180)).await.unwrap();
    clean_walk(&keeper).await;
    assert_eq!(read(&lab.store, seen.id.clone(), "entity").await, None);
}

#[tokio::test]
async fn a_cancelled_run_keeps_what_was_put() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    attach(&lab.store, run, "module", b"m").await.unwrap();
    lab.store.cancel(run, None).await.unwrap();
    lab.walk(KeeperOptions::default()).await;
    assert_eq!(*lab.cold.get(run).await.unwrap().unwrap().head.state(), RunState::Cancelled);
    assert_eq!(read(&lab.store, run, "module").await.unwrap(), b"m");
}
