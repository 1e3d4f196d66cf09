//! Which runs.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use lucihub_models_core::{DeviceId, DeviceType, JobType, RunFilter, RunId, RunPrefix, RunState, Timestamp};

use super::moment::{from_moment, until_moment};
use super::span::span;
use crate::output;

/// Which runs are looked at.
#[derive(Debug, Default, Args)]
pub(crate) struct FilterArgs {
    /// Only runs of this owner. Repeat for several.
    #[arg(long, value_name = "NAME")]
    owner: Vec<String>,
    /// Only runs on this device. Repeat for several.
    #[arg(long, value_name = "DEVICE")]
    device: Vec<DeviceId>,
    /// Only runs on this kind of device: LUCIDAC, REDAC, SIMULATOR. Repeat for several.
    #[arg(long, value_name = "KIND", alias = "device-type")]
    kind: Vec<String>,
    /// Only runs of this type: compile, run, verify, simulate. Repeat for several.
    #[arg(long = "type", value_name = "TYPE")]
    job_type: Vec<String>,
    /// Only runs in this state, in any letter case. Repeat for several.
    #[arg(long, value_name = "STATE")]
    state: Vec<String>,
    /// Only runs with this label. Repeat for several: the same name means either value, another name both.
    #[arg(long, value_name = "NAME=VALUE", value_parser = label)]
    label: Vec<(String, String)>,
    /// Only runs that are related to this one: its id, or as much of its beginning as no other has. Repeat for several.
    #[arg(long, value_name = "ID")]
    related_to: Vec<RunPrefix>,
    /// Only runs created then or later: a time as in 2026-11-26T09:00:00Z, or a day (UTC) as in 2026-11-26.
    #[arg(long, value_name = "TIME", value_parser = from_moment)]
    from: Option<Timestamp>,
    /// Only runs created then or earlier; a day counts to its end.
    #[arg(long, value_name = "TIME", value_parser = until_moment)]
    to: Option<Timestamp>,
    /// Only runs created so long ago or later, as in 30m, 6h or 7d.
    #[arg(long, value_name = "AGE", value_parser = span, conflicts_with = "from")]
    since: Option<Duration>,
}

/// A label as it is typed.
pub(crate) fn label(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("{text:?} is no label; use NAME=VALUE"))?;
    Ok((name.to_owned(), value.to_owned()))
}

/// One condition of a search: a field and the values that it may have.
#[derive(Debug, Clone)]
pub(crate) struct Term {
    field: String,
    values: Vec<String>,
}

impl std::str::FromStr for Term {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (field, values) =
            text.split_once('=').ok_or_else(|| format!("{text:?} is no condition; use FIELD=VALUE[,VALUE]"))?;
        let term = Self { field: field.to_owned(), values: values.split(',').map(str::to_owned).collect() };
        // What it means is read again where it is used; here a mistake is told with the usage.
        FilterArgs::default().with(&term).map(|_| term)
    }
}

impl FilterArgs {
    /// The same, with a condition of a search added.
    pub(crate) fn with(mut self, term: &Term) -> Result<Self, String> {
        let Term { field, values } = term;
        let one = |what: &str| match &**values {
            [value] => Ok(value),
            _ => Err(format!("{what} is one value; {} were given", values.len())),
        };
        match &**field {
            "owner" => self.owner.extend_from_slice(values),
            "device" => self.device.extend(read::<DeviceId>(values)?),
            "kind" => self.kind.extend_from_slice(values),
            "type" => self.job_type.extend_from_slice(values),
            "state" => self.state.extend_from_slice(values),
            "related" => self.related_to.extend(read::<RunPrefix>(values)?),
            "from" => self.from = Some(from_moment(one("from")?)?),
            "to" => self.to = Some(until_moment(one("to")?)?),
            "since" => self.since = Some(span(one("since")?)?),
            other => match other.strip_prefix("label.") {
                Some(name) => self.label.extend(values.iter().map(|value| (name.to_owned(), value.clone()))),
                None => {
                    return Err(format!(
                        "{other:?} is no field; use owner, device, kind, type, state, label.NAME, related, from, to or \
                         since"
                    ));
                }
            },
        }
        Ok(self)
    }

    /// The runs that others are to be related to, as they were named.
    pub(crate) fn related_to(&self) -> &[RunPrefix] {
        &self.related_to
    }

    /// What was asked, at this time, with the runs that were named. A flag that was not given asks nothing; an empty list
    /// would match nothing.
    pub(crate) fn filter(&self, now: Timestamp, related_to: &[RunId]) -> RunFilter {
        fn asked<'a, T, U>(given: &'a [T], read: impl Fn(&'a T) -> U) -> Option<Vec<U>> {
            (!given.is_empty()).then(|| given.iter().map(read).collect())
        }
        say_unknown("state", &self.state, RunState::KNOWN);
        say_unknown("type", &self.job_type, JobType::KNOWN);
        let filter = RunFilter {
            owners: asked(&self.owner, Clone::clone),
            devices: asked(&self.device, Clone::clone),
            device_types: asked(&self.kind, |word| DeviceType::from(&**word)),
            job_types: asked(&self.job_type, |word| JobType::from(&**word)),
            states: asked(&self.state, |word| RunState::from_any_case(word)),
            related_to: asked(related_to, |run| *run),
            created_from: self.since.map_or(self.from, |age| Some(now.before(age))),
            created_to: self.to,
            labels: BTreeMap::new(),
        };
        self.label.iter().fold(filter, |filter, (name, value)| filter.label(name, value))
    }
}

fn read<T: std::str::FromStr<Err: std::fmt::Display>>(values: &[String]) -> Result<Vec<T>, String> {
    values.iter().map(|value| value.parse().map_err(|error: T::Err| error.to_string())).collect()
}

/// Says which words this version does not know: those of newer components are found all the same.
pub(crate) fn say_unknown(kind: &str, asked: &[String], known: &[&str]) {
    for word in asked.iter().filter(|word| !known.iter().any(|known| known.eq_ignore_ascii_case(word))) {
        let known = known.join(", ");
        output::say(format!("warning: {} is no {kind} that this version knows: {known}", output::one_line(word)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(terms: &[&str]) -> RunFilter {
        let read = |args: FilterArgs, term: &&str| args.with(&term.parse().unwrap()).unwrap();
        terms.iter().fold(FilterArgs::default(), read).filter(Timestamp::from_micros(86_400_000_000).unwrap(), &[])
    }

    #[test]
    fn terms_are_joined_by_and_their_values_by_or() {
        let found = filter(&["owner=ada,bob", "state=Failed", "label.series=a", "label.series=b", "since=2h"]);
        let expected = RunFilter::default().owner("ada").owner("bob").state(RunState::Failed).label("series", "a");
        let expected = RunFilter {
            created_from: Some(Timestamp::from_micros(79_200_000_000).unwrap()),
            ..expected.label("series", "b")
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        for bad in ["ada", "ownr=ada", "device=no spaces", "from=yesterday", "to=1,2", "since=6", "related=x"] {
            assert!(bad.parse::<Term>().is_err(), "{bad}");
        }
    }
}
