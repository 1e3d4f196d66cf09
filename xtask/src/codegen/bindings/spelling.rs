//! JSON texts that differ in white space and in how a number is spelled, and in nothing else.

/// The text without white space between its parts, and with one spelling for each number: `1.0` is `1`, `1E3` is `1000`,
/// and -0.0, the only number whose sign others lose, stays as it is.
pub(super) fn canonical(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => string(rest),
            '-' | '0'..='9' => rest.find(|c: char| !(c.is_ascii_digit() || "+-.eE".contains(c))).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        match first {
            '-' | '0'..='9' => plain.push_str(&number(token)),
            ' ' | '\t' | '\r' | '\n' => {}
            _ => plain.push_str(token),
        }
        rest = after;
    }
    plain
}

/// The length of a string with its quotes; of all there is, where it does not end.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn number(token: &str) -> String {
    /// Up to here each whole f64 is an integer that it alone stands for.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let Ok(value) = token.parse::<f64>() else { return token.to_owned() };
    if value == 0.0 && value.is_sign_negative() {
        "-0.0".to_owned()
    } else if !token.contains(['.', 'e', 'E']) {
        token.to_owned()
    } else if value.fract() == 0.0 && value.abs() < EXACT {
        format!("{value:.0}")
    } else {
        format!("{value:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_makes_no_difference_and_all_else_does() {
        let text = "{ \"a b\\\" 1.0\" : [1.0, 1E3,\t-0.0, 0.0, -0, 5e-324, 1e+21, 0.250]\r\n}";
        assert_eq!(canonical(text), "{\"a b\\\" 1.0\":[1,1000,-0.0,0,-0.0,5e-324,1e21,0.25]}");
        let wide = "123456789012345678901234567890";
        assert_eq!(canonical(wide), wide);
        assert_eq!(canonical("9007199254740993"), "9007199254740993");
        assert_ne!(canonical("[9007199254740993]"), canonical("[9007199254740992.0]"));
        assert_ne!(canonical("\"1.0\""), canonical("\"1\""));
    }
}
