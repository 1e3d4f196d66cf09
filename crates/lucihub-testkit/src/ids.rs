//! Randomness and ids that repeat: the same seed gives the same sequence.

use std::sync::atomic::{AtomicU64, Ordering};

use lucihub_models_core::{EventId, IdSource, RunId, WriterId};

/// The increment of splitmix64 (Steele, Lea and Flood, OOPSLA 2014).
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// The output function of splitmix64: a bijection in which every input bit
/// reaches every output bit.
pub(crate) const fn mix(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A small random number generator (splitmix64), shared between tasks.
///
/// ```
/// use lucihub_testkit::Dice;
/// let (a, b) = (Dice::new(7), Dice::new(7));
/// assert_eq!(a.roll(), b.roll());
/// assert!(a.below(6) < 6);
/// ```
#[derive(Debug)]
pub struct Dice(AtomicU64);

impl Dice {
    /// A generator from a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// The next 64 bits.
    pub fn roll(&self) -> u64 {
        mix(self.0.fetch_add(GAMMA, Ordering::SeqCst).wrapping_add(GAMMA))
    }

    /// A number from 0 to `limit` - 1; 0 if `limit` is 0.
    pub fn below(&self, limit: u64) -> u64 {
        self.roll().checked_rem(limit).unwrap_or(0)
    }

    /// True in one of `n` rolls.
    pub fn one_in(&self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// Ids from a seed: run ids have the shape of UUIDv7 and ascend.
///
/// ```
/// use lucihub_models_core::IdSource;
/// use lucihub_testkit::SeededIds;
/// let ids = SeededIds::new(1);
/// let (first, second) = (ids.run_id(), ids.run_id());
/// assert!(first < second);
/// assert_eq!(first, SeededIds::new(1).run_id());
/// assert_eq!(first.as_uuid().get_version_num(), 7);
/// ```
#[derive(Debug)]
pub struct SeededIds {
    dice: Dice,
    drawn: AtomicU64,
}

impl SeededIds {
    /// Ids from a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { dice: Dice::new(seed), drawn: AtomicU64::new(0) }
    }

    fn wide(&self) -> u128 {
        (u128::from(self.dice.roll()) << 64) | u128::from(self.dice.roll())
    }
}

impl IdSource for SeededIds {
    fn run_id(&self) -> RunId {
        const MILLIS: u64 = 1_767_600_000_000;
        let at = u128::from(MILLIS + self.drawn.fetch_add(1, Ordering::SeqCst)) << 80;
        // Bits 76..80 are the version, 62..64 the variant (RFC 9562, section 5.7).
        let random = self.wide() & ((1_u128 << 76) - 1) & !(0x3_u128 << 62);
        RunId::from_uuid(uuid::Uuid::from_u128(at | (0x7 << 76) | (0x2 << 62) | random))
    }

    fn writer_id(&self) -> WriterId {
        WriterId::from_bits(self.wide())
    }

    fn event_id(&self) -> EventId {
        EventId::from_uuid(*self.run_id().as_uuid())
    }
}
