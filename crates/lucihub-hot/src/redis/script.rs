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

macro_rules! scripts {
    ($($(#[$meta:meta])* $field:ident = $prelude:literal $file:literal $flags:ident),+ $(,)?) => {
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
                        include_str!(concat!("scripts/", $prelude, "_prelude.lua")),
                        include_str!(concat!("scripts/", $file, ".lua")),
                    ), )+
                }
            }
        }
    };
}

scripts! {
    /// The central contract.
    append = "run" "append" FILLS,
    /// Its checks alone: a full server runs them too.
    check = "run" "append" READS,
    /// A run is placed: a new one, or one put back.
    create = "run" "create" FILLS,
    get = "run" "get" READS,
    take_over = "run" "take_over" FREES,
    renew = "run" "renew" FREES,
    cancel = "run" "cancel" FREES,
    expire = "run" "expire" FREES,
    remove = "run" "remove" FREES,
    confirm = "run" "confirm" FREES,
    trim = "run" "trim" FREES,
    /// Log lines or samples.
    range = "run" "range" READS,
    announce = "device" "announce" FILLS,
    /// The write that replicas and disk are then asked about.
    secure = "run" "secure" FREES,
    withdraw = "device" "withdraw" FREES,
    active = "device" "active" READS,
}
