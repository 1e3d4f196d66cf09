//! The head of a run as columns, and back.
//!
//! The document in `head` is the truth of all but four fields: input and output
//! are large, and labels and error are people's to change, so each of these has
//! a column of its own and stands nowhere else. The other columns repeat what is
//! filtered, sorted or listed, and are written in the same statement.

use std::collections::BTreeMap;

use diesel::prelude::*;
use lucihub_models_core::{
    Digest, HeadDocument, Invalid, JsonText, ModelError, RunHead, StateChange, Timestamp, Version, WriteAs,
};
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::schema::runs;
use crate::types::{Free, Json, Time};

/// The columns that a head decides as a run goes on. Labels are people's, and the
/// input never changes: it is written once, when the run is created.
#[derive(Debug, Insertable, AsChangeset)]
#[diesel(table_name = runs, treat_none_as_null = true)]
pub(crate) struct HeadColumns {
    created_at: Time,
    job_type: Free,
    state: Free,
    state_count: i64,
    device: Option<Free>,
    device_type: Option<Free>,
    owner: Option<Free>,
    channels: i64,
    error: Option<Free>,
    states: Json,
    head: Json,
    output: Option<Json>,
    model_version: Free,
    written_by: Option<Free>,
    written_at: Option<Time>,
}

/// The parts of a head in the columns of a row.
pub(crate) struct StoredHead {
    pub(crate) head: Json,
    pub(crate) labels: Json,
    pub(crate) error: Option<Free>,
    pub(crate) input: Option<Json>,
    pub(crate) output: Option<Json>,
}

impl HeadColumns {
    pub(crate) fn of(head: &RunHead, writes: &WriteAs, now: Timestamp) -> Result<Self, Error> {
        Ok(Self {
            created_at: Time(head.created_at),
            job_type: head.job_type.as_str().into(),
            state: head.state().as_str().into(),
            state_count: state_count(head),
            device: head.device.as_ref().map(|id| id.as_str().into()),
            device_type: head.device_type.as_ref().map(|kind| kind.as_str().into()),
            owner: head.owner.as_deref().map(Free::from),
            channels: i64::try_from(head.channels.len()).unwrap_or(i64::MAX),
            error: head.error.as_deref().map(Free::from),
            states: json("states", &head.states)?,
            head: document(head, writes.version())?,
            output: head.output.as_ref().map(text),
            model_version: writes.version().as_str().into(),
            written_by: Some(writes.name().into()),
            written_at: Some(Time(now)),
        })
    }
}

impl StoredHead {
    /// The head that a row holds. `row` names the row in errors.
    pub(crate) fn read(self, row: impl Fn() -> String) -> Result<RunHead, Error> {
        let mut head = HeadDocument::read(&self.head.0).map_err(|e| match e {
            newer @ ModelError::NewerVersion { .. } => newer.into(),
            other => Error::row("runs", "head", row(), other),
        })?;
        head.labels = parse(&self.labels).map_err(|e| Error::row("runs", "labels", row(), e))?;
        head.error = self.error.map(|Free(text)| text);
        head.input = self.input.map(|json| JsonText::from_stored(json.0));
        head.output = self.output.map(|json| JsonText::from_stored(json.0));
        Ok(head)
    }
}

/// A document, byte for byte.
pub(crate) fn text(json: &JsonText) -> Json {
    Json(json.as_str().to_owned())
}

/// How many states a head has, as its column holds it.
pub(crate) fn state_count(head: &RunHead) -> i64 {
    i64::try_from(head.states.len()).unwrap_or(i64::MAX)
}

/// Labels, as their column holds them.
pub(crate) fn labels(labels: &BTreeMap<String, String>) -> Result<Json, Error> {
    json("labels", labels)
}

/// States, from their column.
pub(crate) fn states(json: &Json) -> serde_json::Result<Vec<StateChange>> {
    parse(json)
}

/// A column of JSON.
pub(crate) fn parse<T: DeserializeOwned>(json: &Json) -> serde_json::Result<T> {
    serde_json::from_str(&json.0)
}

/// A value as a column of JSON.
pub(crate) fn json<T: serde::Serialize>(what: &'static str, value: &T) -> Result<Json, Error> {
    let broken = |e: serde_json::Error| ModelError::NotRepresentable { what, form: "JSON", why: e.to_string() };
    Ok(Json(serde_json::to_string(value).map_err(broken)?))
}

/// The digest of a head as it was created: a repeated `create` is told from
/// another one by it, however the run has gone on.
pub(crate) fn created_digest(head: &RunHead) -> Result<Digest, Error> {
    let document = HeadDocument::write(&without_columns(head))?;
    let labels = labels(&head.labels)?;
    let texts = [
        Some(document.as_str()),
        Some(&labels.0),
        head.error.as_deref(),
        head.input.as_ref().map(JsonText::as_str),
        head.output.as_ref().map(JsonText::as_str),
    ];
    let mut bytes = Vec::new();
    for text in texts {
        // The length goes first, absence has none: no two contents share bytes.
        bytes.extend(text.map_or(u64::MAX, |text| text.len() as u64).to_le_bytes());
        bytes.extend(text.unwrap_or_default().as_bytes());
    }
    Ok(Digest::of(&bytes))
}

/// The document of a head, which reads back: an unknown field that is nested
/// almost too deep would otherwise make its run unreadable for ever.
fn document(head: &RunHead, version: Version) -> Result<Json, Error> {
    let (text, _) = HeadDocument::downgrade(&without_columns(head), version)?;
    let unreadable = |e: ModelError| Invalid::new("run head", format!("it does not read back: {e}"));
    HeadDocument::read(&text).map_err(unreadable)?;
    Ok(Json(text))
}

fn without_columns(head: &RunHead) -> RunHead {
    let mut bare = head.clone();
    bare.labels = BTreeMap::new();
    (bare.error, bare.input, bare.output) = (None, None, None);
    bare
}
