//! Lists: filters, and what a summary shows.

use lucihub_models_core::cold::RunUpdate;
use lucihub_models_core::{
    DeviceType, JobType, Order, PageRequest, RunFilter, RunHead, RunId, RunState, RunSummary, StateChange,
};

use super::Store;
use super::given::{after_states, archive, at, create, device, full_head, head, id, json, refusal};

/// The runs that a filter finds, oldest first.
async fn found(store: &Store, filter: &RunFilter) -> Vec<RunId> {
    let page = PageRequest { order: Order::Oldest, limit: 1000, ..PageRequest::default() };
    let page = store.list(filter, &page).await.unwrap();
    assert_eq!(page.next, None);
    page.runs.iter().map(|run| run.id).collect()
}

/// Five runs: two owners and none, two devices and none, three types of job.
async fn five(store: &Store) -> [RunHead; 5] {
    let with = |n: u64, job: JobType, owner: Option<&str>, on: Option<(&str, DeviceType)>| {
        let mut head = head(n);
        head.job_type = job;
        head.owner = owner.map(Into::into);
        head.device = on.as_ref().map(|(name, _)| device(name));
        head.device_type = on.map(|(_, kind)| kind);
        head
    };
    let all = [
        with(1, JobType::Run, Some("ada"), Some(("a", DeviceType::Lucidac))),
        with(2, JobType::Run, Some("grace"), Some(("b", DeviceType::Redac))),
        with(3, JobType::Verify, Some("ada"), Some(("b", DeviceType::Redac))),
        with(4, JobType::Compile, Some("ada"), None),
        with(5, JobType::Other("calibrate".into()), None, Some(("a", DeviceType::Lucidac))),
    ];
    for head in &all {
        create(&**store, head).await;
    }
    all
}

/// Each field filters by itself; items of one field are joined by OR.
pub async fn items_of_one_field_are_joined_by_or(store: Store) {
    five(&store).await;
    let none = RunFilter::default;
    let strings = |items: &[&str]| Some(items.iter().map(|&item| item.to_owned()).collect());
    let devices = |items: &[&str]| Some(items.iter().map(|item| device(item)).collect());
    let cases = [
        (none(), &[1, 2, 3, 4, 5][..]),
        (RunFilter { owners: strings(&["ada"]), ..none() }, &[1, 3, 4]),
        (RunFilter { owners: strings(&["grace", "ada", "ada", "nobody"]), ..none() }, &[1, 2, 3, 4]),
        (RunFilter { owners: strings(&["nobody"]), ..none() }, &[]),
        (RunFilter { devices: devices(&["a"]), ..none() }, &[1, 5]),
        (RunFilter { devices: devices(&["a", "b"]), ..none() }, &[1, 2, 3, 5]),
        (RunFilter { device_types: Some(vec![DeviceType::Redac]), ..none() }, &[2, 3]),
        (RunFilter { device_types: Some(vec![DeviceType::Simulator, DeviceType::Lucidac]), ..none() }, &[1, 5]),
        (RunFilter { job_types: Some(vec![JobType::Run, JobType::Compile]), ..none() }, &[1, 2, 4]),
        (RunFilter { job_types: Some(vec![JobType::Other("calibrate".into())]), ..none() }, &[5]),
        (RunFilter { states: Some(vec![RunState::Queued, RunState::Failed]), ..none() }, &[1, 2, 3, 4, 5]),
        (RunFilter { states: Some(vec![RunState::Failed]), ..none() }, &[]),
    ];
    for (filter, expected) in cases {
        let expected: Vec<RunId> = expected.iter().map(|n| id(*n)).collect();
        assert_eq!(found(&store, &filter).await, expected, "{filter:?}");
    }
}

/// Fields are joined by AND.
pub async fn fields_are_joined_by_and(store: Store) {
    five(&store).await;
    let ada = || RunFilter { owners: Some(vec!["ada".into()]), ..RunFilter::default() };
    let both = RunFilter { devices: Some(vec![device("b"), device("a")]), ..ada() };
    assert_eq!(found(&store, &both).await, [id(1), id(3)]);
    let every = RunFilter {
        device_types: Some(vec![DeviceType::Redac, DeviceType::Lucidac]),
        job_types: Some(vec![JobType::Verify, JobType::Compile]),
        states: Some(vec![RunState::Queued]),
        ..both
    };
    assert_eq!(found(&store, &every).await, [id(3)]);
    let contradiction = RunFilter { job_types: Some(vec![JobType::Compile]), ..every };
    assert_eq!(found(&store, &contradiction).await, []);
}

/// An empty list matches nothing, whatever the other fields ask.
pub async fn an_empty_list_matches_nothing(store: Store) {
    five(&store).await;
    let ada = || RunFilter { owners: Some(vec!["ada".into()]), ..RunFilter::default() };
    for filter in [
        RunFilter { owners: Some(vec![]), ..RunFilter::default() },
        RunFilter { devices: Some(vec![]), ..ada() },
        RunFilter { device_types: Some(vec![]), ..ada() },
        RunFilter { job_types: Some(vec![]), ..ada() },
        RunFilter { states: Some(vec![]), ..ada() },
    ] {
        assert_eq!(found(&store, &filter).await, [], "{filter:?}");
    }
}

/// A filter may name as many items as a lab has, up to a limit.
pub async fn a_filter_may_name_many(store: Store) {
    five(&store).await;
    let owners: Vec<String> = (0..2_000).map(|n| format!("owner {n}")).chain(["grace".into()]).collect();
    let devices = (0..2_000).map(|n| device(&format!("device-{n}"))).chain([device("b")]).collect();
    let filter = RunFilter { owners: Some(owners), devices: Some(devices), ..RunFilter::default() };
    assert_eq!(found(&store, &filter).await, [id(2)]);
    for (items, answer) in [(4_096, "Ok"), (4_097, "Invalid")] {
        let states = vec![RunState::Queued; items];
        let labels = [("a".to_owned(), vec![String::new(); items])].into();
        for filter in
            [RunFilter { states: Some(states), ..RunFilter::default() }, RunFilter { labels, ..RunFilter::default() }]
        {
            assert_eq!(refusal(&store.list(&filter, &PageRequest::default()).await), answer, "{items} items");
        }
        let owners = vec!["ada".to_owned(); items - 2_000];
        let filter =
            RunFilter { owners: Some(owners), states: Some(vec![RunState::Queued; 2_000]), ..RunFilter::default() };
        assert_eq!(refusal(&store.list(&filter, &PageRequest::default()).await), answer, "{items} items of two fields");
    }
    for (names, answer) in [(64, "Ok"), (65, "Invalid")] {
        let labels = (0..names).map(|n| (format!("label {n}"), vec!["value".to_owned()])).collect();
        let filter = RunFilter { labels, ..RunFilter::default() };
        assert_eq!(refusal(&store.list(&filter, &PageRequest::default()).await), answer, "{names} names of labels");
    }
}

/// The filter by state sees the present state of the mirror, never an earlier one.
pub async fn states_are_those_of_the_mirror(store: Store) {
    let all = five(&store).await;
    assert!(store.mirror(&after_states(&all[1], 2)).await.unwrap());
    assert!(store.mirror(&after_states(&all[2], 3)).await.unwrap());
    archive(&*store, &all[3]).await;
    let mut failed = all[4].clone();
    failed.states.push(StateChange::new(RunState::Failed, at(9)));
    assert!(store.mirror(&failed).await.unwrap());
    for (state, expected) in [
        (RunState::Queued, id(1)),
        (RunState::InProgress, id(2)),
        (RunState::Other("calibrating".into()), id(3)),
        (RunState::Succeeded, id(4)),
        (RunState::Failed, id(5)),
    ] {
        let filter = RunFilter { states: Some(vec![state]), ..RunFilter::default() };
        assert_eq!(found(&store, &filter).await, [expected], "{filter:?}");
    }
}

/// A summary shows what the head has, at every stage of the run's life.
pub async fn a_summary_shows_the_run(store: Store) {
    let queued = full_head(1);
    create(&*store, &queued).await;
    let mut archived_at = None;
    for stage in 0..5 {
        match stage {
            1 => assert!(store.mirror(&after_states(&queued, 3)).await.unwrap()),
            2 => {
                let labels = Some([("changed".into(), "yes".into())].into());
                store.update(queued.id, &RunUpdate { labels, ..RunUpdate::default() }).await.unwrap();
            }
            3 => archived_at = Some(archive(&*store, &queued).await.at),
            4 => {
                let update = RunUpdate { output: Some(json("1")), error: Some("later".into()), labels: None };
                store.update(queued.id, &update).await.unwrap();
            }
            _ => {}
        }
        let head = store.get(queued.id).await.unwrap().unwrap().head;
        let page = store.list(&RunFilter::default(), &PageRequest::default()).await.unwrap();
        assert_eq!(page.runs, [RunSummary::of(&head, archived_at)], "at stage {stage}");
    }
}
