//! Texts, documents, numbers and times that break careless adapters.

use lucihub_models_core::cold::{Commit, OperatorFields, RunUpdate};
use lucihub_models_core::{
    DeviceType, Digest, HeadDocument, JobType, LogCell, Order, PageCursor, PageRequest, Positions, RunFilter, RunHead,
    RunId, RunState, StateChange, Timestamp,
};

use super::Store;
use super::given::{after_states, archive, at, cells, checkpoint, create, device, full_head, head, id, json, refusal};

/// Texts that mean something to an engine somewhere.
const TEXTS: [&str; 22] = [
    "",
    " ",
    "%",
    "_",
    "a%",
    "a_b",
    "axb",
    "A_B",
    "'",
    "' OR '1'='1",
    "\"",
    "\\",
    "\\%",
    "{}",
    "{a}:*",
    "$1",
    "?",
    "line\nline\r\n",
    "\u{0}",
    "a\u{0}b",
    "\u{2028}\u{feff}\u{202e}",
    "e\u{301}\u{e9}\u{1f9ee}",
];

async fn found(store: &Store, filter: &RunFilter) -> Vec<RunId> {
    let page = PageRequest { order: Order::Oldest, limit: 1000, ..PageRequest::default() };
    store.list(filter, &page).await.unwrap().runs.iter().map(|run| run.id).collect()
}

/// Owner, words and labels are literal: each text finds itself and nothing else.
pub async fn texts_are_literal(store: Store) {
    let mut all: Vec<RunHead> = Vec::new();
    for (n, text) in (1..).zip(TEXTS) {
        let mut head = head(n);
        head.owner = Some(text.into());
        head.job_type = JobType::Other(format!("job {text}"));
        head.device_type = Some(DeviceType::Other(format!("device {text}")));
        head.labels = [(format!("label {text}"), text.to_owned())].into();
        head.states[0].reason = Some(text.into());
        create(&*store, &head).await;
        head.states.push(StateChange::new(RunState::Other(format!("state {text}")), at(2)));
        assert!(store.mirror(&head).await.unwrap());
        all.push(head);
    }
    for (head, text) in all.iter().zip(TEXTS) {
        for filter in [
            RunFilter { owners: Some(vec![text.into()]), ..RunFilter::default() },
            RunFilter { job_types: Some(vec![head.job_type.clone()]), ..RunFilter::default() },
            RunFilter { device_types: Some(head.device_type.clone().into_iter().collect()), ..RunFilter::default() },
            RunFilter { states: Some(vec![head.state().clone()]), ..RunFilter::default() },
            RunFilter::default().label(format!("label {text}"), text),
        ] {
            assert_eq!(found(&store, &filter).await, [head.id], "{filter:?}");
        }
        let error = RunUpdate { error: Some(text.into()), ..RunUpdate::default() };
        archive(&*store, head).await;
        store.update(head.id, &error).await.unwrap();
        let run = store.get(head.id).await.unwrap().unwrap();
        assert_eq!((&run.head.labels, run.head.error.as_deref()), (&head.labels, Some(text)));
        assert_eq!((run.head.owner.as_deref(), run.head.states[0].reason.as_deref()), (Some(text), Some(text)));
    }
    let page = PageRequest { order: Order::Oldest, limit: 1000, ..PageRequest::default() };
    for (run, head) in store.list(&RunFilter::default(), &page).await.unwrap().runs.iter().zip(&all) {
        assert_eq!((&run.labels, &run.error, &run.job_type), (&head.labels, &head.owner, &head.job_type));
    }
}

/// Filters compare every byte: letter case and width are part of a text.
pub async fn filters_compare_every_byte(store: Store) {
    for (n, owner) in (1..).zip(["ada", "Ada", "ada ", " ada", "\u{ff41}da", "a\u{301}da", "\u{e1}da", "ada\u{0}"]) {
        let mut head = head(n);
        head.owner = Some(owner.into());
        create(&*store, &head).await;
        let filter = RunFilter { owners: Some(vec![owner.into()]), ..RunFilter::default() };
        assert_eq!(found(&store, &filter).await, [head.id], "{owner:?}");
    }
}

/// Input and output keep their bytes, up to the largest.
pub async fn documents_keep_their_bytes(store: Store) {
    let largest = format!("{{\"x\": \"{}\" }}\n", "\\u0000\u{e9}".repeat(131_070));
    assert!((1_048_570..=1_048_576).contains(&largest.len()), "{}", largest.len());
    let documents = [
        "0",
        "-0.0",
        " \t{\"b\" : 1 , \"a\":-0.0e0}\r\n",
        "[1.10, 1e4, 1E+04, 0.1000000000000000055511151231257827, 123456789012345678901234567890]\n",
        "\"\\u0000\\u2028\\ud83e\\uddee \u{2028}\u{1f9ee} \\/ %_ ' {} \"",
        "null",
        "[[[[[[[[]]]]]]]]",
        &largest,
    ];
    for (n, text) in (1..).zip(documents) {
        let mut queued = head(n);
        queued.input = Some(json(text));
        create(&*store, &queued).await;
        assert_eq!(store.get(queued.id).await.unwrap().unwrap().head.input, Some(json(text)));

        let mut ended = after_states(&queued, 4);
        ended.output = Some(json(text));
        assert!(store.mirror(&ended).await.unwrap());
        assert_eq!(store.get(queued.id).await.unwrap().unwrap().head, ended, "mirrored");
        let positions = Positions { states: 4, phases: 1, ..Positions::default() };
        let commit = Commit { head: ended.clone(), positions, digest: Digest::of(b"1"), at: at(120) };
        store.commit(&commit).await.unwrap();
        assert_eq!(store.get(queued.id).await.unwrap().unwrap().head, ended, "archived");

        // What people write later keeps its bytes too.
        for text in ["{\"a\": 1}\n", text] {
            let update = RunUpdate { output: Some(json(text)), ..RunUpdate::default() };
            store.update(queued.id, &update).await.unwrap();
            assert_eq!(store.get(queued.id).await.unwrap().unwrap().head.output, Some(json(text)));
        }
    }
}

/// Documents at the edges of JSON are kept byte for byte, or refused before anything is written.
pub async fn odd_documents_are_faithful_or_refused(store: Store) {
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let documents = [
        "1e400".to_owned(),
        "-1e400".to_owned(),
        "1e-400".to_owned(),
        "\"\\ud800\"".to_owned(),
        "\"\\udc00\\ud800\"".to_owned(),
        "{\"\\u0000\": \"\\u0000\"}".to_owned(),
        "[\"\u{241b}\u{2400}\", \"%\", \"_\", \"'\", \"\\\\\"]".to_owned(),
        nested(64),
        nested(65),
        format!("0.{}", "1".repeat(5_000)),
    ];
    for (n, text) in (1..).zip(&documents) {
        let mut queued = head(n);
        queued.input = Some(json(text));
        let created = store.create(&queued).await;
        let stored = store.get(queued.id).await.unwrap().map(|run| run.head.input);
        match created {
            Ok(_) => assert_eq!(stored, Some(Some(json(text)))),
            refused => assert_eq!((refusal(&refused), stored), ("Invalid", None), "{text}"),
        }
    }
}

/// Fields that newer components add survive every step, at every level.
pub async fn unknown_fields_survive(store: Store) {
    let newer = r#"{"version": "v2", "head": {
        "id": "0198c1f0-3f5e-7000-8000-000000000001", "type": "run", "created_at": "2026-01-05T08:00:01.000000Z",
        "states": [{"state": "queued", "at": "2026-01-05T08:00:01.000000Z", "by": {"name": "api-3"}}],
        "channels": [{"name": "x", "gain": -0.0, "range": [1.5, null, "\u0000"]}],
        "fan_speed": 18446744073709551615, "nested": {"b": 1, "a": {"deep": [true]}}}}"#;
    let queued = HeadDocument::read(newer).unwrap();
    assert_eq!(queued.extra.names().count(), 2);
    let same = |run: Option<lucihub_models_core::cold::ColdRun>, expected: &RunHead| {
        // As text, so that -0.0 differs from 0.0.
        assert_eq!(HeadDocument::write(&run.unwrap().head).unwrap(), HeadDocument::write(expected).unwrap());
    };
    create(&*store, &queued).await;
    same(store.get(queued.id).await.unwrap(), &queued);
    let running = after_states(&queued, 2);
    assert!(store.mirror(&running).await.unwrap());
    same(store.get(queued.id).await.unwrap(), &running);
    let labels = std::collections::BTreeMap::from([("a".to_owned(), "b".to_owned())]);
    let update = RunUpdate { labels: Some(labels.clone()), ..RunUpdate::default() };
    store.update(queued.id, &update).await.unwrap();
    let mut ended = archive(&*store, &queued).await.head;
    ended.labels = labels;
    same(store.get(queued.id).await.unwrap(), &ended);
    let page = store.list(&RunFilter::default(), &PageRequest::default()).await.unwrap();
    assert_eq!(page.runs[0].states, ended.states, "lists keep them too");
}

/// However deep an unknown field is nested, a head or a line is refused before
/// it is written, or reads back: it never makes its run unreadable.
pub async fn what_is_taken_reads_back(store: Store) {
    for (n, depth) in (1_u64..).zip([64, 100, 110, 120, 122, 123, 124, 125, 126]) {
        let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let text = format!(
            r#"{{"id": "{}", "type": "run", "created_at": "2026-01-05T08:00:01Z", "grid": {{"samples": 1024, "lines": 4}},
            "states": [{{"state": "queued", "at": "2026-01-05T08:00:01Z"}}], "deep": {deep}}}"#,
            id(n)
        );
        let head: RunHead = serde_json::from_str(&text).unwrap();
        match store.create(&head).await {
            Ok(_) => assert_eq!(store.get(head.id).await.unwrap().unwrap().head, head, "depth {depth}"),
            refused => {
                assert_eq!(refusal(&refused), "Invalid", "depth {depth}");
                assert_eq!(store.get(head.id).await.unwrap(), None, "depth {depth}");
                create(&*store, &super::given::head(n)).await;
            }
        }
        let line = serde_json::from_str(&format!(r#"{{"text": "t", "deep": {deep}}}"#)).unwrap();
        let cell = LogCell { cell: 0, first: 0, lines: vec![line] };
        let taken = store.checkpoint(head.id, &cells([cell.clone()], [])).await;
        let stored = store.log_cells(head.id, 0..1).await.unwrap();
        match taken {
            Ok(_) => assert_eq!(stored, [cell], "depth {depth}"),
            refused => assert_eq!((refusal(&refused), stored), ("Invalid", vec![]), "depth {depth}"),
        }
    }
}

/// Times from year 1 to 9999, to the microsecond, are kept and ordered.
pub async fn far_times_are_kept_and_ordered(store: Store) {
    let micros = |micros| Timestamp::from_micros(micros).unwrap();
    let times = [
        Timestamp::MIN,
        micros(Timestamp::MIN.as_micros() + 1),
        micros(-1),
        Timestamp::EPOCH,
        micros(1),
        at(0),
        micros(Timestamp::MAX.as_micros() - 1),
        Timestamp::MAX,
    ];
    let mut heads = Vec::new();
    for (n, time) in (1..).zip(times) {
        let mut head = RunHead::queued(id(100 - n), JobType::Run, time);
        head.grid.samples = 1_024;
        create(&*store, &head).await;
        heads.push(head);
    }
    let (mut walked, mut after) = (Vec::new(), None);
    loop {
        let page = PageRequest { order: Order::Oldest, after, limit: 1, ..PageRequest::default() };
        let page = store.list(&RunFilter::default(), &page).await.unwrap();
        walked.extend(page.runs.iter().map(|run| run.created_at));
        assert!(walked.len() <= times.len(), "the walk ends");
        let Some(next) = page.next else { break };
        after = Some(next);
    }
    assert_eq!(walked, times);
    let newest = PageRequest::newest(50).after(PageCursor::new(&RunFilter::default(), Order::Newest, at(0), id(94)));
    let page = store.list(&RunFilter::default(), &newest).await.unwrap();
    let before: Vec<Timestamp> = times[..5].iter().rev().copied().collect();
    assert_eq!(page.runs.iter().map(|run| run.created_at).collect::<Vec<_>>(), before);

    for head in &heads {
        let mut ended = after_states(head, 2);
        ended.states[1].at = head.created_at;
        let positions = Positions { states: 2, phases: 1, ..Positions::default() };
        let commit = Commit { head: ended.clone(), positions, digest: Digest::of(b"1"), at: head.created_at };
        store.commit(&commit).await.unwrap();
        let run = store.get(head.id).await.unwrap().unwrap();
        assert_eq!((run.head, run.archived.unwrap().at), (ended, head.created_at));
    }
}

/// Any UUID is an id, and ids order ties byte by byte.
pub async fn any_uuid_is_an_id(store: Store) {
    let mut ids: Vec<RunId> = [
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "00000000-0000-0000-0000-0000000000ff",
        "7fffffff-0000-4000-8000-000000000000",
        "80000000-0000-1000-8000-000000000000",
        "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e",
        "0198c1f0-3f5e-7c3a-0d52-3f6a0d1b2c4e",
    ]
    .map(|text| text.parse().unwrap())
    .into();
    for &id in &ids {
        let mut head = head(1);
        head.id = id;
        create(&*store, &head).await;
        checkpoint(&*store, id, &cells([super::given::lines(0..1)], [super::given::samples(0, 0..1)])).await;
    }
    ids.sort();
    assert_eq!(found(&store, &RunFilter::default()).await, ids);
    assert_eq!(store.pending(None, 9).await.unwrap().iter().map(|run| run.id).collect::<Vec<_>>(), ids);
    for id in ids {
        assert_eq!(store.get(id).await.unwrap().unwrap().head.id, id);
        assert_eq!(store.sample_cells(id, 0, 0..9).await.unwrap().len(), 1);
    }
}

/// A name with every allowed character finds itself alone.
pub async fn device_names_are_literal(store: Store) {
    let names = ["a_b", "a-b", "a.b", "a:b", "A_B", "axb"];
    for (n, name) in (1..).zip(names) {
        let mut head = full_head(n);
        head.device = Some(device(name));
        create(&*store, &head).await;
        let seen = lucihub_models_core::cold::SeenFields {
            id: device(name),
            device_type: DeviceType::Redac,
            firmware: None,
            entity_digest: None,
            seen_at: at(1),
        };
        store.put_seen(&seen).await.unwrap();
    }
    for (n, name) in (1..).zip(names) {
        let filter = RunFilter { devices: Some(vec![device(name)]), ..RunFilter::default() };
        assert_eq!(found(&store, &filter).await, [id(n)]);
        let fields = OperatorFields { parameter_schema: Some(json(&n.to_string())), ..OperatorFields::default() };
        store.put_operator(&device(name), &fields).await.unwrap();
    }
    for (n, name) in (1_u64..).zip(names) {
        let schema = store.device(&device(name)).await.unwrap().unwrap().parameter_schema;
        assert_eq!(schema, Some(json(&n.to_string())));
    }
}
