//! Coordinates: positions form a lattice, cursors and times survive their text.

use std::time::Duration;

use lucihub_models_core::{Cursor, Limits, Order, PageCursor, PageRequest, Positions, RunFilter, RunState, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::given::{cases, run_ids, texts, times};

fn counts() -> impl Strategy<Value = u64> + Clone {
    prop_oneof![0_u64..4, any::<u64>(), Just(u64::MAX)]
}

fn positions() -> impl Strategy<Value = Positions> + Clone {
    (counts(), counts(), counts(), vec(counts(), 0..6)).prop_map(|(states, phases, lines, samples)| Positions {
        states,
        phases,
        lines,
        samples,
    })
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn positions_are_a_lattice(a in positions(), b in positions(), c in positions()) {
        let (low, high) = (a.min(&b), a.max(&b));
        prop_assert!(a.covers(&a) && a.covers(&low) && b.covers(&low) && high.covers(&a) && high.covers(&b));
        prop_assert_eq!(&low, &b.min(&a));
        prop_assert_eq!(&high, &b.max(&a));
        prop_assert_eq!(a.max(&low), a.clone());
        prop_assert_eq!(a.min(&high), a.clone());
        prop_assert_eq!(a.covers(&b), a.max(&b) == a);
        prop_assert_eq!(a.max(&b).max(&c), a.max(&b.max(&c)));
        prop_assert_eq!(a == b, a.covers(&b) && b.covers(&a));
    }

    #[test]
    fn a_channel_that_is_not_listed_is_at_0(mut a in positions(), zeros in 0_usize..4, channel in 0_u32..9, next in counts()) {
        let mut longer = a.clone();
        longer.samples.extend(vec![0; zeros]);
        prop_assert_eq!(&a, &longer);
        let before = a.clone();
        a.set_sample(channel, next);
        for other in 0..12 {
            prop_assert_eq!(a.sample(other), if other == channel { next } else { before.sample(other) });
        }
    }

    #[test]
    fn cursors_survive_their_text(run in run_ids(), at in positions()) {
        let cursor = Cursor::new(run, at);
        let text = cursor.to_string();
        prop_assert_eq!(&text.parse::<Cursor>().unwrap(), &cursor);
        prop_assert!(text.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c)), "fit for a URL: {}", text);
    }

    #[test]
    fn page_cursors_survive_their_text(id in run_ids(), created_at in times(), owner in texts()) {
        let filter = RunFilter::default().owner(owner);
        let cursor = PageCursor::new(&filter, Order::Oldest, created_at, id);
        prop_assert_eq!(cursor.to_string().parse::<PageCursor>().unwrap(), cursor);
        let page = PageRequest::oldest(1).after(cursor);
        prop_assert!(page.check(&filter, &Limits::default()).is_ok());
        prop_assert!(PageRequest::newest(1).after(cursor).check(&filter, &Limits::default()).is_err());
        prop_assert!(page.check(&filter.state(RunState::Queued), &Limits::default()).is_err());
    }

    #[test]
    fn a_changed_page_cursor_is_refused(id in run_ids(), created_at in times(), place in 0_usize..74, digit in "[0-9a-f]") {
        let text = PageCursor::new(&RunFilter::default(), Order::Newest, created_at, id).to_string();
        let mut changed = text.clone();
        changed.replace_range(place..=place, &digit);
        prop_assert_eq!(changed.parse::<PageCursor>().is_ok(), changed == text);
    }

    #[test]
    fn garbage_is_no_cursor(text in texts()) {
        prop_assert!(text.parse::<Cursor>().is_err());
        prop_assert!(text.parse::<PageCursor>().is_err());
    }

    #[test]
    fn a_damaged_cursor_is_refused_or_stable(run in run_ids(), at in positions(), place in any::<prop::sample::Index>(), with in "[0-9.x_+-]?") {
        let mut text = Cursor::new(run, at).to_string();
        let place = place.index(text.len());
        text.replace_range(place..=place, &with);
        if let Ok(read) = text.parse::<Cursor>() {
            prop_assert_eq!(read.to_string().parse::<Cursor>().unwrap(), read);
        }
    }

    #[test]
    fn times_survive_their_text(at in times()) {
        let text = at.to_string();
        prop_assert_eq!(text.parse::<Timestamp>().unwrap(), at);
        prop_assert_eq!(text.len(), "2026-11-23T17:30:00.250000Z".len(), "texts sort like times: {}", text);
        prop_assert_eq!(serde_json::from_str::<Timestamp>(&serde_json::to_string(&at).unwrap()).unwrap(), at);
        prop_assert_eq!(Timestamp::try_from(time::OffsetDateTime::from(at)).unwrap(), at);
    }

    #[test]
    fn texts_sort_like_times(a in times(), b in times()) {
        prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
    }

    #[test]
    fn spans_add_and_saturate(at in times(), micros in 0_u64..=u64::MAX) {
        let span = Duration::from_micros(micros);
        let (later, earlier) = (at.after(span), at.before(span));
        prop_assert!(later >= at && earlier <= at && later <= Timestamp::MAX && earlier >= Timestamp::MIN);
        prop_assert!(later.since(at) == span || later == Timestamp::MAX);
        prop_assert!(at.since(earlier) == span || earlier == Timestamp::MIN);
        prop_assert_eq!(at.since(later), Duration::ZERO);
    }
}

#[test]
fn cursors_that_would_fill_memory_are_refused() {
    let run = "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e";
    assert!(format!("1.{run}.0.0.0.7x65536").parse::<Cursor>().is_ok());
    for samples in ["7x65537", "7x18446744073709551615", "7x65000_8x537", "7x-1", "7", "x", "7x1_", "_7x1x"] {
        let answer = format!("1.{run}.0.0.0.{samples}").parse::<Cursor>();
        assert!(answer.is_err() || answer.is_ok_and(|c| c.at.samples.len() <= 1), "{samples}");
    }
    assert!(format!("2.{run}.0.0.0.").parse::<Cursor>().is_err(), "a later form is not guessed at");
}

#[test]
fn times_outside_the_years_are_refused() {
    for micros in [Timestamp::MIN.as_micros() - 1, Timestamp::MAX.as_micros() + 1, i64::MIN, i64::MAX] {
        assert!(Timestamp::from_micros(micros).is_err());
    }
    for text in [
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "2026-11-23T17:30:00.0000001Z",
        "2026-11-23 17:30",
        "2026-02-30T00:00:00Z",
        "",
    ] {
        assert!(text.parse::<Timestamp>().is_err(), "{text}");
    }
    assert_eq!("0001-01-01T01:00:00+01:00".parse::<Timestamp>().unwrap(), Timestamp::MIN);
}
