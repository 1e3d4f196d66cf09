//! Each rule of the comparison, and what its words are.

use serde_json::{Value, json};

use super::*;

fn document() -> Value {
    json!({
        "type": "object",
        "properties": { "version": { "const": "v2" }, "run": { "$ref": "#/$defs/Run" } },
        "required": ["version", "run"],
        "$defs": {
            "Run": {
                "type": "object",
                "description": "A run.",
                "additionalProperties": true,
                "properties": {
                    "id": { "type": "string", "format": "uuid" },
                    "k0": { "type": ["integer", "null"], "minimum": 0, "maximum": 10 },
                    "op_time_ns": { "type": "integer", "x-unit": "ns" },
                    "device": { "type": "string", "pattern": "^a$" },
                    "labels": { "type": "object", "additionalProperties": { "type": "string" } },
                    "parts": { "type": "array", "items": { "$ref": "#/$defs/Part" } },
                    "base": { "anyOf": [{ "$ref": "#/$defs/Part" }, { "type": "null" }] },
                    "priority": { "type": "integer", "default": 0 },
                },
                "required": ["id"],
            },
            "Part": {
                "type": "object",
                "additionalProperties": false,
                "properties": { "first": { "type": "integer" }, "inner": { "$ref": "#/$defs/Part" } },
                "required": ["first"],
            },
        },
    })
}

/// What is said of a document in which the value at a pointer was replaced, and whether it breaks.
fn edited(pointer: &str, value: Value) -> Vec<(String, bool)> {
    let old = document();
    let mut new = old.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let fields = new.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    if value == json!("gone") {
        fields.remove(name).unwrap();
    } else {
        fields.insert(name.to_owned(), value);
    }
    compare(&old, &new).iter().map(|difference| (difference.to_string(), difference.breaks())).collect()
}

fn one(pointer: &str, value: Value) -> (String, bool) {
    let mut all = edited(pointer, value);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

const RUN: &str = "/$defs/Run/properties";
const PART: &str = "/$defs/Part/properties";

#[test]
fn nothing_differs_from_itself_or_by_annotations() {
    assert_eq!(compare(&document(), &document()), []);
    assert_eq!(edited("/$defs/Run/description", json!("Other words.")), []);
    assert_eq!(edited("/title", json!("RunDocument")), []);
}

#[test]
fn a_field_and_the_rule_are_named() {
    let breaking = [
        (format!("{RUN}/k0"), json!("gone"), "/run/k0: the field is gone (rule: no field is removed)"),
        (
            "/$defs/Run/required".to_owned(),
            json!(["id", "device"]),
            "/run/device: the field must be there (rule: an optional field stays optional)",
        ),
        (
            format!("{RUN}/k0/maximum"),
            json!(9),
            "/run/k0: maximum was 10, now 9 (rule: every value of before is taken)",
        ),
        (
            format!("{RUN}/k0/type"),
            json!("integer"),
            "/run/k0: type was [\"integer\",\"null\"], now \"integer\" (rule: every value of before is taken)",
        ),
        (
            format!("{RUN}/op_time_ns/x-unit"),
            json!("us"),
            "/run/op_time_ns: unit was \"ns\", now \"us\" (rule: a number keeps its unit)",
        ),
        (
            format!("{RUN}/device/pattern"),
            json!("^b$"),
            "/run/device: pattern was \"^a$\", now \"^b$\" (rule: every value of before is taken)",
        ),
        (
            format!("{RUN}/priority/default"),
            json!(1),
            "/run/priority: default was 0, now 1 (rule: an absent field keeps its meaning)",
        ),
        (
            format!("{RUN}/labels/additionalProperties"),
            json!({ "type": "integer" }),
            "/run/labels/{}: type was \"string\", now \"integer\" (rule: every value of before is taken)",
        ),
        (
            "/$defs/Run/additionalProperties".to_owned(),
            json!(false),
            "/run: unknown fields are refused (rule: an open object stays open)",
        ),
        (format!("{RUN}/id/minLength"), json!(3), "/run/id: minLength was absent, now 3 (rule: minLength stays)"),
        (
            format!("{PART}/extra"),
            json!({ "type": "integer" }),
            "/run/base/extra: a new field that older readers refuse or lose (rule: only open objects grow)",
        ),
    ];
    for (pointer, value, words) in breaking {
        let all = edited(&pointer, value);
        assert!(all.iter().any(|(text, _)| text == words), "{pointer}: {all:?}");
    }
}

#[test]
fn what_takes_all_of_before_breaks_nothing() {
    for (pointer, value) in [
        (format!("{RUN}/k0/maximum"), json!(11)),
        (format!("{RUN}/k0/minimum"), json!("gone")),
        (format!("{RUN}/op_time_ns/type"), json!(["number", "null"])),
        (format!("{RUN}/id/format"), json!("gone")),
        ("/$defs/Run/required".to_owned(), json!([])),
    ] {
        let (text, breaks) = one(&pointer, value);
        assert!(!breaks, "{text}");
    }
}

#[test]
fn a_new_field_is_an_addition_where_older_readers_keep_it() {
    let additions = |pointer: &str| {
        let old = document();
        let mut new = old.clone();
        new.pointer_mut(pointer).unwrap()["newer"] = json!({ "type": "string" });
        compare(&old, &new).iter().map(Difference::is_addition).collect::<Vec<_>>()
    };
    assert_eq!(additions(RUN), [true]);
    // In the closed part, at both places that hold one.
    assert_eq!(additions(PART), [false, false]);
    let (text, breaks) = {
        let old = document();
        let mut new = old.clone();
        new["$defs"]["Run"]["properties"]["newer"] = json!({ "type": "string" });
        new["$defs"]["Run"]["required"] = json!(["id", "newer"]);
        let all = compare(&old, &new);
        assert_eq!(all.len(), 1, "{all:?}");
        (all[0].to_string(), all[0].breaks())
    };
    assert!(breaks && text == "/run/newer: a new field that must be there (rule: a new field is optional)", "{text}");
}

#[test]
fn choices_are_compared_one_by_one_or_by_what_they_take() {
    let base = format!("{RUN}/base/anyOf");
    let (text, breaks) = one(&base, json!([{ "$ref": "#/$defs/Part" }]));
    assert!(breaks && text.starts_with("/run/base: anyOf had 2 choices, now 1"), "{text}");
    let (text, breaks) = one(&base, json!([{ "$ref": "#/$defs/Part" }, { "type": "null" }, { "type": "string" }]));
    assert!(!breaks, "{text}");
    let (text, _) = one(&base, json!([{ "$ref": "#/$defs/Part" }, { "type": "string" }]));
    assert_eq!(text, "/run/base: type was \"null\", now \"string\" (rule: every value of before is taken)");
}
