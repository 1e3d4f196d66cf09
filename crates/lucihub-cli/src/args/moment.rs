//! Points in time as people type them: RFC 3339, or a day alone, which is one of UTC.

use lucihub_models_core::Timestamp;

/// A point in time, or the beginning of a day.
pub(crate) fn from_moment(text: &str) -> Result<Timestamp, String> {
    moment(text, "00:00:00Z")
}

/// A point in time, or the end of a day.
pub(crate) fn until_moment(text: &str) -> Result<Timestamp, String> {
    moment(text, "23:59:59.999999Z")
}

fn moment(text: &str, of_day: &str) -> Result<Timestamp, String> {
    // Without the time of day, what RFC 3339 wants is there but for that.
    let read = if text.contains(['T', 't', ' ']) { text.parse() } else { format!("{text}T{of_day}").parse() };
    read.map_err(|_| format!("{text:?} is no time; use one like 2026-11-26T09:00:00Z, or a day like 2026-11-26"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_all_of_it() {
        let (from, until) = (from_moment("2026-11-26").unwrap(), until_moment("2026-11-26").unwrap());
        assert_eq!(from, "2026-11-26T00:00:00Z".parse().unwrap());
        assert_eq!(until.as_micros() + 1, from_moment("2026-11-27").unwrap().as_micros());
        for text in ["2026-11-26T09:00:00Z", "2026-11-26T10:00:00.5+01:00"] {
            assert_eq!(from_moment(text), until_moment(text));
            assert_eq!(from_moment(text).unwrap(), text.parse().unwrap());
        }
        for bad in ["", "yesterday", "2026-11", "2026-11-31", "26.11.2026", "2026-11-26T09:00", "09:00:00Z", "T"] {
            assert!(from_moment(bad).is_err() && until_moment(bad).is_err(), "{bad}");
        }
    }
}
