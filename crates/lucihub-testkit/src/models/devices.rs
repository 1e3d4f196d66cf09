//! Devices, as a scanner sees them and as the registry holds them.

use lucihub_models_core::hot::DeviceSeen;
use lucihub_models_core::{Device, DeviceId, DeviceType, InputType, JsonText};

/// The name of device number `n`.
#[must_use]
pub fn device_id(n: u64) -> DeviceId {
    format!("lucidac-{n:04}").parse().expect("only allowed characters")
}

/// What `scanner` sees of device number `n`, with a small entity tree.
#[must_use]
pub fn device_seen(n: u64, scanner: &str) -> DeviceSeen {
    DeviceSeen {
        id: device_id(n),
        device_type: DeviceType::Lucidac,
        firmware: Some("1.4.2".to_owned()),
        entity: Some((0..=u8::MAX).chain(n.to_le_bytes()).collect()),
        scanner: scanner.to_owned(),
        always_active: false,
    }
}

/// Device number `n` as the registry holds it, with both sides' fields.
#[must_use]
pub fn device(n: u64) -> Device {
    let mut device = Device::new(device_id(n), DeviceType::Lucidac);
    device.firmware = Some("1.4.2".to_owned());
    device.input_type = Some(InputType::Circuit);
    device.parameter_schema = Some(JsonText::from_stored("{\"type\": \"object\", \"maximum\": 1.0}"));
    device
}
