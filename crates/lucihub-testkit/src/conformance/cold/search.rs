//! Searches: labels, relations, windows, totals, offsets, and cursors of another search.

use lucihub_models_core::cold::RunUpdate;
use lucihub_models_core::{
    JobType, Limits, Order, PageRequest, Relation, RelationKind, RunFilter, RunHead, RunId, RunState, StateChange,
    Timestamp,
};

use super::Store;
use super::given::{archive, at, create, device, head, id, refusal};

/// Thirty runs in ten seconds, with labels and relations; every third is of Ada.
async fn thirty(store: &Store) -> Vec<RunHead> {
    let mut all = Vec::new();
    for n in 1..=30_u64 {
        let mut head = head(n);
        head.created_at = at(i64::try_from(n.div_ceil(3)).unwrap());
        head.owner = Some(if n % 3 == 0 { "ada" } else { "grace" }.into());
        head.job_type = if n % 4 == 0 { JobType::Verify } else { JobType::Run };
        head.device = (n % 5 != 0).then(|| device(if n % 2 == 0 { "a" } else { "b" }));
        head.labels.insert("series".into(), ["pendulum", "lorenz", ""][usize::try_from(n % 3).unwrap()].into());
        if n % 2 == 0 {
            head.labels.insert("step".into(), (n % 4).to_string());
        }
        if n > 1 && n % 6 == 0 {
            let verifies = Relation::new(RelationKind::Verifies, id(1));
            head.related_to = vec![verifies.clone(), Relation::new(RelationKind::Verifies, id(n - 1)), verifies];
        }
        create(&**store, &head).await;
        all.push(head);
    }
    all.sort_by_key(|head| (head.created_at, head.id));
    all
}

/// Asserts that page after page, and by offset, a filter finds exactly some runs, in both orders, and counts them.
async fn assert_finds(store: &Store, filter: &RunFilter, all: &[RunHead], wants: impl Fn(&RunHead) -> bool) {
    let mut expected: Vec<RunId> = all.iter().filter(|head| wants(head)).map(|head| head.id).collect();
    for order in [Order::Oldest, Order::Newest] {
        for limit in [1, 4, 1000] {
            let (mut found, mut request) =
                (Vec::new(), PageRequest { order, limit, ..PageRequest::default() }.with_total());
            loop {
                let page = store.list(filter, &request).await.unwrap();
                assert_eq!(page.total, Some(expected.len() as u64), "{filter:?}");
                found.extend(page.runs.iter().map(|run| run.id));
                assert!(found.len() <= expected.len(), "the walk ends: {filter:?}");
                let Some(next) = page.next else { break };
                request.after = Some(next);
            }
            assert_eq!(found, expected, "{filter:?} {order:?}, pages of {limit}");
        }
        for offset in [1, 2, expected.len().saturating_sub(1), expected.len(), expected.len() + 1, 100_000] {
            let request = PageRequest { order, limit: 3, ..PageRequest::default() }.skip(offset);
            let page = store.list(filter, &request).await.unwrap();
            let found: Vec<RunId> = page.runs.iter().map(|run| run.id).collect();
            let rest: Vec<RunId> = expected.iter().skip(offset).take(3).copied().collect();
            assert_eq!((found, page.total), (rest, None), "{filter:?} {order:?} after {offset}");
            assert_eq!(page.next.is_some(), expected.len() > offset.saturating_add(3), "{filter:?} after {offset}");
        }
        expected.reverse();
    }
}

fn labelled(head: &RunHead, name: &str, values: &[&str]) -> bool {
    head.labels.get(name).is_some_and(|value| values.contains(&value.as_str()))
}

/// Values of one label are joined by OR, labels by AND, and with other fields by AND.
pub async fn labels_are_fields(store: Store) {
    let all = thirty(&store).await;
    let series = || RunFilter::default().label("series", "lorenz");
    assert_finds(&store, &series(), &all, |head| labelled(head, "series", &["lorenz"])).await;
    assert_finds(&store, &series().label("series", ""), &all, |head| labelled(head, "series", &["lorenz", ""])).await;
    let both = series().label("series", "pendulum").label("step", "2");
    assert_finds(&store, &both, &all, |head| {
        labelled(head, "series", &["lorenz", "pendulum"]) && labelled(head, "step", &["2"])
    })
    .await;
    let of_ada = RunFilter::default().label("step", "0").label("step", "2").owner("ada").job_type(JobType::Verify);
    assert_finds(&store, &of_ada, &all, |head| {
        labelled(head, "step", &["0", "2"]) && head.owner.as_deref() == Some("ada") && head.job_type == JobType::Verify
    })
    .await;
    for (name, value) in [("series", "lor"), ("Series", "lorenz"), ("lorenz", "series"), ("step", "%")] {
        assert_finds(&store, &RunFilter::default().label(name, value), &all, |_| false).await;
    }
}

/// Labels that change are found by their new values alone; those of a deleted run by none.
pub async fn changed_labels_are_found(store: Store) {
    let mut all = thirty(&store).await;
    for (n, head) in all.iter_mut().enumerate().take(9) {
        head.labels = [("series".to_owned(), format!("new {}", n % 2))].into();
        let update = RunUpdate { labels: Some(head.labels.clone()), ..RunUpdate::default() };
        store.update(head.id, &update).await.unwrap();
    }
    let gone = all.remove(3);
    assert!(store.delete(gone.id).await.unwrap());
    archive(&*store, &all[0].clone()).await;
    for value in ["new 0", "new 1", "lorenz", "pendulum"] {
        let filter = RunFilter::default().label("series", value);
        assert_finds(&store, &filter, &all, |head| labelled(head, "series", &[value])).await;
    }
    assert_finds(&store, &RunFilter::default().label("step", "2"), &all, |head| labelled(head, "step", &["2"])).await;
}

/// Runs are found by the runs that they are related to.
pub async fn relations_are_found(store: Store) {
    let all = thirty(&store).await;
    for wanted in [vec![id(1)], vec![id(5), id(11)], vec![id(1), id(5), id(5)], vec![id(2)], vec![id(999)]] {
        let filter = RunFilter { related_to: Some(wanted.clone()), ..RunFilter::default() };
        let related = |head: &RunHead| head.related_to.iter().any(|relation| wanted.contains(&relation.run));
        assert_finds(&store, &filter, &all, related).await;
        let of_ada = filter.owner("ada").label("step", "2");
        assert_finds(&store, &of_ada, &all, |head| {
            related(head) && head.owner.as_deref() == Some("ada") && labelled(head, "step", &["2"])
        })
        .await;
    }
}

/// A run may be related to as many others as it may have entries, and is found by the last of them.
pub async fn as_many_relations_as_are_allowed(store: Store) {
    let mut head = head(1);
    let others = u64::try_from(Limits::default().head_entries).unwrap();
    head.related_to = (0..others).map(|n| Relation::new(RelationKind::Repeats, id(1_000 + n))).collect();
    store.create(&head).await.unwrap();
    let filter = RunFilter { related_to: Some(vec![id(1_000 + others - 1)]), ..RunFilter::default() };
    let page = store.list(&filter, &PageRequest::newest(10).with_total()).await.unwrap();
    assert_eq!((page.total, page.runs.len(), page.runs[0].id), (Some(1), 1, head.id));
}

/// A window holds both its ends, with every kind of walk.
pub async fn windows_hold_their_ends(store: Store) {
    let all = thirty(&store).await;
    let micro = |time: Timestamp, more: i64| Timestamp::from_micros(time.as_micros() + more).unwrap();
    let windows = [
        (Some(at(3)), Some(at(5))),
        (Some(at(4)), None),
        (None, Some(at(4))),
        (Some(at(4)), Some(at(4))),
        (Some(micro(at(4), 1)), Some(micro(at(5), -1))),
        (Some(at(5)), Some(at(4))),
        (Some(Timestamp::MIN), Some(Timestamp::MAX)),
    ];
    for (from, to) in windows {
        let within =
            |head: &RunHead| from.is_none_or(|t| head.created_at >= t) && to.is_none_or(|t| head.created_at <= t);
        let window = || RunFilter { created_from: from, created_to: to, ..RunFilter::default() };
        assert_finds(&store, &window(), &all, within).await;
        assert_finds(&store, &window().owner("ada"), &all, |h| within(h) && h.owner.as_deref() == Some("ada")).await;
        assert_finds(&store, &window().owner("ada").owner("grace").device(device("a")), &all, |head| {
            within(head) && head.device == Some(device("a"))
        })
        .await;
        assert_finds(&store, &window().label("series", "lorenz"), &all, |head| {
            within(head) && labelled(head, "series", &["lorenz"])
        })
        .await;
    }
}

/// Filter, rows and total agree, whatever the filter asks for; all of them see the mirror.
pub async fn totals_agree_with_rows(store: Store) {
    let mut all = thirty(&store).await;
    for head in all.iter_mut().step_by(4) {
        head.states.push(StateChange::new(RunState::InProgress, at(70)));
        assert!(store.mirror(head).await.unwrap());
    }
    let state = |head: &RunHead, state: RunState| *head.state() == state;
    assert_finds(&store, &RunFilter::default(), &all, |_| true).await;
    let running = RunFilter::default().state(RunState::InProgress);
    assert_finds(&store, &running, &all, |head| state(head, RunState::InProgress)).await;
    let both = running.clone().state(RunState::Queued).state(RunState::Queued);
    assert_finds(&store, &both, &all, |_| true).await;
    let mixed = running.owner("ada").device(device("a")).device(device("b"));
    assert_finds(&store, &mixed, &all, |head| {
        state(head, RunState::InProgress) && head.owner.as_deref() == Some("ada") && head.device.is_some()
    })
    .await;
    let nothing = RunFilter { labels: [("series".to_owned(), vec![])].into(), ..RunFilter::default() };
    assert_finds(&store, &nothing, &all, |_| false).await;
    assert_finds(&store, &RunFilter { related_to: Some(vec![]), ..RunFilter::default() }, &all, |_| false).await;
}

/// A cursor goes on with the search that gave it and no other; neither beside an offset, nor past the largest offset.
pub async fn a_cursor_is_of_one_search(store: Store) {
    thirty(&store).await;
    let filter = RunFilter::default().owner("ada").owner("grace");
    let next = store.list(&filter, &PageRequest::newest(3)).await.unwrap().next.unwrap();
    let page = PageRequest::newest(3).after(next);
    // The same search, asked in other words.
    let same = RunFilter::default().owner("grace").owner("ada").owner("grace");
    assert_eq!(store.list(&same, &page).await.unwrap(), store.list(&filter, &page).await.unwrap());
    for (other, page) in [
        (RunFilter::default(), page),
        (filter.clone().state(RunState::Queued), page),
        (filter.clone().label("series", "lorenz"), page),
        (filter.clone().from(at(1)), page),
        (filter.clone(), PageRequest { order: Order::Oldest, ..page }),
        (filter.clone(), page.skip(1)),
        (filter.clone(), PageRequest::newest(3).skip(100_001)),
    ] {
        assert_eq!(refusal(&store.list(&other, &page).await), "Invalid", "{other:?} {page:?}");
    }
}
