//! `lucihub devices add`, `set` and `withdraw`.

use lucihub_models_core::cold::{OperatorFields, SeenFields};
use lucihub_models_core::hot::{Announced, DEVICE_LEASE, DeviceSeen};
use lucihub_models_core::{DeviceType, InputType};

use super::not_found;
use crate::args::{AddArgs, Says, SetArgs, WithdrawArgs, say_unknown};
use crate::failure::Failure;
use crate::{check, output, place};

/// The name under which the operator announces.
const SCANNER: &str = "operator";

/// Enters a device into the registry, and into the list of active ones on request.
pub(crate) async fn add(args: AddArgs) -> Result<(), Failure> {
    if args.always_active && !args.place.hot.is_shared() {
        return Err(Failure::NeedsServer("lucihub devices add --always-active"));
    }
    let fields = fields(&args.says)?;
    let store = if args.always_active { place::find(&args.place).await? } else { place::history(&args.place).await? };
    say_unknown("kind", std::slice::from_ref(&args.kind), DeviceType::KNOWN);
    let device_type = DeviceType::from(&*args.kind);
    let seen = DeviceSeen {
        id: args.device.clone(),
        device_type: device_type.clone(),
        firmware: args.firmware.clone(),
        entity: None,
        scanner: SCANNER.to_owned(),
        always_active: true,
    };
    seen.check(store.limits())?;
    let entry = SeenFields {
        id: args.device.clone(),
        device_type,
        firmware: args.firmware,
        entity_digest: None,
        seen_at: store.now(),
    };
    // First, so that what is refused has written nothing.
    if args.always_active
        && let Announced::Held { by, .. } = store.announce(&seen, DEVICE_LEASE).await?
    {
        return Err(Failure::HeldDevice { device: args.device, by });
    }
    store.cold().put_seen(&entry).await?;
    if fields != OperatorFields::default() {
        store.configure_device(&args.device, &fields).await?;
    }
    output::line(format!("{}: entered", args.device))
}

/// Writes what the operator says of a device.
pub(crate) async fn set(args: SetArgs) -> Result<(), Failure> {
    let fields = fields(&args.says)?;
    if fields == OperatorFields::default() {
        return Err(Failure::Usage("nothing to change; give --input-type or --schema".to_owned()));
    }
    place::history(&args.place).await?.configure_device(&args.device, &fields).await?;
    output::line(format!("{}: changed", args.device))
}

fn fields(says: &Says) -> Result<OperatorFields, Failure> {
    say_unknown("input type", says.input_type.as_slice(), InputType::KNOWN);
    let schema = says.schema.as_deref().map(check::given).transpose()?;
    Ok(OperatorFields {
        input_type: says.input_type.as_deref().map(InputType::from),
        parameter_schema: schema.map(|schema| schema.text().clone()),
    })
}

/// Takes a device off the list of active ones.
pub(crate) async fn withdraw(args: WithdrawArgs) -> Result<(), Failure> {
    if !args.place.hot.is_shared() {
        return Err(Failure::NeedsServer("lucihub devices withdraw"));
    }
    let store = place::find(&args.place).await?;
    let Some(active) = store.hot().active_device(&args.device).await? else {
        return match store.device(&args.device).await? {
            Some(_) => output::line(format!("{}: it was not active", args.device)),
            None => Err(not_found(&args.device)),
        };
    };
    store.withdraw(&args.device, &active.seen.scanner).await?;
    output::line(format!("{}: withdrawn", args.device))
}
