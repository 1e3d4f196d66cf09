//! `lucihub runs states`: what a run went through.

use lucihub_models_core::{PhaseChange, StateChange};
use serde_json::{Value, json};

use crate::args::StatesArgs;
use crate::failure::Failure;
use crate::output::Row;
use crate::{output, place};

/// A change of state, or of the device's phase.
struct Change {
    kind: &'static str,
    number: usize,
    name: String,
    at: String,
    device_ns: Option<u64>,
    carrier: Option<String>,
    reason: Option<String>,
}

/// Prints the states of a run, then the phases of its device, each in the order in which they were applied.
pub(crate) async fn run(args: StatesArgs) -> Result<(), Failure> {
    let (reading, run) = place::read_run(&args.place, &args.run).await?;
    let status = reading.whatever_is_there().status(run).await?;
    let states = status.head.states.iter().enumerate().map(|(number, change)| state(number, change));
    let phases = status.head.phases.iter().enumerate().map(|(number, change)| phase(number, change));
    output::list(&states.chain(phases).collect::<Vec<_>>(), args.lists.format())
}

fn state(number: usize, StateChange { state, at, reason, .. }: &StateChange) -> Change {
    Change {
        kind: "state",
        number,
        name: state.as_str().to_owned(),
        at: at.to_string(),
        device_ns: None,
        carrier: None,
        reason: reason.clone(),
    }
}

fn phase(number: usize, PhaseChange { phase, at, device_ns, carrier, .. }: &PhaseChange) -> Change {
    Change {
        kind: "phase",
        number,
        name: phase.as_str().to_owned(),
        at: at.to_string(),
        device_ns: *device_ns,
        carrier: carrier.clone(),
        reason: None,
    }
}

impl Row for Change {
    const COLUMNS: &'static [&'static str] = &["KIND", "NUMBER", "NAME", "AT", "DEVICE TIME", "CARRIER", "REASON"];

    fn cells(&self) -> Vec<String> {
        let text = |text: Option<&str>| text.map_or_else(|| "-".to_owned(), output::one_line);
        vec![
            self.kind.to_owned(),
            self.number.to_string(),
            output::one_line(&self.name),
            self.at.clone(),
            self.device_ns.map_or_else(|| "-".to_owned(), |ns| format!("{ns} ns")),
            text(self.carrier.as_deref()),
            text(self.reason.as_deref()),
        ]
    }

    const FIELDS: &'static [&'static str] = &["kind", "number", "name", "at", "device_ns", "carrier", "reason"];

    fn values(&self) -> Vec<Value> {
        vec![
            json!(self.kind),
            json!(self.number),
            json!(self.name),
            json!(self.at),
            json!(self.device_ns),
            json!(self.carrier),
            json!(self.reason),
        ]
    }

    fn name(&self) -> String {
        self.name.clone()
    }
}
