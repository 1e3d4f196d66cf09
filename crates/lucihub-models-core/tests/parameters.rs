//! The built-in parameter schemas on circuits of ours, on what can be wrong with them, and on real ones.

use lucihub_models_core::{JsonText, ParameterSchema, Violations};
use proptest::prelude::*;
use serde_json::{Value, json};

const GOOD: &str = include_str!("../../lucihub-cli/assets/lorenz.json");
/// The carrier of that circuit.
const CARRIER: &str = "/04-E9-E5-DE-40-01";

fn text(document: &Value) -> JsonText {
    JsonText::from_stored(document.to_string())
}

fn check(document: impl Into<String>) -> Result<(), Violations> {
    ParameterSchema::lucidac().unwrap().check(&JsonText::from_stored(document.into()))
}

/// The circuit with so many clusters.
fn with_clusters(count: usize) -> Value {
    let mut circuit: Value = serde_json::from_str(GOOD).unwrap();
    let carrier = circuit.pointer_mut(CARRIER).unwrap();
    let cluster = carrier["/0"].clone();
    for n in 1..count {
        carrier[format!("/{n}")] = cluster.clone();
    }
    circuit
}

/// The only thing that is wrong: pointer and rule.
fn only(found: Result<(), Violations>) -> (String, String) {
    let found = found.unwrap_err();
    let [one] = &found.violations[..] else { panic!("{found:#?}") };
    (one.pointer.clone(), one.rule.clone())
}

#[test]
fn a_good_circuit_passes_both() {
    assert_eq!(check(GOOD), Ok(()));
    assert_eq!(ParameterSchema::redac().unwrap().check(&JsonText::from_stored(GOOD)), Ok(()));
}

#[test]
fn more_clusters_are_a_redac() {
    for clusters in [2, 3] {
        let circuit = with_clusters(clusters);
        assert_eq!(ParameterSchema::redac().unwrap().check(&text(&circuit)), Ok(()), "{clusters}");
        let found = check(circuit.to_string()).unwrap_err();
        let places: Vec<_> = found.violations.iter().map(|one| one.pointer.clone()).collect();
        let extra: Vec<_> = (1..clusters).map(|n| format!("{CARRIER}/~1{n}")).collect();
        assert_eq!(places, extra, "each extra cluster is named");
    }
    let found = only(ParameterSchema::redac().unwrap().check(&text(&with_clusters(4))));
    assert_eq!(found, (format!("{CARRIER}/~13"), "additionalProperties".to_owned()));
}

#[test]
fn an_empty_document_is_no_input() {
    for empty in ["", " \n"] {
        let found = check(empty).unwrap_err();
        assert_eq!(found.violations[0].rule, "strict-json", "{found:?}");
    }
    assert_eq!(only(check("{}")), (String::new(), "minProperties".to_owned()));
}

#[test]
fn each_mutation_is_named_with_its_place() {
    let deep = format!("\"/M1\": {}{}", "[".repeat(65), "]".repeat(65));
    let cases: [(&str, &str, &str, &str); 11] = [
        ("[0.375, -0.25", "[20.5, -0.25", "/~10/~1C/elements/0", "maximum"),
        ("\"ic\": 0.05, \"k\": 10000", "\"ic\": 0.05, \"k\": 500", "/~10/~1M0/elements/0/k", "enum"),
        ("\"outputs\": [1, 0, 0", "\"outputs\": [16, 0, 0", "/~10/~1U/outputs/0", "maximum"),
        ("[0.375, -0.25", "[-0.25", "/~10/~1C/elements", "minItems"),
        ("\"/M1\": {}", "\"/M1\": {\"x\": 1}", "/~10/~1M1/x", "additionalProperties"),
        ("[0.375, -0.25", "[NaN, -0.25", "/~10/~1C/elements/0", "strict-json"),
        ("\"/M1\": {}", "\"/M1\": {}, \"/M1\": {}", "/~10/~1M1", "strict-json"),
        ("\"/M1\": {}", &deep, "/~10/~1M1", "strict-json"),
        ("[0, 1, 2, 3, 4, 5, 8, 9]", "[0, 1, 2, 3, 4, 5, 8, 9, 10]", "/adc_channels/8", "maxItems"),
        ("[0, 1, 2, 3, 4, 5, 8, 9]", "[0, 1, 2, 3, 4, 5, 8, 0]", "/adc_channels/7", "adc-channel-once"),
        ("[2, 3, 4]", "[2, 3, 1]", "/~10/~1I/outputs/1/2", "lane-feeds-one-input"),
    ];
    for (good, bad, place, rule) in cases {
        assert!(GOOD.contains(good), "{good}");
        let (pointer, broken) = only(check(GOOD.replacen(good, bad, 1)));
        let place = format!("{CARRIER}{place}");
        // Too deep is said where the first level too many begins.
        let agrees = if bad == deep { pointer.starts_with(&place) } else { pointer == place };
        assert!(agrees && broken == rule, "{good} -> {bad}: {broken} at {pointer}, expected {rule} at {place}");
    }
}

#[test]
fn all_that_is_wrong_is_told_in_the_order_of_the_document() {
    let bad = GOOD
        .replacen("\"ic\": 0.05, \"k\": 10000", "\"ic\": -1.5, \"k\": 1", 1)
        .replacen("[0.375, -0.25", "[21, -0.25", 1)
        .replacen("[0, 1, 2, 3, 4, 5, 8, 9]", "[0, 0, 16, 1.5]", 1);
    let found = check(bad).unwrap_err();
    let told: Vec<_> = found.violations.iter().map(|one| (one.pointer.as_str(), one.rule.as_str())).collect();
    let expected = [
        ("/~10/~1M0/elements/0/ic", "minimum"),
        ("/~10/~1M0/elements/0/k", "enum"),
        ("/~10/~1C/elements/0", "maximum"),
        ("/adc_channels/1", "adc-channel-once"),
        ("/adc_channels/2", "maximum"),
        ("/adc_channels/3", "type"),
    ]
    .map(|(place, rule)| (format!("{CARRIER}{place}"), rule));
    let expected: Vec<_> = expected.iter().map(|(place, rule)| (place.as_str(), *rule)).collect();
    assert_eq!(told, expected);
    let first = &found.violations[0];
    assert_eq!(first.to_string(), "initial value: -1.5 is less than -1, the least value");
    assert_eq!(first.value.as_ref().unwrap().as_str(), "-1.5");
}

#[test]
fn no_more_than_a_thousand_are_told_and_the_rest_is_counted() {
    let many: Vec<u32> = vec![99; 1_500];
    let schema = json!({ "$id": "many", "items": { "maximum": 9 } });
    let found = ParameterSchema::parse(&text(&schema)).unwrap().check(&text(&json!(many))).unwrap_err();
    assert_eq!((found.violations.len(), found.more), (1_000, 500));
    assert!(found.to_string().ends_with("at \"/0\"; and 1499 more"), "{found}");
}

/// A document of a megabyte, whose values are told with a way of half a megabyte each.
#[test]
fn long_keys_above_many_values_cost_no_more_than_the_document() {
    let zeros = "0,".repeat(200_000);
    let key = "k".repeat(400_000);
    for document in [format!(r#"{{"{key}":[{zeros}0]}}"#), format!(r#"{{"{key}":{{"adc_channels":[{zeros}0]}}}}"#)] {
        let (pointer, rule) = only(check(document));
        assert_eq!((&*pointer, &*rule), ("", "strict-json"));
    }
}

#[test]
fn a_schema_beyond_the_subset_is_refused_at_its_place() {
    let refused = |schema: Value| {
        let error = ParameterSchema::parse(&text(&schema)).unwrap_err();
        (error.pointer().unwrap_or_default().to_owned(), error.to_string())
    };
    let cases = [
        (json!({ "properties": { "a": { "anyOf": [true] } } }), "/properties/a/anyOf", "anyOf"),
        (json!({ "items": { "format": "uri" } }), "/items/format", "format"),
        (json!({ "items": { "$ref": "http://elsewhere/x" } }), "/items/$ref", "no schema of this document"),
        (json!({ "x-lucihub-rules": ["no-such-rule"] }), "/x-lucihub-rules", "no-such-rule"),
        (json!({ "$schema": "http://json-schema.org/draft-07/schema#" }), "/$schema", "dialect"),
        (json!({ "type": "whatever" }), "/type", "no JSON Schema"),
        (json!({ "pattern": "(" }), "/pattern", ""),
        (json!(3), "", "a schema is an object"),
    ];
    for (schema, place, says) in cases {
        let (pointer, said) = refused(schema.clone());
        assert!(pointer == place && said.contains(says), "{schema}: {pointer:?} {said}");
    }
    let circle = json!({ "$defs": { "a": { "items": { "$ref": "#/$defs/a" } } }, "$ref": "#/$defs/a" });
    assert!(refused(circle).1.contains("lead back"));
    let twice: Vec<_> = (0..14).map(|n| (format!("d{n}"), double(n))).collect();
    let explosion = json!({ "$defs": twice.into_iter().collect::<serde_json::Map<_, _>>(), "$ref": "#/$defs/d13" });
    assert!(refused(explosion).1.contains("10000 subschemas"));
}

/// A schema that asks for the one below it twice.
fn double(n: u32) -> Value {
    let below = n.checked_sub(1).map_or_else(|| json!(true), |below| json!({ "$ref": format!("#/$defs/d{below}") }));
    json!({ "properties": { "a": below.clone(), "b": below } })
}

#[test]
fn a_pattern_costs_no_more_than_its_length_times_that_of_the_text() {
    let schema = ParameterSchema::parse(&text(&json!({ "$id": "p", "pattern": "^(a+)+$" }))).unwrap();
    // An engine that goes back would not end.
    let long = format!("{}b", "a".repeat(50_000));
    assert_eq!(only(schema.check(&text(&json!(long)))), (String::new(), "pattern".to_owned()));
}

#[test]
fn a_schema_without_an_id_is_called_by_its_digest() {
    let [one, same, other] =
        ["{}", "{}", "{ }"].map(|text| ParameterSchema::parse(&JsonText::from_stored(text)).unwrap());
    assert!(one.id().starts_with("blake3:") && one.id() == same.id() && one.id() != other.id());
    assert_eq!(ParameterSchema::lucidac().unwrap().id(), "lucihub/lucidac/1");
}

/// Real circuits, from a folder that the repository does not have.
#[test]
#[ignore = "wants LUCIHUB_CIRCUITS, a folder of anabrid's circuits"]
fn real_circuits_pass_and_fail_where_they_should() {
    let folder = std::env::var_os("LUCIHUB_CIRCUITS").expect("LUCIHUB_CIRCUITS names a folder");
    let read = |name: &str| {
        let file = std::path::Path::new(&folder).join(format!("{name}.json"));
        JsonText::from_stored(std::fs::read_to_string(file).unwrap())
    };
    let (lucidac, redac) = (ParameterSchema::lucidac().unwrap(), ParameterSchema::redac().unwrap());
    for name in ["lorenz", "roessler", "harmonic", "decay", "mathieu", "wave"] {
        assert_eq!(lucidac.check(&read(name)), Ok(()), "{name}");
    }
    for name in ["sin", "burgers1"] {
        assert_eq!(redac.check(&read(name)), Ok(()), "{name}");
        let found = lucidac.check(&read(name)).unwrap_err();
        assert!(found.violations.iter().any(|one| one.pointer.ends_with("/~11")), "{name}: {found}");
    }
    for schema in [&lucidac, &redac] {
        let found = schema.check(&read("heat3")).unwrap_err();
        let ninth = found.violations.iter().find(|one| one.rule == "maxItems").unwrap();
        assert!(ninth.pointer.ends_with("/adc_channels/8"), "{found}");
        let found = schema.check(&read("dadras")).unwrap_err();
        assert_eq!(found.violations[0].rule, "strict-json", "{found}");
    }
}

fn documents() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 200, 40, |inner| {
        let key =
            prop_oneof![Just("/0".to_owned()), Just("adc_channels".to_owned()), Just("elements".to_owned()), ".{0,6}"];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..40).prop_map(Value::from),
            proptest::collection::btree_map(key, inner, 0..8).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_input_is_answered_and_every_pointer_leads_somewhere(document in documents()) {
        if let Err(found) = ParameterSchema::redac().unwrap().check(&text(&document)) {
            for one in &found.violations {
                prop_assert!(document.pointer(&one.pointer).is_some(), "{one:?}");
            }
        }
    }

    #[test]
    fn any_text_is_a_schema_or_refused(document in documents()) {
        let _ = ParameterSchema::parse(&text(&document));
    }
}
