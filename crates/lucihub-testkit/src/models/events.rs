//! Store events.

use lucihub_models_core::{EventId, StoreEvent, StoreEventKind, Timestamp};

/// An event with this number: its id and its second follow from it.
///
/// ```
/// use lucihub_testkit::models::store_event;
/// assert_eq!(store_event(7), store_event(7));
/// assert!(store_event(7).at < store_event(8).at);
/// ```
///
/// # Panics
/// For numbers past the year 9999.
#[must_use]
pub fn store_event(number: u32) -> StoreEvent {
    let at = Timestamp::from_micros(1_767_600_000_000_000 + i64::from(number) * 1_000_000).expect("a time");
    let id = uuid::Uuid::from_u128((0x7 << 76) | (0x2 << 62) | u128::from(number));
    let event = StoreEvent::new(EventId::from_uuid(id), at, StoreEventKind::Restored);
    event.by("worker-3").text(&format!("at line {number}"))
}
