//! Heads in a hash and four lists: what the document has under a name, Redis has under the same name.
//!
//! `HGETALL lh:{RUN}:head` shows each field as the JSON text that it is in the document; states, phases, overloads and
//! final values grow one by one, so they are lists.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use fred::types::Value;
use lucihub_models_core::{BatchBody, HeadDocument, HeadPatch, ModelError, Plan, Result, RunHead, StoreError, Version};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::reply::{Reply, count};

/// The lists of a head, by their names in the document and in the order that scripts take them.
const LISTS: [&str; 4] = ["states", "phases", "overloads", "final_values"];

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|e| not_json(&e))
}

fn not_json(error: &serde_json::Error) -> StoreError {
    ModelError::NotRepresentable { what: "head", form: "JSON", why: error.to_string() }.into()
}

/// A text as JSON.
pub(super) fn text_json(text: &str) -> Result<String> {
    json(&text)
}

/// A whole head in one version as arguments: a counted list of fields, then four counted lists.
pub(super) fn head_args(head: &RunHead, version: Version, args: &mut Vec<Value>) -> Result<()> {
    #[derive(Deserialize)]
    struct Tagged {
        head: BTreeMap<String, Box<RawValue>>,
    }
    let (document, _) = HeadDocument::downgrade(head, version)?;
    let Tagged { head: mut fields } = serde_json::from_str(&document).map_err(|e| not_json(&e))?;
    let mut lists = Vec::new();
    for name in LISTS {
        let list = fields.remove(name);
        let items: Vec<Box<RawValue>> =
            list.map_or(Ok(Vec::new()), |list| serde_json::from_str(list.get())).map_err(|e| not_json(&e))?;
        lists.push(items);
    }
    args.push(count(2 * fields.len()));
    for (name, value) in fields {
        args.push(name.into());
        args.push(value.get().into());
    }
    for items in lists {
        args.push(count(items.len()));
        args.extend(items.iter().map(|item| Value::from(item.get())));
    }
    Ok(())
}

/// What a batch adds to a head: items of four lists, then names and values of fields.
pub(super) fn growth(body: &BatchBody, plan: &Plan) -> Result<[Vec<Value>; 5]> {
    let HeadPatch { channels, time_base, op_time_ns, ic_time_ns, firmware, entity_digest, output, error, .. } =
        &body.patch;
    let mut fields = Vec::new();
    put(&mut fields, "channels", channels.as_ref())?;
    put(&mut fields, "time_base", time_base.as_ref())?;
    put(&mut fields, "op_time_ns", op_time_ns.as_ref())?;
    put(&mut fields, "ic_time_ns", ic_time_ns.as_ref())?;
    put(&mut fields, "firmware", firmware.as_ref())?;
    put(&mut fields, "entity_digest", entity_digest.as_ref())?;
    put(&mut fields, "output", output.as_ref())?;
    put(&mut fields, "error", error.as_ref())?;
    Ok([items(&plan.states)?, items(&body.phases)?, items(&body.overloads)?, items(&body.final_values)?, fields])
}

fn put(fields: &mut Vec<Value>, name: &'static str, value: Option<&impl Serialize>) -> Result<()> {
    if let Some(value) = value {
        fields.extend([name.into(), Value::from(json(value)?)]);
    }
    Ok(())
}

fn items(items: &[impl Serialize]) -> Result<Vec<Value>> {
    items.iter().map(|item| Ok(json(item)?.into())).collect()
}

/// Whether a batch changes the head. Most bring lines and samples alone.
pub(super) fn changes_head(body: &BatchBody, plan: &Plan) -> bool {
    !(plan.states.is_empty()
        && body.phases.is_empty()
        && body.overloads.is_empty()
        && body.final_values.is_empty()
        && body.patch == HeadPatch::default())
}

/// The head that fields and lists of one version make up, and the bytes of its document.
pub(super) fn read_head(reply: &mut Reply, version: &str) -> Result<(RunHead, usize)> {
    let fields: HashMap<String, String> = reply.fields()?;
    let mut document = format!("{{\"version\":{},\"head\":{{", text_json(version)?);
    for (name, value) in &fields {
        let _ = write!(document, "{}:{value},", text_json(name)?);
    }
    for (at, name) in LISTS.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(document, "{comma}\"{name}\":[{}]", reply.texts()?.join(","));
    }
    document.push_str("}}");
    Ok((HeadDocument::read(&document)?, document.len()))
}

#[cfg(test)]
mod tests {
    use lucihub_models_core::{
        Channel, FinalValue, JobType, JsonText, Limits, Overload, Phase, PhaseChange, Positions, RunState, StateChange,
        TimeBase, Timestamp,
    };

    use super::*;

    /// What the server would have after these arguments: fields, and four lists.
    fn stored(args: Vec<Value>) -> (Vec<Value>, Vec<Vec<Value>>) {
        let mut args = args.into_iter();
        let mut list = || {
            let count: usize = args.next().unwrap().into_string().unwrap().parse().unwrap();
            args.by_ref().take(count).collect::<Vec<_>>()
        };
        let fields = list();
        (fields, (0..4).map(|_| list()).collect())
    }

    fn read(fields: Vec<Value>, lists: Vec<Vec<Value>>) -> RunHead {
        let parts = std::iter::once(fields).chain(lists).map(Value::Array).collect();
        read_head(&mut Reply::new("test", parts), HeadDocument::VERSION).unwrap().0
    }

    #[test]
    fn what_a_batch_adds_is_what_apply_does() {
        let at = Timestamp::EPOCH;
        let mut head = RunHead::queued("0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e".parse().unwrap(), JobType::Run, at);
        head.input = Some(JsonText::from_stored("{\"k\" : [ 1.50, -0.0 ]}"));
        head.labels.insert("a\"b".to_owned(), "\u{2028}\0".to_owned());
        let mut args = Vec::new();
        head_args(&head, Version::V2, &mut args).unwrap();
        let (fields, lists) = stored(args);
        assert_eq!(read(fields.clone(), lists.clone()), head);

        let mut body = BatchBody {
            states: vec![StateChange::new(RunState::InProgress, at).because("a worker has it")],
            phases: vec![PhaseChange::new(Phase::Op, at)],
            overloads: vec![Overload::new("/0/m0", at)],
            final_values: vec![FinalValue::new("/0/m0/1", f64::NAN)],
            ..BatchBody::default()
        };
        body.patch.channels = Some(vec![Channel::named("x")]);
        body.patch.time_base = Some(TimeBase { rate_hz: 1e6, origin_s: -0.1 });
        body.patch.op_time_ns = Some(u64::MAX);
        body.patch.ic_time_ns = Some(7);
        body.patch.firmware = Some("1.2".to_owned());
        body.patch.entity_digest = Some("ab".to_owned());
        body.patch.output = Some(JsonText::from_stored("[1, 2.0]"));
        body.patch.error = Some("none".to_owned());
        let plan = Plan::new(&body, &head, &Positions::default(), &Limits::default()).unwrap();
        let [states, phases, overloads, finals, more_fields] = growth(&body, &plan).unwrap();
        let more_lists = [states, phases, overloads, finals];
        let fields = fields.into_iter().chain(more_fields).collect();
        let lists = lists.into_iter().zip(more_lists).map(|(a, b)| a.into_iter().chain(b).collect()).collect();
        head.apply(&body, &plan);
        let read = read(fields, lists);
        assert_eq!(format!("{read:?}"), format!("{head:?}"));
        assert!(changes_head(&body, &plan));
    }
}
