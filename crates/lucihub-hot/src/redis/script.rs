//! The scripts: each one step of the server, whole or not at all.
//!
//! A script writes nothing before every check has passed, and is known to the server by its hash. What it says of
//! itself in its first line decides what a full server does: `allow-oom` may still write (it ends things or frees
//! room), `no-writes` only reads, and the others are refused before their first write.

use fred::bytes_utils::Str;
use fred::util::sha1_hash;

/// A script, and the hash that the server knows it by.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) name: &'static str,
    pub(super) source: Str,
    pub(super) hash: Str,
    /// Whether it may have changed something when its answer is lost.
    pub(super) writes: bool,
}

impl Script {
    fn new(name: &'static str, flags: &str, prelude: &str, body: &str) -> Self {
        let source = format!("#!lua{flags}\n{prelude}\n{body}");
        Self { name, hash: sha1_hash(&source).into(), source: source.into(), writes: flags != READS }
    }
}

/// May write although the server is full.
const FREES: &str = " flags=allow-oom";
/// Never writes.
const READS: &str = " flags=no-writes";
/// Needs room.
const FILLS: &str = "";

/// What scripts about a run begin with.
const RUN: &str = include_str!("scripts/run_prelude.lua");
/// What scripts about devices begin with.
const DEVICE: &str = include_str!("scripts/device_prelude.lua");
/// Begins with nothing: it is called so often that defining functions would cost.
const ALONE: &str = "";

macro_rules! scripts {
    ($($(#[$meta:meta])* $field:ident = $prelude:ident $flags:ident),+ $(,)?) => {
        /// All of them.
        #[derive(Debug)]
        pub(super) struct Scripts {
            $( $(#[$meta])* pub(super) $field: Script, )+
        }

        impl Scripts {
            pub(super) fn new() -> Self {
                Self {
                    $( $field: Script::new(
                        stringify!($field),
                        $flags,
                        $prelude,
                        include_str!(concat!("scripts/", stringify!($field), ".lua")),
                    ), )+
                }
            }
        }
    };
}

scripts! {
    /// The central contract.
    append = ALONE FILLS,
    /// Why a batch was not applied: a full server says that too.
    check = RUN READS,
    /// A run is placed: a new one, or one put back.
    create = RUN FILLS,
    get = RUN READS,
    take_over = RUN FREES,
    renew = RUN FREES,
    cancel = RUN FREES,
    expire = RUN FREES,
    remove = RUN FREES,
    confirm = RUN FREES,
    trim = RUN FREES,
    /// Where log or channel begin and end.
    extent = RUN READS,
    attach = RUN FILLS,
    attachment = RUN READS,
    attachments = RUN READS,
    detach = RUN FREES,
    note = RUN FILLS,
    events = RUN READS,
    announce = DEVICE FILLS,
    /// The write that replicas and disk are then asked about.
    secure = RUN FREES,
    withdraw = DEVICE FREES,
    /// The names of devices, then what stands about some of them, then those off the list that are gone.
    names = DEVICE READS,
    active = DEVICE READS,
    bury = DEVICE FREES,
}
