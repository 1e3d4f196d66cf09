//! Freezing: what is said when the sources of a released version change.

use serde_json::json;

use super::super::documents::models;
use super::*;

/// The repository as it is after a release of everything, and the sources of that day.
fn released() -> (Vec<Model>, BTreeMap<String, String>, Released) {
    let models = models().unwrap();
    let nothing = Released::default();
    let first = weigh(&models, &BTreeMap::new(), &nothing, false).unwrap();
    assert_eq!(first.refused, [""; 0]);
    let files = open_files(&first.in_force, &nothing).unwrap();
    let mut lock = Released::default();
    Version::ALL.iter().for_each(|version| lock.add(version.as_str(), &files));
    (models, files, lock)
}

/// The fields of a type of version 2.
fn fields<'a>(models: &'a mut [Model], kind: &str, name: &str) -> &'a mut Value {
    let model = models.iter_mut().find(|model| model.kind == kind && model.version == Version::V2).unwrap();
    model.schema.pointer_mut(&format!("/$defs/{name}/properties")).unwrap()
}

fn refused(models: &[Model], files: &BTreeMap<String, String>, lock: &Released) -> String {
    weigh(models, files, lock, false).unwrap().refused.join("\n")
}

#[test]
fn what_is_released_is_in_force_as_it_was() {
    let (mut models, files, lock) = released();
    let device = models.iter_mut().find(|model| model.kind == "device").unwrap();
    device.schema["description"] = json!("Better words.");
    let outcome = weigh(&models, &files, &lock, false).unwrap();
    assert_eq!(outcome.refused, [""; 0]);
    assert_eq!(outcome.in_force.len(), models.len());
    assert!(open_files(&outcome.in_force, &lock).unwrap().is_empty(), "nothing of it is written again");
    assert!(outcome.in_force.iter().all(|schema| schema.schema["description"] != "Better words."));
}

#[test]
fn one_field_less_or_other_is_refused_with_what_to_do() {
    let (mut models, files, lock) = released();
    fields(&mut models, "run", "RunHead").as_object_mut().unwrap().remove("k0");
    fields(&mut models, "run", "TimeBase")["rate_hz"]["x-unit"] = json!("kHz");
    let words = refused(&models, &files, &lock);
    for part in [
        "docs/schemas/v2/run.json is released and never changes, but the sources say otherwise:",
        "/run/head/k0: the field is gone (rule: no field is removed)",
        "/run/head/time_base/rate_hz: unit was \"Hz\", now \"kHz\" (rule: a number keeps its unit)",
        "add a version: see How to add a version in crates/lucihub-models-core/README.md",
        "documents of docs/schemas/v2/run.json are not understood: /run/head/k0: the field is gone",
    ] {
        assert!(words.contains(part), "{part} is not in:\n{words}");
    }
    assert!(!words.contains("--revise"), "{words}");
}

#[test]
fn a_new_field_is_refused_until_someone_decides_that_it_is_a_revision() {
    let (mut models, mut files, lock) = released();
    fields(&mut models, "device", "Device")["colour"] = json!({ "type": ["string", "null"] });
    let words = refused(&models, &files, &lock);
    assert!(words.contains("/device/colour: a new field\n") && words.contains("add a version"), "{words}");
    assert!(words.contains("`cargo xtask codegen --revise` writes docs/schemas/v2/device.1.json"), "{words}");

    let revised = weigh(&models, &files, &lock, true).unwrap();
    assert_eq!(revised.refused, [""; 0]);
    let open = open_files(&revised.in_force, &lock).unwrap();
    assert_eq!(open.keys().collect::<Vec<_>>(), ["v2/device.1.json"]);
    assert!(open["v2/device.1.json"].contains("/v2/device.1.json\""), "it has an id of its own");
    files.extend(open);
    // Decided once: the open revision follows the sources.
    fields(&mut models, "device", "Device")["size"] = json!({ "type": ["string", "null"] });
    let again = weigh(&models, &files, &lock, false).unwrap();
    assert_eq!(again.refused, [""; 0]);
    assert!(open_files(&again.in_force, &lock).unwrap()["v2/device.1.json"].contains("size"));
}

#[test]
fn a_released_revision_is_frozen_as_its_version_is() {
    let (mut models, mut files, mut lock) = released();
    fields(&mut models, "device", "Device")["colour"] = json!({ "type": ["string", "null"] });
    files.extend(open_files(&weigh(&models, &files, &lock, true).unwrap().in_force, &lock).unwrap());
    lock.add("v2", &files);
    assert_eq!(refused(&models, &files, &lock), "");
    fields(&mut models, "device", "Device").as_object_mut().unwrap().remove("colour");
    let words = refused(&models, &files, &lock);
    assert!(words.contains("v2/device.1.json is released and never changes"), "{words}");
}

#[test]
fn a_field_that_must_be_there_needs_a_version() {
    let (mut models, files, lock) = released();
    let model = models.iter_mut().find(|model| model.kind == "head").unwrap();
    model.schema["$defs"]["RunHead"]["properties"]["colour"] = json!({ "type": "string" });
    model.schema["$defs"]["RunHead"]["required"].as_array_mut().unwrap().push(json!("colour"));
    let words = weigh(&models, &files, &lock, true).unwrap().refused.join("\n");
    assert!(words.contains("/head/colour: a new field that must be there (rule: a new field is optional)"), "{words}");
}

#[test]
fn a_version_that_nothing_reads_any_more_is_missed() {
    let (mut models, files, lock) = released();
    models.retain(|model| model.version != Version::V1);
    let words = refused(&models, &files, &lock);
    assert!(words.contains("v1/run.json is released, and nothing reads a run of v1 any more"), "{words}");
}

#[test]
fn files_tell_version_and_kind() {
    assert_eq!(schema_of("v2/run.json"), Some(("v2", "run")));
    assert_eq!(schema_of("v2/run.12.json"), Some(("v2", "run")));
    assert_eq!(schema_of("v2/examples/run-a.json"), None);
    assert_eq!(schema_of("run.json"), None);
}
