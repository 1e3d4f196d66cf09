//! Lists in each of their forms, of runs and devices that are always the same.

use std::path::Path;

use lucihub_models_core::cold::{OperatorFields, SeenFields};
use lucihub_models_core::{
    Channel, DeviceType, JobType, Phase, PhaseChange, Relation, RelationKind, RunHead, RunState, StateChange, Timestamp,
};
use lucihub_store::{Store, Urls};

use crate::verbs::golden::{committed, lucihub, printed, same_as};

const FORMS: [&str; 5] = ["table", "json", "jsonl", "csv", "ids"];

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_790_000_000_000_000 + 1_000_000 * seconds).unwrap()
}

/// Three runs and two devices.
async fn lab(dir: &Path) {
    let url = format!("sqlite:{}", dir.join("lucihub.sqlite").display());
    let store = Store::open(&Urls::new("memory:", url)).await.unwrap();
    for (n, job) in [(1, JobType::Run), (2, JobType::Compile), (3, JobType::from("tune,\"it\""))] {
        let id = format!("0198c1f0-3f5{n}-7c3a-9d52-3f6a0d1b2c4e").parse().unwrap();
        let mut head = RunHead::queued(id, job, at(n));
        head.owner = Some("ada".to_owned());
        if n == 2 {
            let first = "0198c1f0-3f51-7c3a-9d52-3f6a0d1b2c4e".parse().unwrap();
            head.related_to = vec![Relation::new(RelationKind::Repeats, first)];
        }
        if n == 1 {
            head.device = Some("lucidac-1".parse().unwrap());
            head.device_type = Some(DeviceType::Lucidac);
            head.channels = vec![Channel::named("x"), Channel::named("y")];
            head.labels.insert("series".to_owned(), "chaos, first\nline".to_owned());
        }
        store.cold().create(&head).await.unwrap();
        if n == 1 {
            head.states.push(StateChange::new(RunState::InProgress, at(5)));
            head.states.push(StateChange::new(RunState::Failed, at(9)).because("overload of \"M0\",\nstopped"));
            let carrier = |phase, s, ns| PhaseChange::new(phase, at(s)).at_device_ns(ns);
            head.phases = vec![carrier(Phase::Ic, 6, 0), carrier(Phase::Op, 7, 1_000)];
            assert!(store.cold().mirror(&head).await.unwrap());
        }
    }
    for (id, kind) in [("lucidac-1", DeviceType::Lucidac), ("sim", DeviceType::Simulator)] {
        let seen = SeenFields {
            id: id.parse().unwrap(),
            device_type: kind,
            firmware: (id != "sim").then(|| "1.2\u{1b}[31m".to_owned()),
            entity_digest: None,
            seen_at: at(0),
        };
        store.cold().put_seen(&seen).await.unwrap();
    }
    let fields = OperatorFields { input_type: Some("circuit".into()), ..OperatorFields::default() };
    store.configure_device(&"sim".parse().unwrap(), &fields).await.unwrap();
}

#[tokio::test]
async fn lists_are_as_they_were_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    lab(dir.path()).await;
    let lists: [(&str, &[&str]); 5] = [
        ("runs-list", &["runs", "list"]),
        ("runs-search", &["runs", "search", "owner=ada,bob", "type=run,compile"]),
        ("runs-list-none", &["runs", "list", "--owner", "nobody"]),
        ("runs-states", &["runs", "states", "0198c1f0-3f51"]),
        ("devices-list", &["devices", "list"]),
    ];
    let mut names = Vec::new();
    for (name, args) in lists {
        for form in FORMS {
            let output = lucihub(args).args(["--output", form, "--dir"]).arg(dir.path()).output().unwrap();
            let name = format!("{name}.{form}");
            same_as("lists", &name, &printed(output));
            names.push(name);
        }
    }
    for (name, args) in [
        ("runs-show.text", &["runs", "show", "0198C1F03F51"][..]),
        ("runs-show.json", &["runs", "show", "0198c1f0-3f51", "-o", "json"]),
        ("devices-show.text", &["devices", "show", "sim"]),
        ("devices-show.json", &["devices", "show", "sim", "--json"]),
        ("runs-label.text", &["runs", "label", "0198c1f0-3f51", "quality=good"]),
        ("runs-delete-dry-run.text", &["runs", "delete", "0198c1f0-3f51", "0198c1f0-3f52", "--dry-run"]),
    ] {
        let output = lucihub(args).arg("--dir").arg(dir.path()).output().unwrap();
        same_as("lists", name, &printed(output));
        names.push(name.to_owned());
    }
    names.sort();
    assert_eq!(committed("lists"), names);
}

#[tokio::test]
async fn runs_are_found_by_day_kind_and_what_they_are_related_to() {
    let dir = tempfile::tempdir().unwrap();
    lab(dir.path()).await;
    let ask = |args: &[&str]| {
        let args = [&["runs"], args, &["-o", "ids", "--dir"]].concat();
        printed(lucihub(&args).arg(dir.path()).output().unwrap()).lines().count()
    };
    for (args, count) in [
        (&["list", "--related-to", "0198c1f0-3f51"][..], 1),
        (&["search", "related=0198c1f03f51"], 1),
        // There need not be such a run any more.
        (&["list", "--related-to", "0198c1f0-3f5f-7c3a-9d52-3f6a0d1b2c4e"], 0),
        (&["list", "--from", "2026-09-21", "--to", "2026-09-21"], 3),
        (&["search", "from=2026-09-21", "to=2026-09-21T14:13:22Z"], 2),
        (&["list", "--to", "2026-09-20"], 0),
        (&["list", "--from", "2026-09-22"], 0),
        (&["list", "--kind", "LUCIDAC"], 1),
        (&["list", "--device-type", "LUCIDAC"], 1),
        (&["search", "kind=REDAC"], 0),
    ] {
        assert_eq!(ask(args), count, "{args:?}");
    }
    let none = lucihub(&["runs", "list", "--related-to", "0198c1f0-3f5f", "--dir"]).arg(dir.path()).output().unwrap();
    assert!(!none.status.success());
}

#[tokio::test]
async fn json_is_the_same_in_each_of_its_forms() {
    let dir = tempfile::tempdir().unwrap();
    lab(dir.path()).await;
    let ask = |form| {
        let output = lucihub(&["runs", "list", "-o", form, "--dir"]).arg(dir.path()).output().unwrap();
        printed(output)
    };
    let array: Vec<serde_json::Value> = serde_json::from_str(&ask("json")).unwrap();
    let lines: Vec<serde_json::Value> = ask("jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((array.len(), &array), (3, &lines));
    let ids: Vec<String> = ask("ids").lines().map(str::to_owned).collect();
    assert_eq!(ids, array.iter().map(|run| run["id"].as_str().unwrap()).collect::<Vec<_>>());
    let mut csv = csv::Reader::from_reader(ask("csv").as_bytes().to_vec().leak() as &[u8]);
    let labels = csv.headers().unwrap().iter().position(|name| name == "labels").unwrap();
    let rows: Vec<csv::StringRecord> = csv.records().map(Result::unwrap).collect();
    let of_first: serde_json::Value = serde_json::from_str(&rows[2][labels]).unwrap();
    assert_eq!(of_first, array[2]["labels"]);
}
