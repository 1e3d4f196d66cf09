//! What the events of a run tell: in words, and as a table.

use lucihub_models_core::{StoreEvent, StoreEventKind};

use crate::failure::Failure;
use crate::output;

/// How many events the sentence has room for.
const SHOWN: usize = 4;

/// What the events add to the sentence: parts of it, the last ones, each behind a semicolon.
pub(super) fn in_words(events: &[StoreEvent], has_ended: bool) -> String {
    let mut taken = 0;
    let parts: Vec<String> = events
        .iter()
        .filter_map(|event| {
            taken += usize::from(event.kind == StoreEventKind::TakenOver);
            match event.kind {
                // The first worker is no news, and who has it now the sentence says already.
                StoreEventKind::TakenOver if taken < 2 || !has_ended => None,
                // While it goes on, the sentence says that as well.
                StoreEventKind::CancelRequested if !has_ended => None,
                _ => part(event),
            }
        })
        .collect();
    let earlier = parts.len().saturating_sub(SHOWN);
    let counted = output::counted(earlier as u64, "earlier event", "earlier events");
    let counted = (earlier > 0).then(|| format!("; {counted}, see --events"));
    counted.into_iter().chain(parts[earlier..].iter().map(|part| format!("; {part}"))).collect()
}

/// An event in words. What the state, its reason or the gaps say, and what this version does not know, is left out.
fn part(event: &StoreEvent) -> Option<String> {
    let at = event.at;
    let by = event.by.as_deref().map_or_else(|| "somebody".to_owned(), output::one_line);
    let details = event.text.as_deref().map(|text| format!(": {}", output::one_line(text))).unwrap_or_default();
    Some(match event.kind {
        StoreEventKind::Opened => format!("a keeper brought it to hot storage at {at}"),
        StoreEventKind::TakenOver => format!("{by} took it over at {at}"),
        StoreEventKind::Fenced => format!("{by} had lost it to another writer by {at}"),
        StoreEventKind::Restored => format!("hot storage lost it and {by} put it back at {at}"),
        StoreEventKind::Rescued => format!("hot storage lost it and a keeper put it back at {at}"),
        StoreEventKind::StoreFull => format!("{by} waited from {at} on{details}"),
        StoreEventKind::Unreachable => format!("{by} was alone from {at} on{details}"),
        StoreEventKind::RenewedLate => format!("{by} came back at {at}{details}"),
        StoreEventKind::CancelRequested => format!("its end was asked for at {at}{details}"),
        StoreEventKind::FoundCorrupt => format!("damage was found at {at}{details}"),
        StoreEventKind::Repaired => format!("that was repaired at {at}"),
        _ => return None,
    })
}

/// Prints all events, oldest first.
pub(super) fn print(events: &[StoreEvent]) -> Result<(), Failure> {
    let cell = |text: Option<&str>| text.map_or_else(|| "-".to_owned(), output::one_line);
    let row = |event: &StoreEvent| {
        let (by, text) = (event.by.as_deref(), event.text.as_deref());
        vec![event.at.to_string(), output::one_line(event.kind.as_str()), cell(by), cell(text)]
    };
    output::table(&["TIME", "WHAT", "BY", "DETAILS"], events.iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use lucihub_models_core::{IdSource, SystemIds, Timestamp};

    use super::*;

    fn event(second: i64, kind: StoreEventKind) -> StoreEvent {
        let at = Timestamp::from_micros(second * 1_000_000).unwrap();
        StoreEvent::new(SystemIds.event_id(), at, kind).by("worker-3")
    }

    #[test]
    fn what_was_survived_is_told_and_what_is_said_already_is_not() {
        use StoreEventKind::{Archived, CancelRequested, EndedByKeeper, Restored, StoreLost, TakenOver};
        let all = [
            event(1, TakenOver),
            event(2, Restored),
            event(2, StoreLost),
            event(3, StoreEventKind::from("moved")),
            event(4, TakenOver),
            event(5, CancelRequested).text("too hot"),
            event(6, EndedByKeeper),
            event(7, Archived),
        ];
        let at = |n: usize| all[n].at;
        let put_back = format!("; hot storage lost it and worker-3 put it back at {}", at(1));
        assert_eq!(in_words(&all, false), put_back);
        let asked = format!("; its end was asked for at {}: too hot", at(5));
        assert_eq!(in_words(&all, true), format!("{put_back}; worker-3 took it over at {}{asked}", at(4)));
        assert_eq!(in_words(&all[..1], true), "");
    }

    #[test]
    fn of_many_the_last_ones_are_told() {
        let all: Vec<_> = (0..200).map(|n| event(n, StoreEventKind::Restored)).collect();
        let said = in_words(&all, true);
        assert!(said.starts_with("; 196 earlier events, see --events; hot storage lost it"), "{said}");
        assert!(said.ends_with(&all[199].at.to_string()) && said.matches("put it back").count() == 4, "{said}");
    }

    #[test]
    fn hostile_details_stay_in_the_line() {
        let mut hostile = event(1, StoreEventKind::Unreachable);
        hostile.text = Some("a\u{1b}[2J\nb".to_owned());
        let said = in_words(&[hostile], true);
        assert!(said.ends_with(": a\\u{1b}[2J\\nb"), "{said}");
    }
}
