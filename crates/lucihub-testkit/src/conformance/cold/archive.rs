//! The way into the archive: mirror, checkpoint, commit, release.

use std::sync::Arc;

use lucihub_models_core::cold::{Archived, Checkpoint, Committed, GrownCell, RunUpdate};
use lucihub_models_core::{
    Channel, Digest, Gap, GapCause, LogLine, PageRequest, Phase, PhaseChange, RunFilter, RunHead, SampleCell, Series,
};

use super::Store;
use super::given::{
    after_states, archive, at, cells, checkpoint, commit, create, full_head, head, id, json, lines, refusal, samples,
    value,
};

/// The mirror takes each further head whole and ignores those with fewer states.
pub async fn the_mirror_goes_forward_only(store: Store) {
    let queued = full_head(1);
    create(&*store, &queued).await;
    let heads: Vec<_> = (1..=4).map(|states| after_states(&queued, states)).collect();
    let mut mirrored = 0;
    for next in [0, 1, 0, 2, 2, 1, 0, 3, 2, 0, 3] {
        assert!(store.mirror(&heads[next]).await.unwrap(), "the mirror has at least these states");
        mirrored = mirrored.max(next);
        assert_eq!(store.get(queued.id).await.unwrap().unwrap().head, heads[mirrored]);
    }
}

/// A head with as many states as the mirror brings what else has changed.
pub async fn the_mirror_renews_within_a_state(store: Store) {
    let queued = full_head(1);
    create(&*store, &queued).await;
    let mut running = after_states(&queued, 2);
    assert!(store.mirror(&running).await.unwrap());
    running.phases.push(PhaseChange::new(Phase::Op, at(103)));
    running.channels.push(Channel::named("z"));
    running.worker = Some("worker-3".into());
    assert!(store.mirror(&running).await.unwrap());
    assert_eq!(store.get(queued.id).await.unwrap().unwrap().head, running);
    let page = store.list(&RunFilter::default(), &PageRequest::default()).await.unwrap();
    assert_eq!(page.runs[0].channels, 3);
}

/// A head that comes with cells is mirrored with them, by the same rule: an older one changes nothing, and an archived
/// run takes neither.
pub async fn a_checkpoint_brings_its_head(store: Store) {
    let queued = full_head(1);
    create(&*store, &queued).await;
    let [one, two] = [1, 2].map(|states| Arc::new(after_states(&queued, states)));
    let with = |line: u64, head: &Arc<RunHead>| {
        let mut cells = cells([lines(0..line)], []);
        cells.head = Some(head.clone());
        cells
    };
    assert!(store.checkpoint(queued.id, &with(2, &two)).await.unwrap());
    let stored = store.get(queued.id).await.unwrap().unwrap();
    assert_eq!((&stored.head, stored.positions.lines), (&*two, 2));
    let page = store.list(&RunFilter::default(), &PageRequest::default()).await.unwrap();
    assert_eq!(page.runs[0].state(), two.state());

    assert!(store.checkpoint(queued.id, &with(3, &one)).await.unwrap(), "the cells count, the older head does not");
    let stored = store.get(queued.id).await.unwrap().unwrap();
    assert_eq!((&stored.head, stored.positions.lines), (&*two, 3));

    let archived = archive(&*store, &queued).await;
    assert!(!store.checkpoint(queued.id, &with(4, &two)).await.unwrap());
    assert_eq!(store.get(queued.id).await.unwrap().unwrap().head, archived.head);
}

/// Labels are people's: neither mirror nor commit brings any or takes any away.
pub async fn labels_stay_through_mirror_and_commit(store: Store) {
    let queued = full_head(1);
    create(&*store, &queued).await;
    let mut expected = after_states(&queued, 2);
    let mut stranger = expected.clone();
    stranger.labels = [("of".into(), "hot storage".into())].into();
    assert!(store.mirror(&stranger).await.unwrap());
    assert_eq!(store.get(queued.id).await.unwrap().unwrap().head, expected, "labels of the creation");

    expected.labels = [("of".into(), "people".into())].into();
    let labels = Some(expected.labels.clone());
    store.update(queued.id, &RunUpdate { labels, ..RunUpdate::default() }).await.unwrap();
    assert!(store.mirror(&stranger).await.unwrap());
    assert_eq!(store.get(queued.id).await.unwrap().unwrap().head, expected, "labels of the update");

    let commit = archive(&*store, &queued).await;
    let run = store.get(queued.id).await.unwrap().unwrap();
    assert_eq!(run.head.labels, expected.labels);
    assert_ne!(run.head.labels, commit.head.labels);
    let page = store.list(&RunFilter::default(), &PageRequest::default()).await.unwrap();
    assert_eq!(page.runs[0].labels, expected.labels);
}

/// An archived run takes neither mirror nor cells.
pub async fn an_archived_run_stands_still(store: Store) {
    let queued = full_head(1);
    create(&*store, &queued).await;
    checkpoint(&*store, queued.id, &cells([lines(0..2)], [samples(0, 0..9)])).await;
    let commit = archive(&*store, &queued).await;
    let before = store.get(queued.id).await.unwrap();

    assert!(store.mirror(&after_states(&queued, 2)).await.unwrap(), "it has these states");
    let mut longer = commit.head.clone();
    longer.worker = Some("a ghost".into());
    assert!(store.mirror(&longer).await.unwrap(), "it has these states");
    longer.states.push(longer.states[1].clone());
    assert!(!store.mirror(&longer).await.unwrap(), "it does not have these states");
    let late = cells([lines(0..4), lines(4..5)], [samples(0, 0..1_024), samples(1, 0..5)]);
    assert!(!store.checkpoint(queued.id, &late).await.unwrap());

    assert_eq!(store.get(queued.id).await.unwrap(), before);
    assert_eq!(store.log_cells(queued.id, 0..9).await.unwrap(), [lines(0..2)]);
    assert_eq!(store.sample_cells(queued.id, 0, 0..9).await.unwrap(), [samples(0, 0..9)]);
    assert_eq!(store.sample_cells(queued.id, 1, 0..9).await.unwrap(), []);
}

/// Without a run there is no mirror, no checkpoint, no commit, no release.
pub async fn an_absent_run_takes_nothing(store: Store) {
    let queued = full_head(1);
    let some = cells([lines(0..4)], [samples(0, 0..9)]);
    for deleted in [false, true] {
        if deleted {
            create(&*store, &queued).await;
            checkpoint(&*store, queued.id, &some).await;
            assert!(store.delete(queued.id).await.unwrap());
        }
        assert_eq!(refusal(&store.mirror(&after_states(&queued, 2)).await), "NotFound");
        for cells in [&some, &cells([], [])] {
            assert_eq!(refusal(&store.checkpoint(queued.id, cells).await), "NotFound");
        }
        assert_eq!(refusal(&store.commit(&commit(&queued, 1)).await), "NotFound");
        assert!(!store.release(queued.id).await.unwrap());
        assert_eq!(store.get(queued.id).await.unwrap(), None);
        assert_eq!(store.log_cells(queued.id, 0..9).await.unwrap(), []);
        assert_eq!(store.sample_cells(queued.id, 0, 0..9).await.unwrap(), []);
        assert_eq!(store.summaries(queued.id, 0, 0..9).await.unwrap(), []);
    }
}

/// Of two cells under one key the longer one stays, whichever came first, also
/// within one checkpoint.
pub async fn the_longer_cell_stays(store: Store) {
    let queued = head(1);
    create(&*store, &queued).await;
    for (ends, longest) in [(&[300, 200][..], 300), (&[301, 299, 900, 1], 900), (&[900], 900), (&[1_000, 1_024], 1_024)]
    {
        let samples_of = |end: &u64| samples(3, 2_048..2_048 + end);
        let lines_of = |end: &u64| lines(8..8 + end.div_ceil(300));
        let all = cells(ends.iter().map(lines_of).collect::<Vec<_>>(), ends.iter().map(samples_of).collect::<Vec<_>>());
        checkpoint(&*store, queued.id, &all).await;
        assert_eq!(store.sample_cells(queued.id, 3, 0..9).await.unwrap(), [samples_of(&longest)]);
        assert_eq!(store.log_cells(queued.id, 0..9).await.unwrap(), [lines_of(&longest)]);
        let summaries = store.summaries(queued.id, 3, 0..9).await.unwrap();
        assert_eq!((summaries.len(), summaries[0].end), (1, 2_048 + longest));
    }
}

/// A cell that is longer because hot storage lost its beginning does not replace what was written meanwhile.
pub async fn a_loss_takes_nothing_away(store: Store) {
    let queued = head(1);
    create(&*store, &queued).await;
    let lost_lines = |lost: std::ops::Range<usize>, count: u64| {
        let mut cell = lines(4..4 + count);
        cell.lines[lost].fill(LogLine::lost());
        cell
    };
    let lost_samples = |lost: std::ops::Range<u64>, end: u64| {
        let mut series = samples(0, 0..lost.start).series;
        series.push_gap(Gap::new(lost.clone(), GapCause::Store));
        series.push_values(&(lost.end..end).map(|index| value(0, index)).collect::<Vec<_>>());
        SampleCell { channel: 0, cell: 0, series }
    };
    // Lost for good: nothing was written of it.
    let (known_lines, known) = (lost_lines(0..1, 2), lost_samples(100..200, 300));
    checkpoint(&*store, queued.id, &cells([known_lines.clone()], [known.clone()])).await;
    for (cut_lines, cut) in [
        (vec![lost_lines(0..2, 3)], vec![]),
        (vec![], vec![lost_samples(99..200, 400)]),
        (vec![], vec![lost_samples(100..201, 400)]),
        (vec![lines(0..1)], vec![samples(1, 0..9), lost_samples(0..400, 500)]),
    ] {
        let taken = store.checkpoint(queued.id, &cells(cut_lines, cut)).await;
        assert_eq!(refusal(&taken), "Precondition");
    }
    if let Some(begun) = store.begin_cell(None, lost_samples(0..400, 500)).await.unwrap() {
        let grown = vec![GrownCell { begun, rest: Series::starting_at(500) }];
        let taken = store.checkpoint(queued.id, &Checkpoint { grown, ..Checkpoint::default() }).await;
        assert_eq!(refusal(&taken), "Precondition");
    }
    assert_eq!(store.log_cells(queued.id, 0..9).await.unwrap(), [known_lines], "and nothing else was written");
    assert_eq!(store.sample_cells(queued.id, 0, 0..9).await.unwrap(), [known]);
    assert_eq!(store.sample_cells(queued.id, 1, 0..9).await.unwrap(), []);

    // Shorter ones change nothing, and what goes on where the stored one ended takes nothing.
    checkpoint(&*store, queued.id, &cells([lost_lines(0..2, 2)], [lost_samples(0..200, 300)])).await;
    let (longer_lines, longer) = (lost_lines(0..1, 4), lost_samples(100..200, 400));
    checkpoint(&*store, queued.id, &cells([longer_lines.clone()], [longer.clone()])).await;
    assert_eq!(store.log_cells(queued.id, 0..9).await.unwrap(), [longer_lines]);
    assert_eq!(store.sample_cells(queued.id, 0, 0..9).await.unwrap(), [longer]);
}

/// Positions rise with each checkpoint, channel by channel, and never fall.
pub async fn positions_rise_and_never_fall(store: Store) {
    let queued = head(1);
    create(&*store, &queued).await;
    let steps = [
        (cells([], [samples(2, 0..7)]), 0, [0, 0, 7]),
        (cells([lines(0..3)], [samples(0, 0..1_024), samples(0, 1_024..1_030)]), 3, [1_030, 0, 7]),
        (cells([lines(0..2)], [samples(0, 0..1_024), samples(2, 0..6)]), 3, [1_030, 0, 7]),
        (cells([], []), 3, [1_030, 0, 7]),
        // The earlier cell of a later position.
        (cells([lines(4..6), lines(0..4)], [samples(1, 2_048..2_050), samples(1, 0..1_024)]), 6, [1_030, 2_050, 7]),
    ];
    for (step, (cells, line, [a, b, c])) in steps.into_iter().enumerate() {
        checkpoint(&*store, queued.id, &cells).await;
        let at = store.get(queued.id).await.unwrap().unwrap().positions;
        assert_eq!((at.lines, at.sample(0), at.sample(1), at.sample(2)), (line, a, b, c), "step {step}");
    }
}

/// A commit is whole, and the same again changes nothing, whatever has been
/// changed since.
pub async fn commit_is_whole_and_idempotent(store: Store) {
    let queued = full_head(1);
    create(&*store, &queued).await;
    checkpoint(&*store, queued.id, &cells([lines(0..4), lines(4..5)], [samples(0, 0..1_024)])).await;
    let first = archive(&*store, &queued).await;
    let run = store.get(queued.id).await.unwrap().unwrap();
    assert_eq!((&run.head, &run.positions), (&first.head, &first.positions));
    assert_eq!(run.archived, Some(Archived { at: first.at, digest: first.digest }));

    let labels = Some([("kept".into(), "yes".into())].into());
    let update = RunUpdate { labels, output: Some(json("\"changed\"")), error: Some("changed".into()) };
    store.update(queued.id, &update).await.unwrap();
    let before = store.get(queued.id).await.unwrap();
    let mut later = first.clone();
    later.at = at(500);
    assert_eq!(store.commit(&later).await.unwrap(), Committed::Existing);
    assert_eq!(store.get(queued.id).await.unwrap(), before);

    later.digest = Digest::of(b"other");
    later.head.owner = None;
    assert_eq!(refusal(&store.commit(&later).await), "Precondition");
    assert_eq!(store.get(queued.id).await.unwrap(), before);
    let page = store.list(&RunFilter::default(), &PageRequest::default()).await.unwrap();
    assert_eq!(page.runs[0].archived_at, Some(first.at));
}

/// A repair replaces cells of an archived run, whatever their length, and adds missing ones; the rest of the run stays.
/// It wants the digest that the run was archived with.
pub async fn repair_replaces_cells_of_one_digest(store: Store) {
    let queued = full_head(1);
    let good = cells([lines(0..2), lines(4..6)], [samples(0, 0..100), samples(1, 1_024..1_100)]);
    assert_eq!(refusal(&store.repair(queued.id, &good, Digest::of(&[1])).await), "NotFound");
    create(&*store, &queued).await;
    let longer = cells([lines(0..4), lines(4..8)], [samples(0, 0..900), samples(0, 1_024..1_030)]);
    checkpoint(&*store, queued.id, &longer).await;
    assert!(!store.repair(queued.id, &good, Digest::of(&[1])).await.unwrap(), "it is not archived");
    let digest = archive(&*store, &queued).await.digest;
    let before = store.get(queued.id).await.unwrap();
    assert!(!store.repair(queued.id, &good, Digest::of(b"other")).await.unwrap());
    assert_eq!(store.log_cells(queued.id, 0..9).await.unwrap(), [lines(0..4), lines(4..8)]);

    for _ in 0..2 {
        assert!(store.repair(queued.id, &good, digest).await.unwrap());
        assert_eq!(store.log_cells(queued.id, 0..9).await.unwrap(), [lines(0..2), lines(4..6)]);
        let kept = [samples(0, 0..100), samples(0, 1_024..1_030)];
        assert_eq!(store.sample_cells(queued.id, 0, 0..9).await.unwrap(), kept);
        assert_eq!(store.sample_cells(queued.id, 1, 0..9).await.unwrap(), [samples(1, 1_024..1_100)]);
        assert_eq!(store.summaries(queued.id, 0, 0..9).await.unwrap()[0].end, 100);
        assert_eq!(store.get(queued.id).await.unwrap(), before);
    }
}

/// What a run costs grows with what it has.
pub async fn stored_bytes_grow_with_what_is_stored(store: Store) {
    assert_eq!(store.stored_bytes(id(1)).await.unwrap(), None);
    let mut queued = head(1);
    create(&*store, &queued).await;
    let bare = store.stored_bytes(queued.id).await.unwrap().unwrap();
    assert!(bare.head > 0, "{bare:?}");
    assert_eq!((bare.lines, bare.samples, bare.summaries), (0, 0, 0));

    checkpoint(&*store, queued.id, &cells([lines(0..4)], [])).await;
    let logged = store.stored_bytes(queued.id).await.unwrap().unwrap();
    assert!(logged.lines > 0 && logged.samples == 0, "{logged:?}");
    checkpoint(&*store, queued.id, &cells([], [samples(0, 0..1_024)])).await;
    let sampled = store.stored_bytes(queued.id).await.unwrap().unwrap();
    assert!(sampled.samples > 0 && sampled.summaries > 0, "{sampled:?}");
    checkpoint(&*store, queued.id, &cells([], [samples(1, 0..1_024)])).await;
    let more = store.stored_bytes(queued.id).await.unwrap().unwrap();
    assert!(more.samples > sampled.samples && more.total() > sampled.total(), "{more:?}");

    queued = full_head(2);
    queued.input = Some(json(&format!("[{}]", (0..4_000).map(|n| n.to_string()).collect::<Vec<_>>().join(","))));
    create(&*store, &queued).await;
    let large = store.stored_bytes(queued.id).await.unwrap().unwrap();
    assert!(large.head > bare.head, "{large:?}");
}
