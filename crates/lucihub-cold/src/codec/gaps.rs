//! Gaps of a cell: distance from the last gap, length, cause; three to five bytes each.

use lucihub_models_core::{Gap, GapCause};

use super::bytes::{Reader, push_varint};
use super::{Damage, Decoded};

/// Causes by number. Append only: the numbers are stored.
const CAUSES: [GapCause; 3] = [GapCause::Device, GapCause::Overflow, GapCause::Store];
/// The cause is a word that follows.
const WORD: u8 = 0x7f;
const INFERRED: u8 = 0x80;

/// Encodes the gaps of a range that begins at an index.
pub(crate) fn encode(first: u64, gaps: &[Gap]) -> Vec<u8> {
    let (mut out, mut at) = (Vec::new(), first);
    for gap in gaps {
        push_varint(&mut out, gap.first.saturating_sub(at));
        push_varint(&mut out, gap.len());
        at = gap.end;
        let known = CAUSES.iter().zip(0_u8..).find(|(cause, _)| **cause == gap.cause);
        let inferred = if gap.inferred { INFERRED } else { 0 };
        out.push(inferred | known.map_or(WORD, |(_, number)| number));
        if known.is_none() {
            let word = gap.cause.as_str().as_bytes();
            push_varint(&mut out, word.len() as u64);
            out.extend_from_slice(word);
        }
    }
    out
}

/// Decodes the gaps of a range: ascending, not empty, inside it.
pub(crate) fn decode(bytes: &[u8], first: u64, end: u64) -> Decoded<Vec<Gap>> {
    let (mut reader, mut gaps, mut at) = (Reader::new(bytes), Vec::new(), first);
    while !reader.is_empty() {
        let start = at.checked_add(reader.varint()?);
        let length = reader.varint()?;
        let stop = start.and_then(|start| start.checked_add(length)).filter(|stop| length > 0 && *stop <= end);
        let (Some(start), Some(stop)) = (start, stop) else {
            return Err(Damage::new("a gap lies outside the cell"));
        };
        let [tag] = reader.array()?;
        let cause = match tag & !INFERRED {
            WORD => {
                let length = usize::try_from(reader.varint()?).map_err(Damage::new)?;
                GapCause::from(std::str::from_utf8(reader.take(length)?).map_err(Damage::new)?)
            }
            number => {
                CAUSES.get(usize::from(number)).cloned().ok_or_else(|| Damage::new("an unknown cause of a gap"))?
            }
        };
        gaps.push(Gap { first: start, end: stop, cause, inferred: tag & INFERRED != 0 });
        at = stop;
    }
    Ok(gaps)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_common_gap_takes_few_bytes() {
        let gap = Gap::new(70_000..70_200, GapCause::Device);
        assert_eq!(encode(65_536, &[gap]).len(), 5);
    }

    proptest! {
        #[test]
        fn gaps_come_back(first in 0_u64..1 << 41, parts in proptest::collection::vec((0_u64..2000, 1_u64..3000, 0_usize..5, any::<bool>()), 0..50)) {
            let causes = ["device", "overflow", "store", "cosmic", ""];
            let (mut at, mut gaps) = (first, Vec::new());
            for (distance, length, cause, inferred) in parts {
                gaps.push(Gap { first: at + distance, end: at + distance + length, cause: causes[cause].into(), inferred });
                at += distance + length;
            }
            prop_assert_eq!(decode(&encode(first, &gaps), first, at), Ok(gaps));
        }

        #[test]
        fn any_bytes_are_gaps_or_damage(bytes in proptest::collection::vec(any::<u8>(), 0..200), first in any::<u64>(), length in 0_u64..1 << 20) {
            let end = first.saturating_add(length);
            if let Ok(gaps) = decode(&bytes, first, end) {
                let mut at = first;
                for gap in gaps {
                    prop_assert!(gap.first >= at && gap.end > gap.first && gap.end <= end);
                    at = gap.end;
                }
            }
        }
    }
}
