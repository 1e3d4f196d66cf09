//! Spans of time as people type them.

use std::time::Duration;

/// A span of time: a whole number and its unit.
pub(crate) fn span(text: &str) -> Result<Duration, String> {
    let hint = || format!("{text:?} is no time; use a number with s, m, h, d or w, as in 90d");
    let unit = text.chars().next_back().ok_or_else(hint)?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        _ => return Err(hint()),
    };
    let number: u64 = text[..text.len() - 1].parse().map_err(|_| hint())?;
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(hint)
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn spans_have_a_unit() {
        for (text, seconds) in [("0s", 0), ("90m", 5_400), ("24h", 86_400), ("2d", 172_800), ("1w", 604_800)] {
            assert_eq!(span(text).unwrap().as_secs(), seconds);
        }
        for bad in ["", "d", "24", "-1h", "1.5h", "1 h", "99999999999999999w", "1\u{e4}"] {
            assert!(span(bad).is_err(), "{bad}");
        }
    }
}
