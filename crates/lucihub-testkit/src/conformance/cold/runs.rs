//! Runs: create, get, update, delete.

use lucihub_models_core::cold::{Archived, ColdRun, Created, PendingRun, RunUpdate};
use lucihub_models_core::{
    Channel, DeviceType, Grid, JobType, Overload, PageRequest, Phase, PhaseChange, RunFilter, RunHead, RunState,
    StateChange, TimeBase,
};

use super::Store;
use super::given::{
    after_states, archive, at, cells, checkpoint, create, full_head, head, id, json, lines, refusal, samples, value,
};

/// A new run reads back whole; an absent one is `None`.
pub async fn a_new_run_reads_back_whole(store: Store) {
    for head in [head(1), full_head(2)] {
        create(&*store, &head).await;
        let run = store.get(head.id).await.unwrap().unwrap();
        assert_eq!(run.head, head);
        assert_eq!((run.positions.lines, run.positions.sample(0)), (0, 0));
        assert_eq!(run.archived, None);
    }
    assert_eq!(store.get(id(3)).await.unwrap(), None);
}

/// The same content again succeeds at every stage of the run's life, and
/// changes nothing.
pub async fn create_is_idempotent(store: Store) {
    let queued = full_head(1);
    create(&*store, &queued).await;
    for stage in 0..6 {
        match stage {
            1 => {
                let labels = Some([("series".into(), "new".into())].into());
                store.update(queued.id, &RunUpdate { labels, ..RunUpdate::default() }).await.unwrap();
            }
            2 => assert!(store.mirror(&after_states(&queued, 3)).await.unwrap()),
            3 => checkpoint(&*store, queued.id, &cells([lines(0..3)], [samples(0, 0..9)])).await,
            4 => drop(archive(&*store, &queued).await),
            5 => {
                let update = RunUpdate { output: Some(json("7")), error: Some("none".into()), ..RunUpdate::default() };
                store.update(queued.id, &update).await.unwrap();
            }
            _ => {}
        }
        let before = store.get(queued.id).await.unwrap();
        assert_eq!(store.create(&queued).await.unwrap(), Created::Existing, "at stage {stage}");
        assert_eq!(store.get(queued.id).await.unwrap(), before, "at stage {stage}");
    }
}

/// The same id with anything else in the head is refused, also where the
/// stored run has come to look like it.
pub async fn create_with_other_content_is_refused(store: Store) {
    let queued = full_head(1);
    create(&*store, &queued).await;
    let changes: [fn(&mut RunHead); 10] = [
        |head| head.job_type = JobType::Verify,
        |head| head.created_at = at(7),
        |head| head.states[0] = StateChange::new(RunState::Queued, at(1)),
        |head| head.owner = Some("Ada".into()),
        |head| head.owner = None,
        |head| drop(head.labels.insert("step".into(), "5".into())),
        // The same value, in other bytes.
        |head| head.input = Some(json("{ \"ic\": -0.0, \"k\": 1e4 }")),
        |head| head.channels.push(Channel::default()),
        |head| head.priority = None,
        |head| head.grid = Grid::default(),
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut other = queued.clone();
        change(&mut other);
        assert_eq!(refusal(&store.create(&other).await), "AlreadyExists", "change {number}");
    }
    assert_eq!(store.get(queued.id).await.unwrap().unwrap().head, queued);

    let mut relabelled = queued.clone();
    relabelled.labels = [("step".into(), "5".into())].into();
    let labels = Some(relabelled.labels.clone());
    store.update(queued.id, &RunUpdate { labels, ..RunUpdate::default() }).await.unwrap();
    assert_eq!(refusal(&store.create(&relabelled).await), "AlreadyExists", "it was created with other labels");
}

/// What `RunHead::check_new` refuses is `Invalid`, and nothing of it is there.
pub async fn create_refuses_what_a_new_run_may_not_have(store: Store) {
    let changes: [fn(&mut RunHead); 18] = [
        |head| head.states.clear(),
        |head| head.states[0].state = RunState::InProgress,
        |head| head.states.push(StateChange::new(RunState::InProgress, at(2))),
        |head| head.output = Some(json("1")),
        |head| head.phases.push(PhaseChange::new(Phase::Ic, at(2))),
        |head| head.overloads.push(Overload::new("/0", at(2))),
        |head| head.grid.samples = 1_000,
        |head| head.grid.lines = 0,
        |head| head.input = Some(json("{\"a\": 1, \"a\": 2}")),
        |head| head.input = Some(json(&format!("{}{}", "[".repeat(65), "]".repeat(65)))),
        |head| head.input = Some(json(&format!("\"{}\"", "x".repeat(1024 * 1024 - 1)))),
        |head| head.labels = (0..65).map(|n| (n.to_string(), String::new())).collect(),
        |head| head.channels = vec![Channel::default(); 4097],
        |head| head.owner = Some("o".repeat(257)),
        |head| head.job_type = JobType::Other("t".repeat(257)),
        |head| head.device_type = Some(DeviceType::Other("d".repeat(257))),
        |head| head.worker = Some("w".repeat(4097)),
        |head| head.time_base = Some(TimeBase::from_rate(f64::NAN)),
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut bad = full_head(1);
        change(&mut bad);
        assert_eq!(refusal(&store.create(&bad).await), "Invalid", "change {number}");
    }
    assert_eq!(store.get(id(1)).await.unwrap(), None);
    assert!(store.list(&RunFilter::default(), &PageRequest::default()).await.unwrap().runs.is_empty());
    assert_eq!(store.pending(None, 10).await.unwrap(), []);
}

/// Each limit is a limit that may be reached.
pub async fn a_run_at_every_limit_is_taken(store: Store) {
    let mut most = full_head(1);
    most.input = Some(json(&format!("\"{}\"", "x".repeat(1024 * 1024 - 2))));
    most.labels = (0..64).map(|n| (format!("{n:0128}"), "v".repeat(1024))).collect();
    most.channels = vec![Channel::named("n".repeat(64)); 4096];
    // Words that no engine compresses below the largest row of its indexes, and what costs an engine most to write.
    let word = |seed: u32, nul: &str| -> String {
        let hex = (0..64).map(|n| format!("{:04x}", value(seed, n).to_bits() >> 20 & 0xffff));
        hex.collect::<String>().replace('0', nul)
    };
    most.owner = Some(word(0, "0"));
    most.job_type = JobType::Other(word(1, "\0"));
    most.device_type = Some(DeviceType::Other("\0".repeat(256)));
    most.device = Some("d".repeat(128).parse().unwrap());
    most.input_type = Some("i".repeat(4096).as_str().into());
    create(&*store, &most).await;
    assert_eq!(store.get(most.id).await.unwrap().unwrap().head, most);
    let page = store.list(&RunFilter::default(), &PageRequest::default()).await.unwrap();
    assert_eq!((page.runs.len(), page.runs[0].channels), (1, 4096));
    most.states.push(StateChange::new(RunState::Other(word(2, "\0")), at(2)));
    assert!(store.mirror(&most).await.unwrap());
    assert_eq!(store.get(most.id).await.unwrap().unwrap().head, most);
}

/// Labels change as a whole, before and after the run was archived.
pub async fn labels_change_at_any_time(store: Store) {
    let queued = full_head(1);
    create(&*store, &queued).await;
    for stage in ["queued", "mirrored", "archived"] {
        match stage {
            "mirrored" => assert!(store.mirror(&after_states(&queued, 2)).await.unwrap()),
            "archived" => drop(archive(&*store, &queued).await),
            _ => {}
        }
        let before = store.get(queued.id).await.unwrap().unwrap();
        for labels in [[("stage".to_owned(), stage.to_owned())].into(), std::collections::BTreeMap::new()] {
            let update = RunUpdate { labels: Some(labels.clone()), ..RunUpdate::default() };
            store.update(queued.id, &update).await.unwrap();
            // Leaving everything as it is changes nothing.
            store.update(queued.id, &RunUpdate::default()).await.unwrap();
            let mut expected = before.clone();
            expected.head.labels.clone_from(&labels);
            assert_eq!(store.get(queued.id).await.unwrap(), Some(expected), "{stage}");
            let page = store.list(&RunFilter::default(), &PageRequest::default()).await.unwrap();
            assert_eq!(page.runs[0].labels, labels, "{stage}");
        }
    }
}

/// Before the archive, output and error are the worker's, and a refused update
/// changes nothing at all; after it they are people's.
pub async fn output_and_error_change_once_archived(store: Store) {
    let queued = full_head(1);
    create(&*store, &queued).await;
    assert!(store.mirror(&after_states(&queued, 4)).await.unwrap());
    let before = store.get(queued.id).await.unwrap();
    let labels = Some([("late".into(), "yes".into())].into());
    let output = RunUpdate { labels: labels.clone(), output: Some(json("1")), error: None };
    let error = RunUpdate { labels, output: None, error: Some("why".into()) };
    for update in [&output, &error] {
        assert_eq!(refusal(&store.update(queued.id, update).await), "Precondition");
        assert_eq!(store.get(queued.id).await.unwrap(), before);
    }

    let commit = archive(&*store, &queued).await;
    store.update(queued.id, &output).await.unwrap();
    let run = store.get(queued.id).await.unwrap().unwrap();
    assert_eq!((run.head.output, run.head.error), (Some(json("1")), commit.head.error));
    store.update(queued.id, &error).await.unwrap();
    let run = store.get(queued.id).await.unwrap().unwrap();
    assert_eq!((run.head.output, run.head.error.as_deref()), (Some(json("1")), Some("why")));
    assert_eq!(run.archived, Some(Archived { at: commit.at, digest: commit.digest }));
    let page = store.list(&RunFilter::default(), &PageRequest::default()).await.unwrap();
    assert_eq!(page.runs[0].error.as_deref(), Some("why"));
}

/// An update past a limit is `Invalid` and changes nothing; of an absent run it
/// is `NotFound`.
pub async fn updates_are_checked_first(store: Store) {
    let queued = full_head(1);
    create(&*store, &queued).await;
    archive(&*store, &queued).await;
    let before = store.get(queued.id).await.unwrap();
    let label = |name: &str, value: &str| Some([(name.to_owned(), value.to_owned())].into());
    let none = RunUpdate::default();
    let good = RunUpdate { labels: label("a", "b"), output: Some(json("1")), error: Some("e".into()) };
    for update in [
        RunUpdate { labels: Some((0..65).map(|n| (n.to_string(), String::new())).collect()), ..good.clone() },
        RunUpdate { labels: label("", "b"), ..good.clone() },
        RunUpdate { labels: label("a", &"b".repeat(1025)), ..good.clone() },
        RunUpdate { labels: label(&"a".repeat(129), "b"), ..good.clone() },
        RunUpdate { output: Some(json("{\"a\": NaN}")), ..good.clone() },
        RunUpdate { output: Some(json("")), ..none.clone() },
        RunUpdate { output: Some(json(&format!("\"{}\"", "x".repeat(1024 * 1024 - 1)))), ..good.clone() },
        RunUpdate { error: Some("e".repeat(4097)), ..good.clone() },
    ] {
        assert_eq!(refusal(&store.update(queued.id, &update).await), "Invalid");
        assert_eq!(store.get(queued.id).await.unwrap(), before);
    }
    for update in [none, good] {
        assert_eq!(refusal(&store.update(id(2), &update).await), "NotFound");
    }
}

/// Nothing of a deleted run is left: not for readers, and not for a run that is
/// later created under its id. Its neighbour stays whole.
pub async fn delete_is_complete(store: Store) {
    let (doomed, neighbour) = (full_head(1), full_head(2));
    let all = cells([lines(0..4), lines(4..5)], [samples(0, 0..1_024), samples(2, 0..700)]);
    for queued in [&doomed, &neighbour] {
        create(&*store, queued).await;
        checkpoint(&*store, queued.id, &all).await;
    }
    for archived in [false, true] {
        if archived {
            archive(&*store, &doomed).await;
        }
        assert!(store.delete(doomed.id).await.unwrap());
        assert!(!store.delete(doomed.id).await.unwrap(), "it is gone already");
        assert_eq!(store.get(doomed.id).await.unwrap(), None);
        assert_eq!(store.stored_bytes(doomed.id).await.unwrap(), None);
        let page = store.list(&RunFilter::default(), &PageRequest::default()).await.unwrap();
        assert_eq!(page.runs.iter().map(|run| run.id).collect::<Vec<_>>(), [neighbour.id]);
        let open = PendingRun { id: neighbour.id, created_at: neighbour.created_at, states: 1 };
        assert_eq!(store.pending(None, 10).await.unwrap(), [open]);

        // Under the same id, even with other content, a new run begins empty.
        let mut again = doomed.clone();
        again.owner = Some("grace".into());
        again.labels.clear();
        for run in [again, doomed.clone()] {
            create(&*store, &run).await;
            let ColdRun { head, positions, archived } = store.get(run.id).await.unwrap().unwrap();
            assert_eq!((head, archived), (run.clone(), None));
            assert_eq!((positions.lines, positions.sample(0), positions.sample(2)), (0, 0, 0));
            assert_eq!(store.log_cells(run.id, 0..10).await.unwrap(), []);
            assert_eq!(store.sample_cells(run.id, 0, 0..10).await.unwrap(), []);
            assert_eq!(store.summaries(run.id, 2, 0..10).await.unwrap(), []);
            if run.owner != doomed.owner {
                assert!(store.delete(run.id).await.unwrap());
            }
        }
        checkpoint(&*store, doomed.id, &all).await;
    }
    let run = store.get(neighbour.id).await.unwrap().unwrap();
    assert_eq!((run.positions.lines, run.positions.sample(0), run.positions.sample(2)), (5, 1_024, 700));
    assert_eq!(store.log_cells(neighbour.id, 0..10).await.unwrap(), all.lines);
    assert_eq!(store.sample_cells(neighbour.id, 2, 0..10).await.unwrap(), all.samples[1..]);
}
