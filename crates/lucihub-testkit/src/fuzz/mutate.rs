//! Mutations of valid encodings: what storage does to bytes by accident, and people do on purpose.

use crate::Dice;

/// Bytes that are limits of something.
const BYTES: [u8; 8] = [0, 1, 0x7f, 0x80, 0xff, b'0', b'"', b'['];
/// Numbers that are limits of something.
const NUMBERS: [u64; 8] = [0, 1, 1 << 20, u32::MAX as u64, 1 << 40, i64::MAX as u64, u64::MAX - 1, u64::MAX];

/// Draws mutations of some encodings.
pub(super) struct Mutations<'a> {
    dice: Dice,
    valid: &'a [Vec<u8>],
}

impl<'a> Mutations<'a> {
    pub(super) const fn of(valid: &'a [Vec<u8>]) -> Self {
        Self { dice: Dice::new(1), valid }
    }

    /// One of the encodings after a few changes: a single one often, since most checks stand behind another.
    pub(super) fn draw(&self) -> Vec<u8> {
        let mut input = self.pick(self.valid).cloned().unwrap_or_default();
        for _ in 0..=self.below(3).min(self.below(6)) {
            self.change(&mut input);
        }
        input
    }

    fn change(&self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        let until = at + self.below(input.len() - at + 1).min(1 << self.below(12));
        match self.below(11) {
            0 => self.at(input, at, |byte| byte ^ 1 << self.below(8)),
            1 => self.at(input, at, |_| self.byte()),
            2 => self.at(input, at, |_| self.limit()),
            3 => self.at(input, at, |byte| byte.wrapping_add(1)),
            4 => self.at(input, at, |byte| byte.wrapping_sub(1)),
            5 => input.truncate(at),
            6 => drop(input.drain(at..until)),
            7 => {
                let again = input[at..until].to_vec();
                input.splice(at..at, again);
            }
            8 => {
                let new: Vec<u8> = (0..=self.below(9)).map(|_| self.byte()).collect();
                input.splice(at..at, new);
            }
            9 => {
                // A length or an index, in either form that encodings have.
                let number = self.pick(&NUMBERS).copied().unwrap_or(0);
                let (binary, text) = (number.to_le_bytes(), number.to_string());
                let number = if self.below(3) == 0 { text.as_bytes() } else { &binary[..4 << self.below(2)] };
                input.splice(at..(at + number.len()).min(input.len()), number.iter().copied());
            }
            _ => {
                let other = self.pick(self.valid).map_or(&[][..], Vec::as_slice);
                let from = self.below(other.len() + 1);
                input.splice(at..until, other[from..].iter().copied().take(until - at + self.below(64)));
            }
        }
    }

    fn at(&self, input: &mut [u8], at: usize, new: impl Fn(u8) -> u8) {
        if let Some(byte) = input.get_mut(at) {
            *byte = new(*byte);
        }
    }

    fn pick<'b, T>(&self, list: &'b [T]) -> Option<&'b T> {
        list.get(self.below(list.len()))
    }

    fn limit(&self) -> u8 {
        self.pick(&BYTES).copied().unwrap_or(0)
    }

    fn byte(&self) -> u8 {
        let [low, ..] = self.dice.roll().to_le_bytes();
        low
    }

    fn below(&self, limit: usize) -> usize {
        usize::try_from(self.dice.below(limit as u64)).unwrap_or(0)
    }
}
