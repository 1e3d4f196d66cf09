//! Every key that is written, its type, and how long it lives.
//!
//! | key | type | holds | lives |
//! | --- | --- | --- | --- |
//! | `lh:{RUN}:run` | hash | what decides: writer and epoch, lease, last batches, state, times, positions | with the run |
//! | `lh:{RUN}:gone` | string | until when a deleted run is refused, in microseconds since 1970 | as it says |
//! | `lh:{RUN}:base` | hash | below what lines and samples have left | with the run |
//! | `lh:{RUN}:confirmed` | hash | below what all is safe in cold storage | with the run |
//! | `lh:{RUN}:head` | hash | the head, a JSON text per field, by the fields' names in the document | with the run |
//! | `lh:{RUN}:states` | list | state changes, a JSON object each | with the run |
//! | `lh:{RUN}:phases` | list | phase changes, a JSON object each | with the run |
//! | `lh:{RUN}:overloads` | list | overloads, a JSON object each | with the run |
//! | `lh:{RUN}:finals` | list | final values, a JSON object each | with the run |
//! | `lh:{RUN}:attached` | hash | what is known of each attachment, by its name | with the run |
//! | `lh:{RUN}:bytes` | hash | the bytes of each attachment, by its name | with the run |
//! | `lh:{RUN}:events` | hash | what happened to the run, by the events' ids | with the run |
//! | `lh:{RUN}:log` | stream | log lines, some per entry; its id is the number after its last one | until trimmed |
//! | `lh:{RUN}:s:N` | stream | samples of channel N, in blocks; an id is the index after its last one | until trimmed |
//! | `lh:{RUN}:wake` | channel | nothing: that something changed | a moment |
//! | `lh:{devices}:all` | set | names of devices that were announced | for ever |
//! | `lh:{devices}:d:NAME` | hash | one active device: what was seen, by whom, until when | its lease |
//! | `lh:wake` | channel | the id of a run that keepers should look at | a moment |
//! | `lh:pulse` | channel | nothing ever: subscribing to it shows whether the connection lives | a moment |
//! | `lh:meta` | hash | the number of this layout, and the oldest one whose programs may still use it | for ever |
//!
//! Positions are `states`, `phases`, `lines`, and each channel by its number; in `lh:{RUN}:run`, `next:` stands before
//! them, and they tell how far the run is.
//!
//! `lh` is the prefix, which can be chosen. All keys of one run bear one hash tag, so they lie in one slot of a
//! cluster, and a script may touch them together. "With the run" means: a run that is not sealed never expires.
//! A name from outside enters a key only as a [`RunId`] or a [`DeviceId`], whose characters are harmless.

use std::sync::Arc;

use fred::types::Key;
use lucihub_models_core::{DeviceId, Invalid, RunId};

/// The names of positions, beside channels by their number.
pub(super) const POSITION_NAMES: [&str; 3] = ["states", "phases", "lines"];

/// The keys below one prefix.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    prefix: Arc<str>,
}

impl Keys {
    pub(super) fn new(prefix: &str) -> Result<Self, Invalid> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':');
        if prefix.is_empty() || prefix.len() > 64 || !prefix.chars().all(allowed) {
            return Err(Invalid::new("key prefix", format!("{prefix:?}"))
                .hint("use 1 to 64 letters, digits and the characters . _ - :"));
        }
        Ok(Self { prefix: prefix.into() })
    }

    /// The keys of one run.
    pub(super) fn run(&self, run: RunId) -> RunKeys {
        RunKeys { stem: format!("{}:{{{run}}}:", self.prefix) }
    }

    /// The names of all announced devices.
    pub(super) fn devices(&self) -> Key {
        format!("{}:{{devices}}:all", self.prefix).into()
    }

    /// What the key of every device begins with.
    pub(super) fn device_stem(&self) -> String {
        format!("{}:{{devices}}:d:", self.prefix)
    }

    /// One device.
    pub(super) fn device(&self, device: &DeviceId) -> Key {
        format!("{}{device}", self.device_stem()).into()
    }

    /// The channel of the keepers.
    pub(super) fn wake(&self) -> String {
        format!("{}:wake", self.prefix)
    }

    /// The run whose followers listen to a channel.
    pub(super) fn run_of_wake(&self, channel: &str) -> Option<RunId> {
        let run = channel.strip_prefix(&*self.prefix)?.strip_prefix(":{")?.strip_suffix("}:wake")?;
        run.parse().ok()
    }

    /// The pattern of the keys that decide about runs. The prefix has no character that a pattern means something by.
    pub(super) fn every_run(&self) -> String {
        format!("{}:{{*}}:run", self.prefix)
    }

    /// The run that such a key decides about.
    pub(super) fn run_of(&self, key: &str) -> Option<RunId> {
        let run = key.strip_prefix(&*self.prefix)?.strip_prefix(":{")?.strip_suffix("}:run")?;
        run.parse().ok()
    }

    /// What says which layout this is.
    pub(super) fn meta(&self) -> String {
        format!("{}:meta", self.prefix)
    }

    /// The channel that is only listened to, to see whether the connection lives.
    pub(super) fn pulse(&self) -> String {
        format!("{}:pulse", self.prefix)
    }
}

/// The keys of one run.
#[derive(Debug, Clone)]
pub(super) struct RunKeys {
    stem: String,
}

impl RunKeys {
    /// The parts that scripts about a run are given, in this order; `append` names its own.
    const FIXED: [&str; 14] = [
        "run",
        "gone",
        "base",
        "confirmed",
        "head",
        "states",
        "phases",
        "overloads",
        "finals",
        "log",
        "wake",
        "attached",
        "bytes",
        "events",
    ];

    fn part(&self, part: &str) -> Key {
        format!("{}{part}", self.stem).into()
    }

    /// The fixed keys, with room for as many more.
    pub(super) fn fixed(&self, more: usize) -> Vec<Key> {
        let mut keys = Vec::with_capacity(Self::FIXED.len() + more);
        keys.extend(Self::FIXED.iter().map(|part| self.part(part)));
        keys
    }

    /// What decides about the run.
    pub(super) fn run(&self) -> Key {
        self.part("run")
    }

    /// What a batch may grow beside streams: four lists and the head.
    pub(super) fn grows(&self) -> [Key; 5] {
        ["states", "phases", "overloads", "finals", "head"].map(|part| self.part(part))
    }

    /// The log.
    pub(super) fn log(&self) -> Key {
        self.part("log")
    }

    /// The samples of a channel.
    pub(super) fn samples(&self, channel: u32) -> Key {
        self.part(&format!("s:{channel}"))
    }

    /// The samples of so many channels.
    pub(super) fn put_samples(&self, channels: usize, keys: &mut Vec<Key>) {
        keys.extend((0_u32..).take(channels).map(|channel| self.samples(channel)));
    }

    /// The channel that followers listen to.
    pub(super) fn wake(&self) -> String {
        format!("{}wake", self.stem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_keys_of_a_run_bear_one_hash_tag() {
        let keys = Keys::new("lab-7").unwrap();
        let run = keys.run("0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e".parse().unwrap());
        let mut all = run.fixed(2);
        all.extend([run.log(), run.samples(4095)]);
        for key in all {
            assert!(key.as_str_lossy().starts_with("lab-7:{0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e}:"), "{key:?}");
        }
    }

    #[test]
    fn scripts_know_the_fixed_keys_by_the_same_names() {
        let prelude = include_str!("scripts/run_prelude.lua");
        let mut names = Vec::new();
        for line in prelude.lines().filter(|line| line.contains("KEYS[") && line.starts_with("local ")) {
            let (left, right) = line.strip_prefix("local ").unwrap().split_once(" = ").unwrap();
            for (name, key) in left.split(", ").zip(right.split(", ")) {
                names.push(name.to_lowercase());
                assert_eq!(key, format!("KEYS[{}]", names.len()), "{name}");
            }
        }
        assert_eq!(names, RunKeys::FIXED);
        // What follows the fixed ones.
        let count = names.len();
        assert!(prelude.contains(&format!("KEYS[{count} + n]")) && prelude.contains(&format!("KEYS[1..{count}]")));
        assert!(include_str!("scripts/create.lua").contains(&format!("for n = {}, #KEYS do", count + 1)));
    }

    #[test]
    fn runs_are_found_by_their_key() {
        let keys = Keys::new("lab:7").unwrap();
        let run: RunId = "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e".parse().unwrap();
        let key = keys.run(run).run();
        assert_eq!(keys.run_of(&key.as_str_lossy()), Some(run));
        assert_eq!(keys.every_run(), key.as_str_lossy().replace(&run.to_string(), "*"));
        for other in ["lab:7:{devices}:run", "lab:{0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e}:run", "lab:7:meta"] {
            assert_eq!(keys.run_of(other), None, "{other}");
        }
    }

    #[test]
    fn a_prefix_cannot_bear_a_hash_tag() {
        for bad in ["", "a{b}", "a b", "*", &"x".repeat(65)] {
            assert!(Keys::new(bad).is_err(), "{bad}");
        }
        assert!(Keys::new(&"x".repeat(64)).is_ok());
    }
}
