//! Log lines of a cell: a JSON array of the model's own form, behind zstd.
//!
//! JSON, because lines carry fields of newer components and grow by such; it
//! escapes newline, NUL and U+2028, so a line stays one line.

use std::io::Read;

use lucihub_models_core::{Invalid, LogLine};
use serde::Deserializer as _;
use serde::de::{Error as _, SeqAccess, Visitor};

use super::{Damage, Decoded};

/// The JSON itself.
const PLAIN: i64 = 0;
/// zstd of the JSON.
const ZSTD: i64 = 1;

/// Level 3: logs are small beside samples, and this is where more effort stops to pay.
const LEVEL: i32 = 3;

/// The largest window that is unpacked with, as a power of two: 8 MiB, what every decoder of zstd must have. The level
/// above takes 2 MiB; what claims more was written by nobody.
const WINDOW: u32 = 23;

/// The most bytes of JSON in one cell, so that no stored bytes can unpack to
/// more. A cell of 1,024 lines at the default limit has 64 MiB of text.
const MAX_TEXT: u64 = 1 << 30;

/// The most lines that a cell may have, as the grid allows.
pub(crate) const MAX_LINES: u64 = 2_048;

/// Encodes lines: the codec's number, and the bytes.
///
/// # Errors
/// [`Invalid`] for a cell past [`MAX_TEXT`], and for a line that JSON does not
/// give back.
pub(crate) fn encode(lines: &[LogLine]) -> Result<(i64, Vec<u8>), Invalid> {
    let text = serde_json::to_vec(lines).map_err(|e| Invalid::new("log lines", e.to_string()))?;
    if text.len() as u64 > MAX_TEXT {
        return Err(Invalid::new("log cell", format!("{} bytes of lines", text.len()))
            .hint(format!("the limit is {MAX_TEXT}; use fewer lines per cell")));
    }
    if parse(&text, lines.len()).ok().as_deref() != Some(lines) {
        return Err(Invalid::new("log lines", "a field does not survive JSON"));
    }
    Ok(match zstd::bulk::compress(&text, LEVEL) {
        Ok(packed) if packed.len() < text.len() => (ZSTD, packed),
        _ => (PLAIN, text),
    })
}

/// Decodes a number of lines.
pub(crate) fn decode(codec: i64, bytes: &[u8], count: u64) -> Decoded<Vec<LogLine>> {
    if count > MAX_LINES {
        return Err(Damage::new(format!("{count} lines in one cell")));
    }
    let most = usize::try_from(count).map_err(Damage::new)?;
    let lines = match codec {
        PLAIN => parse(bytes, most),
        ZSTD => parse(&unpack(bytes)?, most),
        other => Err(Damage::new(format!("codec {other} of log lines is not known to this version"))),
    }?;
    if lines.len() as u64 != count {
        return Err(Damage::new(format!("{} lines where {count} belong", lines.len())));
    }
    Ok(lines)
}

fn parse(text: &[u8], most: usize) -> Decoded<Vec<LogLine>> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let lines = reader.deserialize_seq(AtMost(most)).map_err(Damage::new)?;
    reader.end().map_err(Damage::new)?;
    Ok(lines)
}

/// Reads so many lines, and stops at one more: an empty line takes twelve bytes of text and many times that as a value.
struct AtMost(usize);

impl<'de> Visitor<'de> for AtMost {
    type Value = Vec<LogLine>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of log lines")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<LogLine>, A::Error> {
        let mut lines = Vec::new();
        while let Some(line) = items.next_element()? {
            if lines.len() == self.0 {
                return Err(A::Error::custom(format!("more lines than the {} that belong here", self.0)));
            }
            lines.push(line);
        }
        Ok(lines)
    }
}

/// Unpacks piece by piece: the length that the bytes claim is not believed.
fn unpack(bytes: &[u8]) -> Decoded<Vec<u8>> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(bytes).map_err(Damage::new)?;
    decoder.window_log_max(WINDOW).map_err(Damage::new)?;
    let mut text = Vec::new();
    decoder.take(MAX_TEXT + 1).read_to_end(&mut text).map_err(Damage::new)?;
    if text.len() as u64 > MAX_TEXT {
        return Err(Damage::new(format!("more than {MAX_TEXT} bytes of lines")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use lucihub_models_core::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn line() -> impl Strategy<Value = LogLine> {
        let micros = Timestamp::MIN.as_micros()..=Timestamp::MAX.as_micros();
        let at = proptest::option::of(micros.prop_map(|t| Timestamp::from_micros(t).unwrap()));
        let word = proptest::option::of(".{0,6}");
        let extra = proptest::option::of(any::<u64>());
        (any::<String>(), at, word.clone(), word, proptest::option::of(any::<u64>()), extra).prop_map(
            |(text, at, level, source, cut_from, extra)| {
                let mut line = match extra {
                    Some(n) => serde_json::from_str(&format!("{{\"text\":\"\",\"later\":{{\"n\":{n}}}}}")).unwrap(),
                    None => LogLine::from(String::new()),
                };
                (line.text, line.at, line.level, line.source, line.cut_from) = (text, at, level, source, cut_from);
                line
            },
        )
    }

    #[test]
    fn characters_that_end_lines_elsewhere_survive() {
        let texts =
            ["", "a\nb\r\n", "\0", "\u{2028}\u{2029}\u{85}", "\u{feff}", "\u{10ffff}", "\\u0000", "\"", "\u{1b}[0m"];
        let lines: Vec<LogLine> = texts.iter().map(|text| LogLine::from((*text).to_owned())).collect();
        let (codec, bytes) = encode(&lines).unwrap();
        assert_eq!(decode(codec, &bytes, texts.len() as u64), Ok(lines));
    }

    #[test]
    fn both_codecs_are_used() {
        let small = [LogLine::from("x".to_owned())];
        let large = vec![LogLine::from("the same again".to_owned()); 100];
        assert_eq!(encode(&small).unwrap().0, PLAIN);
        let (codec, bytes) = encode(&large).unwrap();
        assert_eq!(codec, ZSTD);
        assert!(bytes.len() < 200);
        assert!(decode(ZSTD, &bytes, 99).is_err());
        assert!(decode(2, &bytes, 100).is_err());
    }

    #[test]
    fn a_window_that_no_encoder_takes_is_refused() {
        // A frame with `[]` in it as it is, behind a window of two to this power.
        let frame = |log: u8| [&[0x28, 0xb5, 0x2f, 0xfd, 0, (log - 10) << 3, 17, 0, 0][..], b"[]"].concat();
        assert_eq!(decode(ZSTD, &frame(21), 0), Ok(vec![]));
        for log in [24, 27, 31, 41] {
            assert!(decode(ZSTD, &frame(log), 0).is_err(), "2^{log} bytes");
        }
    }

    #[test]
    fn more_lines_than_belong_there_are_not_kept_in_memory() {
        let text = format!("[{}{{\"text\":\"\"}}]", "{\"text\":\"\"},".repeat(200_000));
        let packed = zstd::bulk::compress(text.as_bytes(), LEVEL).unwrap();
        let mut decoded = None;
        let held = allocation_counter::measure(|| decoded = Some(decode(ZSTD, &packed, 7))).bytes_max;
        assert!(decoded.unwrap().is_err());
        assert!(held < 3 * text.len() as u64, "{held} bytes were held for {} of text", text.len());
        assert!(decode(ZSTD, &packed, 200_001).is_err(), "a cell never has so many");
    }

    proptest! {
        #[test]
        fn lines_come_back(lines in proptest::collection::vec(line(), 0..40)) {
            let (codec, bytes) = encode(&lines).unwrap();
            prop_assert_eq!(decode(codec, &bytes, lines.len() as u64), Ok(lines));
        }

        #[test]
        fn any_bytes_are_lines_or_damage(bytes in proptest::collection::vec(any::<u8>(), 0..300), codec in 0_i64..3, magic in any::<bool>()) {
            let mut all = if magic { vec![0x28, 0xb5, 0x2f, 0xfd] } else { Vec::new() };
            all.extend(bytes);
            let _ = decode(codec, &all, 1);
        }
    }
}
