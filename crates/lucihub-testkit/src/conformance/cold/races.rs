//! Many keepers and many API servers at once.

use std::future::Future;
use std::sync::Arc;

use lucihub_models_core::cold::{Committed, Created};
use lucihub_models_core::{Digest, StoreError};
use tokio::sync::Barrier;

use super::Store;
use super::given::{after_states, cells, checkpoint, commit, create, full_head, head, id, lines, refusal, samples};

/// How many tasks race.
const RACERS: u64 = 8;

/// Runs tasks that all begin at once; their answers, by number.
pub(super) async fn race<T, F>(task: impl Fn(u64) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(usize::try_from(RACERS).unwrap()));
    let spawned: Vec<_> = (0..RACERS)
        .map(|n| {
            let (barrier, task) = (barrier.clone(), task(n));
            tokio::spawn(async move {
                barrier.wait().await;
                task.await
            })
        })
        .collect();
    let mut answers = Vec::new();
    for handle in spawned {
        answers.push(handle.await.unwrap());
    }
    answers
}

/// Of creates with the same content exactly one creates and all succeed.
pub async fn one_create_creates(store: Store) {
    for n in 1..=20 {
        let answers = race(|_| {
            let store = store.clone();
            async move { store.create(&full_head(n)).await.unwrap() }
        })
        .await;
        assert_eq!(answers.iter().filter(|answer| **answer == Created::Created).count(), 1, "{answers:?}");
        assert_eq!(store.get(id(n)).await.unwrap().unwrap().head, full_head(n));
    }
}

/// Of creates with different content exactly one succeeds, and it is the one
/// that is there.
pub async fn one_content_is_created(store: Store) {
    for n in 1..=20 {
        let content = move |owner: u64| {
            let mut head = head(n);
            head.owner = Some(owner.to_string());
            head
        };
        let answers = race(|owner| {
            let store = store.clone();
            async move { store.create(&content(owner)).await }
        })
        .await;
        let winners: Vec<u64> = (0..).zip(&answers).filter(|(_, a)| a.is_ok()).map(|(owner, _)| owner).collect();
        let refused = answers.iter().filter(|answer| refusal(answer) == "AlreadyExists").count();
        assert_eq!((winners.len(), refused), (1, answers.len() - 1), "{answers:?}");
        assert_eq!(store.get(id(n)).await.unwrap().unwrap().head, content(winners[0]));
    }
}

/// Keepers that cut the same run differently, and one that commits at its end,
/// leave the same cells, positions and digest.
pub async fn keepers_converge(store: Store) {
    const SAMPLES: u64 = 2_600;
    const LINES: u64 = 11;
    let queued = full_head(1);
    create(&*store, &queued).await;
    let mut end = commit(&queued, 1);
    end.positions.lines = LINES;
    end.positions.samples = vec![SAMPLES, SAMPLES - 700];
    let upto =
        |most: u64, size: u64| (0..most.div_ceil(size)).map(move |cell| cell * size..most.min((cell + 1) * size));
    let run_to = move |sample: u64, line: u64| {
        let of_channel = |channel: u32, end: u64| upto(end, 1_024).map(move |range| samples(channel, range));
        let samples: Vec<_> = of_channel(0, sample).chain(of_channel(1, sample.saturating_sub(700))).collect();
        cells(upto(line, 4).map(lines).collect::<Vec<_>>(), samples)
    };
    let answers = race(|n| {
        let (store, end) = (store.clone(), end.clone());
        async move {
            // Steps of another length each; the last one is the whole run.
            let step = 170 + 130 * n;
            let cuts = (1..).map(|k| (k * step).min(SAMPLES));
            for sample in cuts.take(usize::try_from(SAMPLES.div_ceil(step)).unwrap()) {
                let taken = store.checkpoint(id(1), &run_to(sample, sample * LINES / SAMPLES)).await.unwrap();
                if !taken {
                    // Another keeper archived it; it can only have done so with all cells there.
                    break;
                }
            }
            store.commit(&end).await.unwrap()
        }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| **answer == Committed::Committed).count(), 1, "{answers:?}");
    let whole = run_to(SAMPLES, LINES);
    assert_eq!(store.log_cells(id(1), 0..9).await.unwrap(), whole.lines);
    let mut stored = store.sample_cells(id(1), 0, 0..9).await.unwrap();
    stored.extend(store.sample_cells(id(1), 1, 0..9).await.unwrap());
    assert_eq!(stored, whole.samples);
    let run = store.get(id(1)).await.unwrap().unwrap();
    assert_eq!((&run.head, &run.positions, run.archived.unwrap().digest), (&end.head, &end.positions, end.digest));
}

/// Of commits with different digests one wins; its head and digest are there together.
pub async fn one_digest_is_committed(store: Store) {
    for n in 1..=10 {
        create(&*store, &full_head(n)).await;
        let by_racer = move |racer: u64| {
            let mut commit = commit(&full_head(n), 0);
            commit.digest = Digest::of(&racer.to_le_bytes());
            commit.head.worker = Some(racer.to_string());
            commit
        };
        let answers = race(|racer| {
            let store = store.clone();
            async move { store.commit(&by_racer(racer)).await }
        })
        .await;
        let winners: Vec<u64> = (0..).zip(&answers).filter(|(_, a)| a.is_ok()).map(|(racer, _)| racer).collect();
        let refused = answers.iter().filter(|answer| refusal(answer) == "Precondition").count();
        assert_eq!((winners.len(), refused), (1, answers.len() - 1), "{answers:?}");
        let (run, winner) = (store.get(id(n)).await.unwrap().unwrap(), by_racer(winners[0]));
        assert_eq!((run.head, run.archived.unwrap().digest), (winner.head, winner.digest));
    }
}

/// Of mirrors at once the one with the most states stays.
pub async fn the_furthest_mirror_stays(store: Store) {
    for n in 1..=20 {
        let queued = full_head(n);
        create(&*store, &queued).await;
        let states = move |racer: u64| usize::try_from(1 + (racer + n) % 4).unwrap();
        race(|racer| {
            let (store, head) = (store.clone(), after_states(&queued, states(racer)));
            async move { assert!(store.mirror(&head).await.unwrap()) }
        })
        .await;
        assert_eq!(store.get(queued.id).await.unwrap().unwrap().head, after_states(&queued, 4));
    }
}

/// Cells that race with a delete are gone with it, and one delete deletes.
pub async fn cells_never_outlive_their_run(store: Store) {
    for n in 1..=20 {
        let queued = head(n);
        create(&*store, &queued).await;
        checkpoint(&*store, queued.id, &cells([lines(0..1)], [samples(0, 0..5)])).await;
        let deleted = race(|racer| {
            let store = store.clone();
            async move {
                if racer % 2 == 0 {
                    return store.delete(id(n)).await.unwrap();
                }
                let later = cells([lines(0..4), lines(4..8)], [samples(0, 0..1_024), samples(1, 0..racer)]);
                match store.checkpoint(id(n), &later).await {
                    Ok(taken) => assert!(taken, "it was never archived"),
                    Err(error) => assert!(matches!(error, StoreError::NotFound { .. }), "{error}"),
                }
                false
            }
        })
        .await;
        assert_eq!(deleted.iter().filter(|deleted| **deleted).count(), 1, "{deleted:?}");
        create(&*store, &queued).await;
        assert_eq!(store.log_cells(queued.id, 0..9).await.unwrap(), []);
        for channel in [0, 1] {
            assert_eq!(store.sample_cells(queued.id, channel, 0..9).await.unwrap(), []);
        }
    }
}
