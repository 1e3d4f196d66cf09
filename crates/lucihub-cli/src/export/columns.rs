//! Names of columns: one for each channel, and no two alike.

use std::collections::HashSet;

use lucihub_models_core::RunHead;

/// The column of sample indices.
pub(crate) const INDEX: &str = "index";
/// The column of times, in seconds from the start of OP.
pub(crate) const TIME: &str = "time_s";
/// What the name of a channel is followed by where a column says whether its samples are missing.
pub(crate) const MISSING: &str = "_missing";
/// What it is followed by where a column says what a sample is that JSON has no number for.
pub(crate) const FLAG: &str = "_flag";

/// The names of the columns of these channels. A channel without a name, or with one that is taken, goes by its number.
pub(crate) fn names(head: &RunHead, channels: &[u32]) -> Vec<String> {
    let mut taken: HashSet<String> = [INDEX, TIME].map(str::to_owned).into();
    let mut all = Vec::new();
    for channel in channels {
        let described = usize::try_from(*channel).ok().and_then(|number| head.channels.get(number));
        let given = described.and_then(|channel| channel.name.clone()).filter(|name| !name.is_empty());
        let mut name = given.unwrap_or_else(|| format!("channel_{channel}"));
        let column = |name: &str| ["", MISSING, FLAG].map(|end| format!("{name}{end}"));
        while column(&name).iter().any(|column| taken.contains(column)) {
            name = format!("{name}_{channel}");
        }
        taken.extend(column(&name));
        all.push(name);
    }
    all
}

#[cfg(test)]
mod tests {
    use lucihub_models_core::{Channel, JobType, Timestamp};

    use super::*;

    fn named(given: &[Option<&str>]) -> Vec<String> {
        let id = "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e".parse().unwrap();
        let mut head = RunHead::queued(id, JobType::Run, Timestamp::EPOCH);
        head.channels = given.iter().map(|name| name.map_or_else(Channel::default, Channel::named)).collect();
        names(&head, &(0..).take(given.len()).collect::<Vec<_>>())
    }

    #[test]
    fn no_two_columns_are_alike() {
        assert_eq!(
            named(&[Some("x"), None, Some(""), Some("a,\"b\"\n")]),
            ["x", "channel_1", "channel_2", "a,\"b\"\n"]
        );
        assert_eq!(named(&[Some("x"), Some("x"), Some("x_1")]), ["x", "x_1", "x_1_2"]);
        assert_eq!(named(&[Some("index"), Some("time_s")]), ["index_0", "time_s_1"]);
        assert_eq!(named(&[Some("x_missing"), Some("x"), Some("x_flag")]), ["x_missing", "x_1", "x_flag"]);
        assert_eq!(named(&[Some("x"), Some("x_missing")]), ["x", "x_missing_1"]);
    }

    #[test]
    fn names_stay_what_they_are_once_they_are_so() {
        let once = named(&[Some("x"), Some("x"), None, Some("index"), Some("x_missing"), Some("channel_2")]);
        assert_eq!(named(&once.iter().map(|name| Some(&**name)).collect::<Vec<_>>()), once);
    }
}
