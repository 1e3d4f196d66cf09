//! Pages of runs, and the keepers' walk over open runs.

use lucihub_models_core::cold::PendingRun;
use lucihub_models_core::{Order, PageCursor, PageRequest, RunFilter, RunHead, RunId};

use super::Store;
use super::given::{after_states, archive, at, create, head, id, refusal};

/// Nine runs at three times; the ids do not ascend with the times.
async fn nine(store: &Store) -> Vec<RunHead> {
    let mut all = Vec::new();
    for (n, second) in [(5, 1), (1, 1), (9, 1), (8, 2), (2, 2), (3, 2), (4, 3), (7, 3), (6, 3)] {
        let mut head = head(n);
        head.created_at = at(second);
        head.owner = Some(if n % 2 == 0 { "even" } else { "odd" }.into());
        create(&**store, &head).await;
        all.push(head);
    }
    all.sort_by_key(|head| (head.created_at, head.id));
    all
}

/// All runs of a filter, page by page.
async fn walk(store: &Store, filter: &RunFilter, order: Order, limit: usize) -> Vec<RunId> {
    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let page = store.list(filter, &PageRequest { order, after, limit, ..PageRequest::default() }).await.unwrap();
        let full = page.runs.len() == limit;
        assert!(full || page.next.is_none(), "only the last page is short");
        ids.extend(page.runs.iter().map(|run| run.id));
        assert!(ids.len() <= 9, "the walk ends");
        let Some(next) = page.next else { return ids };
        let last = &page.runs[limit - 1];
        assert_eq!(next, PageCursor::new(filter, order, last.created_at, last.id));
        after = Some(next);
    }
}

/// In both orders, with pages of any size, each run comes once, in order of
/// `(created_at, id)`; a page that ends with the last run is the last page.
pub async fn pages_give_each_run_once(store: Store) {
    let all = nine(&store).await;
    for limit in [1, 2, 3, 4, 8, 9, 10, 1000] {
        for (owner, wanted) in [(None, "evenodd"), (Some("even"), "even"), (Some("odd"), "odd")] {
            let filter = RunFilter { owners: owner.map(|owner| vec![owner.to_owned()]), ..RunFilter::default() };
            let matching = all.iter().filter(|head| head.owner.as_deref().is_some_and(|owner| wanted.contains(owner)));
            let mut expected: Vec<RunId> = matching.map(|head| head.id).collect();
            assert_eq!(walk(&store, &filter, Order::Oldest, limit).await, expected, "{owner:?}, {limit}");
            expected.reverse();
            assert_eq!(walk(&store, &filter, Order::Newest, limit).await, expected, "{owner:?}, {limit}");
        }
    }
}

/// Runs that come and go between two pages neither repeat nor hide others; a
/// cursor outlives its run.
pub async fn pages_stand_while_runs_come_and_go(store: Store) {
    let all = nine(&store).await;
    for order in [Order::Newest, Order::Oldest] {
        let mut expected: Vec<RunId> = all.iter().map(|head| head.id).collect();
        if order == Order::Newest {
            expected.reverse();
        }
        let (mut seen, mut after, mut number) = (Vec::new(), None, 100);
        loop {
            let page = store
                .list(&RunFilter::default(), &PageRequest { order, after, limit: 2, ..PageRequest::default() })
                .await
                .unwrap();
            seen.extend(page.runs.iter().map(|run| run.id));
            assert!(seen.len() <= expected.len(), "the walk ends");
            let Some(next) = page.next else { break };
            after = Some(next);
            // One run more at the end that was walked already, and the cursor's own run leaves.
            let mut newcomer = head(number);
            newcomer.created_at = if order == Order::Newest { at(50) } else { at(-50) };
            create(&*store, &newcomer).await;
            assert!(store.delete(next.id()).await.unwrap());
            number += 1;
        }
        assert_eq!(seen, expected);
        for n in 100..number {
            assert!(store.delete(id(n)).await.unwrap());
        }
        for head in &all {
            store.create(head).await.unwrap();
        }
    }
}

/// A page has 1 to 1000 runs; an empty store has one page.
pub async fn a_page_has_limits(store: Store) {
    let list = async |limit| store.list(&RunFilter::default(), &PageRequest { limit, ..PageRequest::default() }).await;
    for limit in [1, 1000] {
        let page = list(limit).await.unwrap();
        assert_eq!((page.runs.len(), page.next), (0, None));
    }
    for limit in [0, 1001, usize::MAX] {
        assert_eq!(refusal(&list(limit).await), "Invalid", "{limit}");
    }
    create(&*store, &head(1)).await;
    assert_eq!(list(1).await.unwrap().next, None);
    assert_eq!(list(1000).await.unwrap().runs.len(), 1);
}

/// A cursor's text leads on like the cursor.
pub async fn a_cursor_goes_through_text(store: Store) {
    let all = nine(&store).await;
    let page = PageRequest { order: Order::Oldest, after: None, limit: 5, ..PageRequest::default() };
    let next = store.list(&RunFilter::default(), &page).await.unwrap().next.unwrap();
    let after = Some(next.to_string().parse().unwrap());
    let rest = store.list(&RunFilter::default(), &PageRequest { after, ..page }).await.unwrap();
    assert_eq!(
        rest.runs.iter().map(|run| run.id).collect::<Vec<_>>(),
        all[5..].iter().map(|h| h.id).collect::<Vec<_>>()
    );
}

/// Ids are found by how they begin, in their order, whatever became of their runs.
pub async fn ids_are_found_by_their_beginning(store: Store) {
    const IDS: [&str; 6] = [
        "0198c1f0-3f5e-7000-8000-000000000001",
        "0198c1f0-3f5e-7000-8000-ffffffffffff",
        "0198c1f0-3f5f-7000-8000-000000000000",
        "0198c1f0-4000-7000-8000-000000000000",
        "f0000000-0000-4000-8000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
    ];
    for (n, id) in IDS.iter().enumerate().rev() {
        let mut head = head(n as u64);
        head.id = id.parse().unwrap();
        create(&*store, &head).await;
        if n == 1 {
            archive(&*store, &head).await;
        }
    }
    let cases: [(&str, usize, &[&str]); 10] = [
        ("0198", 10, &IDS[..4]),
        ("0198", 3, &IDS[..3]),
        ("0198c1f0-3", 10, &IDS[..3]),
        ("0198c1f03f5e7", 10, &IDS[..2]),
        ("0198c1f0-3f5e-7000-8000-f", 10, &IDS[1..2]),
        (IDS[0], 10, &IDS[..1]),
        ("FFFF", 10, &IDS[5..]),
        ("f000", 10, &IDS[4..5]),
        ("0199", 10, &[]),
        ("0198c1f0-3f5e-7000-8000-000000000002", 10, &[]),
    ];
    for (typed, limit, expected) in cases {
        let found = store.ids(&typed.parse().unwrap(), limit).await.unwrap();
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), expected, "{typed}");
    }
}

/// Keepers walk the runs that hot storage was not yet released of, by
/// `(created_at, id)`, archived or not.
pub async fn pending_walks_what_is_not_released(store: Store) {
    let mut all = nine(&store).await;
    let pending =
        |head: &RunHead| PendingRun { id: head.id, created_at: head.created_at, states: head.states.len() as u64 };
    let mut walked = Vec::new();
    while let Some(run) = store.pending(walked.last().copied(), 1).await.unwrap().pop() {
        walked.push(run);
        assert!(walked.len() <= all.len(), "the walk ends");
    }
    assert_eq!(walked, all.iter().map(pending).collect::<Vec<_>>());

    all[3] = after_states(&all[3], 3);
    assert!(store.mirror(&all[3]).await.unwrap());
    for n in [1, 4] {
        all[n] = archive(&*store, &all[n].clone()).await.head;
    }
    // Not archived, and not there: nothing to release.
    assert!(!store.release(all[0].id).await.unwrap());
    assert!(!store.release(id(77)).await.unwrap());
    assert_eq!(store.pending(None, 100).await.unwrap(), all.iter().map(pending).collect::<Vec<_>>());

    let released = all.remove(4);
    assert!(store.release(released.id).await.unwrap());
    assert!(store.release(released.id).await.unwrap(), "again");
    let gone = all.remove(0);
    assert!(store.delete(gone.id).await.unwrap());
    let expected: Vec<PendingRun> = all.iter().map(pending).collect();
    assert_eq!(store.pending(None, 100).await.unwrap(), expected);
    assert_eq!(store.pending(None, 3).await.unwrap(), expected[..3]);
    assert_eq!(store.pending(Some(pending(&gone)), 3).await.unwrap(), expected[..3], "after a run that is gone");
    assert_eq!(store.pending(Some(pending(&released)), 3).await.unwrap(), expected[3..6], "after a released run");
    assert_eq!(store.pending(expected.last().copied(), 3).await.unwrap(), []);
    // A released run is still there for readers.
    assert_eq!(store.get(released.id).await.unwrap().unwrap().head, released);
}
