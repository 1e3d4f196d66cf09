//! Inputs are checked before a run is created, and stored ones against a new schema.

use lucihub_models_core::cold::{ColdDevices, OperatorFields, SeenFields};
use lucihub_models_core::{JsonText, ParameterSchema, RunFilter, StoreError, Timestamp};
use lucihub_store::Checked;

use crate::lab::{lab, small_head};

fn schema(least: i32) -> JsonText {
    JsonText::from_stored(format!(r#"{{"$id": "lab/{least}", "properties": {{"k": {{"minimum": {least}}}}}}}"#))
}

#[tokio::test]
async fn an_input_is_checked_against_the_schema_of_its_device() {
    let lab = lab();
    let mut head = small_head(1);
    let device = head.device.clone().unwrap();
    head.input = Some(r#"{"k": 7}"#.parse().unwrap());
    assert_eq!(lab.store.check_input(&mut head).await.unwrap(), Checked::Unchecked, "nobody knows the device");

    let seen = SeenFields {
        id: device.clone(),
        device_type: "LUCIDAC".into(),
        firmware: None,
        entity_digest: None,
        seen_at: Timestamp::EPOCH,
    };
    lab.cold.put_seen(&seen).await.unwrap();
    assert_eq!(lab.store.check_input(&mut head).await.unwrap(), Checked::Unchecked, "it has no schema");

    let fields = |schema| OperatorFields { parameter_schema: Some(schema), ..OperatorFields::default() };
    let none = JsonText::from_stored(r#"{"items": {"format": "uri"}}"#);
    match lab.store.configure_device(&device, &fields(none)).await {
        Err(StoreError::Invalid(invalid)) => assert_eq!(invalid.pointer(), Some("/items/format")),
        other => panic!("{other:?}"),
    }
    lab.store.configure_device(&device, &fields(schema(5))).await.unwrap();
    assert_eq!(lab.store.check_input(&mut head).await.unwrap(), Checked::Valid);
    assert_eq!(head.parameter_schema.as_deref(), Some("lab/5"));
    lab.store.create(&head).await.unwrap();
    assert_eq!(lab.store.status(head.id).await.unwrap().head.parameter_schema.as_deref(), Some("lab/5"));

    let mut wrong = small_head(1);
    wrong.input = Some(r#"{"k": 4}"#.parse().unwrap());
    let Checked::Broken(found) = lab.store.check_input(&mut wrong).await.unwrap() else { panic!("4 is less than 5") };
    assert_eq!(found.violations[0].pointer, "/k");
    assert_eq!(wrong.parameter_schema, None);
}

#[tokio::test]
async fn stored_inputs_are_checked_against_a_new_schema_and_stay_as_they_are() {
    let lab = lab();
    let mut runs = Vec::new();
    for k in 0..5 {
        let mut head = small_head(1);
        head.id = lab.store.new_run(head.job_type.clone()).id;
        head.input = (k > 0).then(|| JsonText::from_stored(format!("{{\"k\": {k}}}")));
        lab.store.create(&head).await.unwrap();
        runs.push(head);
    }
    let mut broken = Vec::new();
    let schema = ParameterSchema::parse(&schema(3)).unwrap();
    let counts = lab.store.recheck(&RunFilter::default(), &schema, |run, _| broken.push(run)).await.unwrap();
    assert_eq!((counts.valid, counts.broken, counts.without), (2, 2, 1));
    let mut expected = vec![runs[1].id, runs[2].id];
    broken.sort_unstable();
    expected.sort_unstable();
    assert_eq!(broken, expected);
    for head in runs {
        assert_eq!(*lab.store.status(head.id).await.unwrap().head, head, "nothing was written");
    }
}
