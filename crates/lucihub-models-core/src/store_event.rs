//! What the storages and their users did with a run, for people who ask why.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::Invalid;
use crate::extra::Extra;
use crate::id::{EventId, RunId};
use crate::json::wide_integer;
use crate::limits::Limits;
use crate::open_text::open_text;
use crate::timestamp::Timestamp;

open_text! {
    /// What happened to a run. The list is open.
    StoreEventKind, "What happened to a run in the storages" {
        /// A keeper brought it to hot storage, where it was not.
        Opened = "opened",
        /// A worker has it.
        TakenOver = "taken_over",
        /// A worker lost it to another writer.
        Fenced = "fenced",
        /// Hot storage had lost it, and its worker put it back.
        Restored = "restored",
        /// Hot storage had lost it, its worker did not come, and a keeper put it back.
        Rescued = "rescued",
        /// What nobody has any more became a gap with cause `store`.
        StoreLost = "store_lost",
        /// Its worker waited for room in hot storage.
        StoreFull = "store_full",
        /// Its worker sat out an outage of hot storage.
        Unreachable = "unreachable",
        /// Its worker renewed the lease after that had run out.
        RenewedLate = "renewed_late",
        /// Somebody asked for its end while a worker had it.
        CancelRequested = "cancel_requested",
        /// Its worker's lease had run out, and a keeper ended it.
        EndedByKeeper = "ended_by_keeper",
        /// It is in cold storage, whole, and for good.
        Archived = "archived",
        /// Cold storage gave back something else than was archived.
        FoundCorrupt = "found_corrupt",
        /// That was put right.
        Repaired = "repaired",
    }
}

/// Something that the storages or their users did with a run.
///
/// For people alone: no event changes what a run is. It is part of neither head nor digest, and may be lost. Of one run
/// the last [`KEPT`](Self::KEPT) are kept.
///
/// ```
/// use lucihub_models_core::{IdSource, StoreEvent, StoreEventKind, SystemIds, Timestamp};
/// let event = StoreEvent::new(SystemIds.event_id(), Timestamp::EPOCH, StoreEventKind::Restored)
///     .by("worker-3")
///     .text("at line 12;\n3 batches sent again");
/// assert_eq!(event.text.as_deref(), Some("at line 12; 3 batches sent again"));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct StoreEvent {
    /// Which one it is: however often it is told, it happened once.
    pub id: EventId,
    /// When, by the clock of who noted it.
    pub at: Timestamp,
    /// What.
    pub kind: StoreEventKind,
    /// Who did it: the name of a worker, or `keeper`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Details, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Fields of newer components.
    #[serde(flatten)]
    pub extra: Extra,
}

impl StoreEvent {
    /// How many events of one run are kept: the last ones.
    pub const KEPT: usize = 200;
    /// Bytes of `text` that [`text`](Self::text) keeps.
    const TEXT_BYTES: usize = 1024;
    /// Bytes of `by` that [`by`](Self::by) keeps.
    const NAME_BYTES: usize = 256;

    /// An event.
    #[must_use]
    pub fn new(id: EventId, at: Timestamp, kind: StoreEventKind) -> Self {
        Self { id, at, kind, by: None, text: None, extra: Extra::default() }
    }

    /// An event that follows from a stored fact, whose id does too: whoever finds the fact, and however often, tells the
    /// same event.
    #[must_use]
    pub fn of_fact(run: RunId, kind: StoreEventKind, at: Timestamp, fact: &str) -> Self {
        let digest = Digest::of(format!("{run} {kind} {fact}").as_bytes());
        let mut id = [0; 16];
        id.copy_from_slice(&digest.as_bytes()[..16]);
        Self::new(EventId::from_uuid(uuid::Builder::from_custom_bytes(id).into_uuid()), at, kind)
    }

    /// Says who did it. Made one line, and cut.
    #[must_use]
    pub fn by(mut self, who: &str) -> Self {
        self.by = Some(one_line(who, Self::NAME_BYTES));
        self
    }

    /// Adds details. Made one line, and cut.
    #[must_use]
    pub fn text(mut self, details: &str) -> Self {
        self.text = Some(one_line(details, Self::TEXT_BYTES));
        self
    }

    /// Checks that it is small, and that its texts are one line each.
    ///
    /// # Errors
    /// [`Invalid`] with the limit and what to do.
    pub fn check(&self, limits: &Limits) -> Result<(), Invalid> {
        let texts = [("kind", Some(self.kind.as_str())), ("by", self.by.as_deref()), ("text", self.text.as_deref())];
        for (name, text) in texts {
            if text.is_some_and(|text| text.contains(breaks_line)) {
                return Err(Invalid::new(format!("{name} of a store event"), "more than one line")
                    .hint("give it without line breaks and control characters"));
            }
        }
        if self.kind.as_str().is_empty() {
            return Err(Invalid::new("kind of a store event", "empty").hint("say in one word what happened"));
        }
        if self.extra.depth() > limits.json_depth {
            return Err(Invalid::new("store event", format!("nested {} levels deep", self.extra.depth()))
                .hint(format!("the limit is {}", limits.json_depth)));
        }
        let size = self.to_json().len();
        if size > limits.event_bytes {
            return Err(Invalid::new("store event", format!("{size} bytes"))
                .hint(format!("the limit is {} bytes", limits.event_bytes)));
        }
        Ok(())
    }

    /// Checks each of some events.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn check_all(events: &[Self], limits: &Limits) -> Result<(), Invalid> {
        events.iter().try_for_each(|event| event.check(limits))
    }

    /// Which events are kept when more are added to some: each id once, as it was first told; in order of time, then of id;
    /// the last [`KEPT`](Self::KEPT).
    ///
    /// In whatever order, and however often, the same events are added, the same are kept in the end.
    #[must_use]
    pub fn merged(kept: Vec<Self>, more: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let mut known = HashSet::new();
        let mut all: Vec<Self> = kept.into_iter().chain(more).filter(|event| known.insert(event.id)).collect();
        all.sort_by_key(|event| (event.at, event.id));
        all.drain(..all.len().saturating_sub(Self::KEPT));
        all
    }

    /// The event as one JSON object.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Strings, numbers and what was JSON before: nothing that could not be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads an event.
    ///
    /// # Errors
    /// [`Invalid`] for anything that is none.
    pub fn from_json(text: &str) -> Result<Self, Invalid> {
        read(text)
    }

    /// Events as one JSON array.
    #[must_use]
    pub fn list_to_json(events: &[Self]) -> String {
        let all: Vec<String> = events.iter().map(Self::to_json).collect();
        format!("[{}]", all.join(","))
    }

    /// Reads a list of events.
    ///
    /// # Errors
    /// [`Invalid`] for anything that is none.
    pub fn list_from_json(text: &str) -> Result<Vec<Self>, Invalid> {
        read(text)
    }
}

fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Invalid> {
    if let Some(number) = wide_integer(text, &[]) {
        return Err(Invalid::new("store event", format!("the integer {number} has more than 64 bits")));
    }
    serde_json::from_str(text).map_err(|why| Invalid::new("store event", why.to_string()))
}

/// Whether a character ends a line, or moves a terminal's cursor.
fn breaks_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// A text in one line of so many bytes at most.
fn one_line(text: &str, most: usize) -> String {
    const CUT: &str = "...";
    let mut line = text.split(breaks_line).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    if line.len() > most {
        line.truncate(line.floor_char_boundary(most - CUT.len()));
        line.push_str(CUT);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{IdSource, SystemIds};

    fn event(second: i64) -> StoreEvent {
        let at = Timestamp::from_micros(second * 1_000_000).unwrap();
        StoreEvent::new(SystemIds.event_id(), at, StoreEventKind::TakenOver)
    }

    #[test]
    fn the_last_ones_are_kept_in_order_and_each_once() {
        let all: Vec<StoreEvent> = (0..250).map(event).collect();
        let mut kept = Vec::new();
        for turn in [7, 3, 1] {
            for event in all.iter().rev().step_by(turn) {
                kept = StoreEvent::merged(kept, [event.clone(), event.clone()]);
            }
        }
        assert_eq!(kept, all[50..]);
        assert_eq!(StoreEvent::merged(Vec::new(), all.clone()), all[50..]);
        let mut retold = all[249].clone();
        retold.text = Some("told otherwise".to_owned());
        assert_eq!(StoreEvent::merged(kept, [retold]), all[50..], "an event stays as it was first told");
    }

    #[test]
    fn a_fact_is_told_under_one_id() {
        let run: RunId = "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e".parse().unwrap();
        let id = |kind, at, fact| StoreEvent::of_fact(run, kind, at, fact).id;
        let archived = id(StoreEventKind::Archived, Timestamp::EPOCH, "a");
        assert_eq!(archived, id(StoreEventKind::Archived, Timestamp::MAX, "a"));
        assert_ne!(archived, id(StoreEventKind::Archived, Timestamp::EPOCH, "b"));
        assert_ne!(archived, id(StoreEventKind::Repaired, Timestamp::EPOCH, "a"));
    }

    #[test]
    fn texts_become_one_line_that_the_limits_take() {
        let long = "\u{1f9ea}\"\n\u{2028}\\".repeat(1_000);
        let said = event(1).by(&long).text(&long);
        said.check(&Limits::default()).unwrap();
        assert!(said.text.as_ref().unwrap().len() <= 1024 && said.by.as_ref().unwrap().len() <= 256);
        for broken in ["a\nb", "a\u{2028}b", "a\u{1b}[2Jb"] {
            let broken = StoreEvent { text: Some(broken.to_owned()), ..event(1) };
            assert!(broken.check(&Limits::default()).unwrap_err().to_string().contains("more than one line"));
        }
        assert!(StoreEvent { kind: StoreEventKind::from(""), ..event(1) }.check(&Limits::default()).is_err());
    }

    #[test]
    fn the_size_is_checked_at_the_limit_and_one_past_it() {
        let limits = Limits::default();
        let room = limits.event_bytes - event(1).text("").to_json().len();
        let sized = |bytes| StoreEvent { text: Some("x".repeat(bytes)), ..event(1) };
        sized(room).check(&limits).unwrap();
        let refused = sized(room + 1).check(&limits).unwrap_err().to_string();
        assert!(refused.contains("the limit is 4096 bytes"), "{refused}");
    }

    #[test]
    fn newer_words_and_fields_survive() {
        let text = r#"{"id":"0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e","at":"2026-11-23T17:30:00.000000Z","kind":"moved","to":[1]}"#;
        let event = StoreEvent::from_json(text).unwrap();
        assert_eq!((event.kind.as_str(), &*event.to_json()), ("moved", text));
        assert_eq!(
            StoreEvent::list_from_json(&StoreEvent::list_to_json(std::slice::from_ref(&event))).unwrap(),
            [event]
        );
        assert!(StoreEvent::from_json(&text.replace("[1]", "18446744073709551616")).is_err());
    }
}
