//! How cells become bytes. Decoders are total: any bytes give a value or [`Damage`].
//!
//! A codec has a number, kept beside the bytes; numbers are never used again for
//! something else. Each cell is decoded and compared as soon as it is encoded:
//! what leaves here reads back bit for bit.

pub(crate) mod bytes;
pub(crate) mod checksum;
pub(crate) mod gaps;
pub(crate) mod lines;
mod pack;
mod parts;
pub(crate) mod samples;
mod scale;
mod steps;
pub(crate) mod summary;
mod table;

/// Why stored bytes do not decode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Damage(String);

impl Damage {
    pub(crate) fn new(why: impl std::fmt::Display) -> Self {
        Self(why.to_string())
    }
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A decoded value.
pub(crate) type Decoded<T> = Result<T, Damage>;
