//! The registry of devices.

use lucihub_models_core::cold::{OperatorFields, SeenFields};
use lucihub_models_core::{Device, DeviceId, DeviceType, InputType, JsonText, Timestamp};

use super::Store;
use super::given::{at, create, device, full_head, json, refusal};

/// A sighting at a second.
fn seen(name: &str, second: i64) -> SeenFields {
    SeenFields {
        id: device(name),
        device_type: DeviceType::Lucidac,
        firmware: Some(format!("1.{second}")),
        entity_digest: Some(format!("{second:064x}")),
        seen_at: at(second),
    }
}

/// The device that a sighting makes of nothing.
fn as_seen(seen: &SeenFields) -> Device {
    let mut device = Device::new(seen.id.clone(), seen.device_type.clone());
    device.firmware.clone_from(&seen.firmware);
    device.entity_digest.clone_from(&seen.entity_digest);
    device.seen_at = Some(seen.seen_at);
    device
}

/// A sighting enters a device whole; a later one renews all that is the
/// scanner's, an older one nothing.
pub async fn sightings_renew_and_never_go_back(store: Store) {
    let first = seen("a", 10);
    assert_eq!(store.device(&first.id).await.unwrap(), None);
    store.put_seen(&first).await.unwrap();
    assert_eq!(store.device(&first.id).await.unwrap(), Some(as_seen(&first)));
    store.put_seen(&first).await.unwrap();
    assert_eq!(store.device(&first.id).await.unwrap(), Some(as_seen(&first)), "the same again");

    store.put_seen(&seen("a", 9)).await.unwrap();
    assert_eq!(store.device(&first.id).await.unwrap(), Some(as_seen(&first)), "an older one");
    let later = SeenFields { device_type: DeviceType::Redac, firmware: None, entity_digest: None, ..seen("a", 11) };
    store.put_seen(&later).await.unwrap();
    assert_eq!(store.device(&first.id).await.unwrap(), Some(as_seen(&later)), "what is no longer seen is gone");
}

/// Scanner and operator never overwrite each other, and the operator changes
/// one field without the other.
pub async fn scanner_and_operator_keep_apart(store: Store) {
    let first = seen("a", 1);
    store.put_seen(&first).await.unwrap();
    let mut expected = as_seen(&first);
    let schema = json("{ \"ic\": {\"minimum\": -0.0},\n \"k\": \"\\u0000\" }\n");
    let both = OperatorFields { input_type: Some(InputType::Circuit), parameter_schema: Some(schema) };
    let kind_only = OperatorFields { input_type: Some("a {new} 'kind'".into()), parameter_schema: None };
    let schema_only = OperatorFields { input_type: None, parameter_schema: Some(json("true")) };
    for fields in [&both, &OperatorFields::default(), &kind_only, &schema_only] {
        store.put_operator(&first.id, fields).await.unwrap();
        expected.input_type = fields.input_type.clone().or(expected.input_type);
        expected.parameter_schema = fields.parameter_schema.clone().or(expected.parameter_schema);
        assert_eq!(store.device(&first.id).await.unwrap().as_ref(), Some(&expected));
    }
    for second in [0, 1, 2] {
        store.put_seen(&seen("a", second)).await.unwrap();
    }
    let renewed = seen("a", 2);
    expected.firmware = renewed.firmware;
    expected.entity_digest = renewed.entity_digest;
    expected.seen_at = Some(renewed.seen_at);
    assert_eq!(store.device(&first.id).await.unwrap(), Some(expected));
}

/// The operator's fields are checked first, and need a device.
pub async fn operator_fields_are_checked_first(store: Store) {
    let first = seen("a", 1);
    store.put_seen(&first).await.unwrap();
    let with = |schema: JsonText| OperatorFields { input_type: Some(InputType::Apb), parameter_schema: Some(schema) };
    let largest = format!("\"{}\"", "x".repeat(1024 * 1024 - 2));
    for bad in ["", "{", "{\"a\": 1, \"a\": 1}", "NaN", &format!("{largest} ")] {
        assert_eq!(refusal(&store.put_operator(&first.id, &with(json(bad))).await), "Invalid");
        assert_eq!(store.device(&first.id).await.unwrap(), Some(as_seen(&first)));
    }
    assert_eq!(refusal(&store.put_operator(&device("b"), &with(json("{}"))).await), "NotFound");
    assert_eq!(store.device(&device("b")).await.unwrap(), None);
    store.put_operator(&first.id, &with(json(&largest))).await.unwrap();
    assert_eq!(store.device(&first.id).await.unwrap().unwrap().parameter_schema, Some(json(&largest)));
}

/// Pages go by name, byte by byte, whatever the engine's collation; each device
/// comes once, and a page that ends with the last device is the last page.
pub async fn devices_are_paged_by_name(store: Store) {
    let longest = "z".repeat(DeviceId::MAX_LEN);
    let mut names: Vec<DeviceId> =
        ["a", "B", "b", "A", "a-1", "a.1", "a:1", "a_1", "a1", "10", "9", "-", "_", &longest].map(device).into();
    for name in &names {
        store.put_seen(&seen(name.as_str(), 1)).await.unwrap();
    }
    names.sort();
    for limit in [1, 2, 7, 13, 14, 1000] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = store.devices(after.as_ref(), limit).await.unwrap();
            assert!(page.devices.len() == limit || page.next.is_none(), "only the last page is short");
            found.extend(page.devices.into_iter().map(|device| device.id));
            assert!(found.len() <= names.len(), "the walk ends");
            let Some(next) = page.next else { break };
            assert_eq!(Some(&next), found.last());
            after = Some(next);
        }
        assert_eq!(found, names, "pages of {limit}");
    }
    let page = store.devices(Some(&device("a0")), 2).await.unwrap();
    assert_eq!(page.devices.iter().map(|d| d.id.as_str()).collect::<Vec<_>>(), ["a1", "a:1"], "after an absent name");
    let page = store.devices(Some(&device(&longest)), 2).await.unwrap();
    assert_eq!((page.devices, page.next), (vec![], None));
    for limit in [0, 1001] {
        assert_eq!(refusal(&store.devices(None, limit).await), "Invalid");
    }
}

/// A device leaves the registry with all its fields; its runs stay.
pub async fn delete_device_is_complete(store: Store) {
    let run = full_head(1);
    create(&*store, &run).await;
    let on = run.device.clone().unwrap();
    let fields = OperatorFields { input_type: Some(InputType::Apb), parameter_schema: Some(json("{}")) };
    store.put_seen(&seen(on.as_str(), 5)).await.unwrap();
    store.put_operator(&on, &fields).await.unwrap();
    store.put_seen(&seen("other", 5)).await.unwrap();
    assert!(store.delete_device(&on).await.unwrap());
    assert!(!store.delete_device(&on).await.unwrap(), "it is gone already");
    assert_eq!(store.device(&on).await.unwrap(), None);
    assert_eq!(store.get(run.id).await.unwrap().unwrap().head, run);
    assert!(store.device(&device("other")).await.unwrap().is_some());

    // Even an older sighting enters it again, without the operator's fields.
    store.put_seen(&seen(on.as_str(), 1)).await.unwrap();
    assert_eq!(store.device(&on).await.unwrap(), Some(as_seen(&seen(on.as_str(), 1))));
}

/// Words, firmware and times from outside come back as they are.
pub async fn hostile_fields_of_a_device_survive(store: Store) {
    for (name, seen_at) in [("first", Timestamp::MIN), ("last", Timestamp::MAX), ("epoch", Timestamp::EPOCH)] {
        let hostile = SeenFields {
            id: device(name),
            device_type: DeviceType::Other("%_\\'\"\n{}\u{0}\u{2028}".into()),
            firmware: Some("\u{0}".into()),
            entity_digest: Some(String::new()),
            seen_at,
        };
        store.put_seen(&hostile).await.unwrap();
        assert_eq!(store.device(&hostile.id).await.unwrap(), Some(as_seen(&hostile)));
    }
}
