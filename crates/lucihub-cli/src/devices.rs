//! `lucihub devices`: looking at the registry and at who answers now.

mod act;

use std::collections::BTreeMap;

use lucihub_models_core::hot::ActiveDevice;
use lucihub_models_core::{Device, DeviceId, StoreError};
use lucihub_store::Store;
use serde_json::{Value, json};

pub(crate) use act::{add, set, withdraw};

use crate::args::{DeviceArgs, DevicesArgs, DevicesVerb};
use crate::failure::Failure;
use crate::output::Row;
use crate::{output, place};

/// Looks at devices, or changes them.
pub(crate) async fn run(verb: DevicesVerb) -> Result<(), Failure> {
    match verb {
        DevicesVerb::List(args) => list(args).await,
        DevicesVerb::Active(args) => active(args).await,
        DevicesVerb::Show(args) => show(args).await,
        DevicesVerb::Schema(args) => schema(args).await,
        DevicesVerb::Add(args) => add(args).await,
        DevicesVerb::Set(args) => set(args).await,
        DevicesVerb::Withdraw(args) => withdraw(args).await,
    }
}

/// A device of the registry, and whether it answers now, if that is to be known.
struct Listed {
    device: Device,
    active: Option<bool>,
}

/// Prints the registry of devices, and which of them are active.
async fn list(args: DevicesArgs) -> Result<(), Failure> {
    let reading = place::read(&args.place).await?;
    // Only a shared hot storage knows what scanners in other processes see.
    let is_known = args.place.hot.is_shared() && reading.away.is_none();
    let store = reading.whatever_is_there();
    let mut devices: BTreeMap<DeviceId, Listed> = registry(&store)
        .await?
        .into_iter()
        .map(|device| (device.id.clone(), Listed { device, active: is_known.then_some(false) }))
        .collect();
    if is_known {
        for active in store.active_devices().await? {
            devices.insert(active.seen.id.clone(), answers(&active, devices.get(&active.seen.id)));
        }
    }
    output::list(&devices.into_values().collect::<Vec<_>>(), args.lists.format())
}

async fn registry(store: &Store) -> Result<Vec<Device>, Failure> {
    let mut devices = Vec::new();
    let mut after: Option<DeviceId> = None;
    loop {
        let page = store.devices(after.as_ref(), store.limits().page).await?;
        devices.extend(page.devices);
        after = page.next;
        if after.is_none() {
            return Ok(devices);
        }
    }
}

/// An active device: what it answered last is newer than what a keeper entered, if one has entered it at all.
fn answers(active: &ActiveDevice, entered: Option<&Listed>) -> Listed {
    let seen = &active.seen;
    let mut device =
        entered.map_or_else(|| Device::new(seen.id.clone(), seen.device_type.clone()), |listed| listed.device.clone());
    device.firmware.clone_from(&seen.firmware);
    device.seen_at = Some(active.seen_at);
    Listed { device, active: Some(true) }
}

impl Row for Listed {
    const COLUMNS: &'static [&'static str] = &["DEVICE", "TYPE", "FIRMWARE", "LAST SEEN", "ACTIVE"];

    fn cells(&self) -> Vec<String> {
        let Self { device, active } = self;
        vec![
            device.id.to_string(),
            output::one_line(device.device_type.as_str()),
            device.firmware.as_deref().map_or_else(|| "-".to_owned(), output::one_line),
            device.seen_at.map_or_else(|| "-".to_owned(), |at| at.to_string()),
            active.map_or("?", |active| if active { "yes" } else { "no" }).to_owned(),
        ]
    }

    const FIELDS: &'static [&'static str] =
        &["id", "type", "input_type", "parameter_schema", "firmware", "entity_digest", "seen_at", "active"];

    fn values(&self) -> Vec<Value> {
        let Self { device, active } = self;
        vec![
            json!(device.id),
            json!(device.device_type.as_str()),
            json!(device.input_type),
            json!(device.parameter_schema),
            json!(device.firmware),
            json!(device.entity_digest),
            json!(device.seen_at),
            json!(active),
        ]
    }

    fn name(&self) -> String {
        self.device.id.to_string()
    }
}

/// Prints who answers now.
async fn active(args: DevicesArgs) -> Result<(), Failure> {
    if !args.place.hot.is_shared() {
        return Err(Failure::NeedsServer("lucihub devices active"));
    }
    let mut devices = place::find(&args.place).await?.active_devices().await?;
    devices.sort_by(|a, b| a.seen.id.cmp(&b.seen.id));
    output::list(&devices, args.lists.format())
}

impl Row for ActiveDevice {
    const COLUMNS: &'static [&'static str] = &["DEVICE", "TYPE", "FIRMWARE", "SCANNER", "SINCE", "UNTIL"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.seen.id.to_string(),
            output::one_line(self.seen.device_type.as_str()),
            self.seen.firmware.as_deref().map_or_else(|| "-".to_owned(), output::one_line),
            output::one_line(&self.seen.scanner),
            self.since.to_string(),
            self.until.map_or_else(|| "always".to_owned(), |until| until.to_string()),
        ]
    }

    const FIELDS: &'static [&'static str] =
        &["id", "type", "firmware", "entity_bytes", "scanner", "since", "seen_at", "until"];

    fn values(&self) -> Vec<Value> {
        vec![
            json!(self.seen.id),
            json!(self.seen.device_type.as_str()),
            json!(self.seen.firmware),
            json!(self.seen.entity.as_ref().map(|entity| entity.len())),
            json!(self.seen.scanner),
            json!(self.since),
            json!(self.seen_at),
            json!(self.until),
        ]
    }

    fn name(&self) -> String {
        self.seen.id.to_string()
    }
}

/// Prints one device: what the registry has of it, and what it answered last.
async fn show(args: DeviceArgs) -> Result<(), Failure> {
    let reading = place::read(&args.place).await?;
    let is_known = args.place.hot.is_shared() && reading.away.is_none();
    let store = reading.whatever_is_there();
    let active = if is_known { store.hot().active_device(&args.device).await? } else { None };
    let device = match (store.device(&args.device).await?, &active) {
        (Some(device), _) => device,
        // No keeper has entered it yet.
        (None, Some(active)) => answers(active, None).device,
        (None, None) => return Err(not_found(&args.device)),
    };
    let listed = match &active {
        Some(active) => answers(active, Some(&Listed { device, active: None })),
        None => Listed { device, active: is_known.then_some(false) },
    };
    if args.one.is_json() {
        return output::list(&[listed], crate::args::Format::Jsonl);
    }
    let field = |name: &str, value: &str| output::line(format!("{name:<13}{}", output::one_line(value)));
    let Listed { device, active: is_active } = &listed;
    field("device", device.id.as_str())?;
    field("type", device.device_type.as_str())?;
    let texts = [
        ("firmware", device.firmware.clone()),
        ("entity", device.entity_digest.clone()),
        ("last seen", device.seen_at.map(|at| at.to_string())),
        ("input type", device.input_type.as_ref().map(|kind| kind.as_str().to_owned())),
        ("schema", store.parameter_schema(&device.id).await?.map(|schema| schema.id().to_owned())),
    ];
    for (name, value) in texts {
        field(name, value.as_deref().unwrap_or("-"))?;
    }
    match (&active, is_active) {
        (Some(active), _) => {
            let until = active.until.map_or_else(|| "always".to_owned(), |until| format!("until {until}"));
            field("active", &format!("{until}, by {}, since {}", active.seen.scanner, active.since))
        }
        (None, Some(_)) => field("active", "no"),
        (None, None) => field("active", "that is for hot storage to know, which was not asked"),
    }
}

/// Prints the parameter schema of a device, as it is stored.
async fn schema(args: DeviceArgs) -> Result<(), Failure> {
    let store = place::history(&args.place).await?;
    let device = store.device(&args.device).await?.ok_or_else(|| not_found(&args.device))?;
    let schema = device.parameter_schema.ok_or_else(|| Failure::NoSchemaStored(args.device.clone()))?;
    output::line(schema.as_str())
}

fn not_found(device: &DeviceId) -> Failure {
    StoreError::not_found(format!("device {device}")).into()
}
