//! Text that is text in a page, whatever it says.

use std::fmt::Write as _;

use maud::{Markup, PreEscaped};
use serde::Serialize;

use crate::failure::Failure;

/// A text in `<pre>` that a browser gives back byte for byte: readers of HTML drop a line feed that comes first, and
/// make line feeds of carriage returns.
pub(super) fn exact(text: &str) -> Markup {
    let mut inert = String::with_capacity(text.len() + text.len() / 8);
    inert.push_str("<pre>\n");
    for c in text.chars() {
        match c {
            '&' => inert.push_str("&amp;"),
            '<' => inert.push_str("&lt;"),
            '>' => inert.push_str("&gt;"),
            '"' => inert.push_str("&quot;"),
            '\r' => inert.push_str("&#13;"),
            other => inert.push(other),
        }
    }
    inert.push_str("</pre>");
    PreEscaped(inert)
}

/// A value as JSON in a script tag that is data: nothing in it ends the tag, or begins a comment in it.
pub(super) fn data(id: &str, value: &impl Serialize) -> Result<Markup, Failure> {
    let json = serde_json::to_string(value).map_err(std::io::Error::from)?;
    let mut inert = format!("<script type=\"application/json\" id=\"{id}\">");
    for c in json.chars() {
        match c {
            // They stand in strings alone, where this is the same character.
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => write!(inert, "\\u{:04x}", u32::from(c)).unwrap_or_default(),
            other => inert.push(other),
        }
    }
    inert.push_str("</script>");
    Ok(PreEscaped(inert))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_keeps_its_bytes() {
        let shown = exact("\n{\"a\": \"</pre><script>&amp;\"}\r\n").into_string();
        assert_eq!(shown, "<pre>\n\n{&quot;a&quot;: &quot;&lt;/pre&gt;&lt;script&gt;&amp;amp;&quot;}&#13;\n</pre>");
    }

    #[test]
    fn data_cannot_leave_its_tag() {
        let hostile = "</script><!-- <script>alert(1)</script>\u{2028}\u{2029}\"'&";
        let shown = data("d", &[hostile]).unwrap().into_string();
        let inner = shown.strip_prefix("<script type=\"application/json\" id=\"d\">").unwrap();
        let inner = inner.strip_suffix("</script>").unwrap();
        assert!(!inner.contains(['<', '>', '&', '\u{2028}', '\u{2029}']), "{inner}");
        assert_eq!(serde_json::from_str::<[String; 1]>(inner).unwrap()[0], hostile);
    }
}
