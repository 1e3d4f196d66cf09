//! Samples as text: numbers that give the same bits when they are read again, and words where there are none.

use std::fmt::Write;

/// What a sample is for JSON, which has no NaN and no infinity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flag {
    /// A number.
    Ok,
    /// There is no sample.
    Missing,
    NaN,
    Infinite,
    NegativeInfinite,
}

impl Flag {
    const ALL: [Self; 5] = [Self::Ok, Self::Missing, Self::NaN, Self::Infinite, Self::NegativeInfinite];

    pub(crate) fn of(value: Option<f64>) -> Self {
        match value {
            None => Self::Missing,
            Some(value) if value.is_nan() => Self::NaN,
            Some(f64::INFINITY) => Self::Infinite,
            Some(f64::NEG_INFINITY) => Self::NegativeInfinite,
            Some(_) => Self::Ok,
        }
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Missing => "missing",
            Self::NaN => "nan",
            Self::Infinite => "inf",
            Self::NegativeInfinite => "-inf",
        }
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|flag| flag.word() == word)
    }
}

/// Adds a number: the shortest text with its bits, always as a fraction, so that no reader takes a column for whole numbers.
pub(crate) fn push_number(text: &mut String, value: f64) {
    // Writing to a string does not fail.
    let _ = write!(text, "{value:?}");
}

/// Adds a number as JSON has it, null for what JSON has no number for.
pub(crate) fn push_json(text: &mut String, value: Option<f64>) {
    match value.filter(|value| value.is_finite()) {
        Some(value) => push_number(text, value),
        None => text.push_str("null"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: f64) -> String {
        let mut text = String::new();
        push_number(&mut text, value);
        text
    }

    #[test]
    fn numbers_keep_their_bits() {
        let odd = [0.1 + 0.2, f64::MIN_POSITIVE, f64::from_bits(1), f64::MAX, -1e300, 1e22, 123_456_789.0, 1e-5, 1e16];
        for value in
            odd.into_iter().chain((0..10_000_u64).map(|n| f64::from_bits(n.wrapping_mul(0x9E37_79B9_7F4A_7C15))))
        {
            if !value.is_finite() {
                continue;
            }
            assert_eq!(text(value).parse::<f64>().unwrap().to_bits(), value.to_bits());
            let json: f64 = serde_json::from_str(&text(value)).unwrap();
            assert_eq!(json.to_bits(), value.to_bits(), "{}", text(value));
        }
        let words = [1.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(text);
        assert_eq!(words, ["1.0", "-0.0", "NaN", "inf", "-inf"]);
    }

    #[test]
    fn flags_are_known_by_their_words() {
        for flag in Flag::ALL {
            assert_eq!(Flag::from_word(flag.word()), Some(flag));
        }
        assert_eq!(Flag::from_word("OK"), None);
    }
}
