//! Examples, and that schema and reader agree on them and on what is near them.

use std::path::Path;

use serde_json::json;

use super::super::documents::models;
use super::super::folder::Folder;
use super::*;

fn files(name: &str, text: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(name.to_owned(), text.to_owned())])
}

fn device(fields: &Value) -> String {
    let mut device = json!({ "id": "lucidac-1", "type": "LUCIDAC" });
    device.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    json!({ "version": "v2", "device": device }).to_string()
}

#[test]
fn an_example_is_read_and_comes_back() {
    let good = device(&json!({ "newer": -0.0 }));
    assert!(check(&files("v2/examples/device-a.json", &good), &[]).is_empty());
    for (name, text, words) in [
        ("v1/examples/device-a.json", good.clone(), "is of version \"v2\"; the folder says v1"),
        ("v2/examples/thing-a.json", good.clone(), "\"thing\" is no kind of document"),
        ("v2/examples/run-a.json", good, "is not understood any more: not a valid v2 run"),
        ("v2/examples/device-a.json", device(&json!({ "seen_at": 7 })), "is not understood any more"),
        ("v2/examples/device-a.json", device(&json!({ "firmware": null })), "comes back as another document"),
        ("v2/examples/device-a.json", "{".to_owned(), "EOF"),
    ] {
        let problems = check(&files(name, &text), &[]);
        assert!(problems.len() == 1 && problems[0].contains(words), "{words} is not in {problems:?}");
    }
}

#[test]
fn a_field_without_an_example_is_named() {
    let schema = json!({ "properties": { "device": { "properties": { "id": {}, "firmware": {} } } } });
    let version = lucihub_models_core::Version::V2;
    let in_force = [InForce { kind: "device", version, file: "v2/device.json".to_owned(), schema }];
    let problems = check(&files("v2/examples/device-a.json", &device(&json!({}))), &in_force);
    assert!(problems[0].ends_with("device-*.json has /device/firmware; write one"), "{problems:?}");
}

/// A document with each of its parts gone in turn, and with each replaced by values of other types. Below input, output
/// and schemas of parameters anything may stand.
fn neighbours(document: &Value) -> Vec<Value> {
    fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
        let mut below = |name: &str, value: &Value| {
            let pointer = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
            if !["input", "output", "parameter_schema"].contains(&name) {
                pointers(value, &pointer, all);
            }
            all.push(pointer);
        };
        match value {
            Value::Object(fields) => fields.iter().for_each(|(name, value)| below(name, value)),
            Value::Array(items) => items.iter().enumerate().for_each(|(at, value)| below(&at.to_string(), value)),
            _ => {}
        }
    }
    let mut all = Vec::new();
    pointers(document, "", &mut all);
    let mut near = Vec::new();
    for pointer in all {
        for value in [json!(null), json!(-1), json!(0.5), json!("no such thing"), json!([]), json!({}), json!([[1]])] {
            let mut other = document.clone();
            *other.pointer_mut(&pointer).unwrap() = value;
            near.push(other);
        }
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let mut other = document.clone();
        if let Some(Value::Object(fields)) = other.pointer_mut(parent) {
            fields.remove(&name.replace("~1", "/").replace("~0", "~"));
            near.push(other);
        }
    }
    near
}

#[test]
fn schema_and_reader_agree() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folder = Folder::open(root, "docs/schemas").unwrap();
    let models = models().unwrap();
    let (mut taken, mut refused) = (0, 0);
    for example in examples(folder.files()) {
        let file = format!("{}/{}.json", example.version, example.kind);
        let frozen: Value = serde_json::from_str(&folder.files()[&file]).unwrap();
        let is_model = |model: &&super::super::documents::Model| {
            model.kind == example.kind && model.version.as_str() == example.version
        };
        let now = &models.iter().find(is_model).unwrap().schema;
        let document: Value = serde_json::from_str(example.text).unwrap();
        let kind = Kind::of(example.kind).unwrap();
        for schema in [&frozen, now] {
            assert!(jsonschema::draft202012::meta::is_valid(schema), "{file}");
            let validator = jsonschema::draft202012::options().should_validate_formats(true).build(schema).unwrap();
            let errors: Vec<_> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{}: {errors:?}", example.file);
            for near in neighbours(&document) {
                let (valid, read) = (validator.is_valid(&near), kind.rewrite(&near.to_string()));
                // The reader knows more: that samples and gaps fill a range, for one. So it may refuse what is valid.
                assert!(valid || read.is_err(), "the schema refuses what is read: {near}");
                if let Err(error) = &read
                    && valid
                {
                    let error = format!("{error:#}");
                    assert!(
                        error.contains("do not fill the range"),
                        "the schema takes what is refused: {error}\n{near}"
                    );
                }
                if valid { taken += 1 } else { refused += 1 }
            }
        }
    }
    assert!(taken > 500 && refused > 500, "{taken} taken, {refused} refused");
}
