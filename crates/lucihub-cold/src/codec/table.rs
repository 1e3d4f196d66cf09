//! What each number of a converter becomes, while a cell is packed.

/// How far the values of numbers are off the scale.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    /// The number of the first entry.
    first: i32,
    off: Vec<i16>,
}

impl Table {
    /// In the place of a number that did not occur yet.
    const ABSENT: i16 = i16::MIN;
    /// Room for more numbers, where one came that has none.
    const MORE: i32 = 512;

    /// How many entries it has room for.
    pub(super) const fn len(&self) -> usize {
        self.off.len()
    }

    /// Whether a number is known to be so far off.
    pub(super) fn has(&self, number: i32, off: i16) -> bool {
        let place = number.wrapping_sub(self.first).cast_unsigned();
        off != Self::ABSENT && self.off.get(place as usize) == Some(&off)
    }

    /// Has a number be so far off from now on. `false` if it is otherwise already, or that cannot be said.
    pub(super) fn takes(&mut self, number: i32, off: i16) -> bool {
        // Before there is room made for it: nothing else bounds a number that nobody knows yet.
        if off == Self::ABSENT {
            return false;
        }
        if self.off.is_empty() {
            self.first = number;
        }
        if number < self.first {
            let first = number.saturating_sub(Self::MORE);
            self.off.splice(0..0, std::iter::repeat_n(Self::ABSENT, distance(first, self.first)));
            self.first = first;
        }
        let place = distance(self.first, number);
        if place >= self.off.len() {
            self.off.resize(distance(self.first, number.saturating_add(Self::MORE)) + 1, Self::ABSENT);
        }
        let entry = &mut self.off[place];
        let is_new = *entry == Self::ABSENT;
        if is_new {
            *entry = off;
        }
        is_new
    }

    /// The entries of a range of numbers; nothing if each is 0. One that did not occur is like the one before, which packs
    /// best.
    pub(super) fn entries(&self, lowest: i32, highest: i32) -> Vec<i16> {
        if self.off.iter().all(|off| matches!(*off, 0 | Self::ABSENT)) {
            return Vec::new();
        }
        let mut last = 0;
        let known = self.off[distance(self.first, lowest)..=distance(self.first, highest)].iter().map(|off| {
            if *off != Self::ABSENT {
                last = *off;
            }
            last
        });
        known.collect()
    }
}

/// How far apart two numbers of a table are: not more than the steps of a scale, and some room.
fn distance(from: i32, to: i32) -> usize {
    usize::try_from(i64::from(to) - i64::from(from)).unwrap_or(0)
}
