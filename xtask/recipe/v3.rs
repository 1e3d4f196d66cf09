//! Version 3 of a device, both ways.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use lucihub_models_core::{AnyDevice, Device, LeftOut, Version, v2};

fn device(digests: &[&str]) -> Device {
    let mut device = Device::new("redac:2".parse().unwrap(), "REDAC".into());
    device.firmware = Some("1.4.0".to_owned());
    device.entity_digest = digests.iter().map(ToString::to_string).collect();
    device
}

#[test]
fn what_version_two_had_is_there() {
    let mut old = v2::Device::new("redac:2".parse().unwrap(), "REDAC".into());
    old.firmware = Some("1.4.0".to_owned());
    old.entity_digest = Some("blake3:5f1c".to_owned());
    let text = AnyDevice::V2(old.clone()).to_json().unwrap();
    let new = AnyDevice::from_json(&text).unwrap().into_latest();
    assert_eq!(new, device(&["blake3:5f1c"]));
    assert_eq!(AnyDevice::downgrade(new, Version::V2).unwrap(), (AnyDevice::V2(old), Vec::new()));
}

#[test]
fn what_version_two_has_no_place_for_is_named() {
    let (old, left_out) = AnyDevice::downgrade(device(&["blake3:5f1c", "blake3:77aa"]), Version::V2).unwrap();
    assert_eq!(old.version(), "v2");
    assert_eq!(left_out.iter().map(LeftOut::pointer).collect::<Vec<_>>(), ["/device/entity_digest"]);
}

#[test]
fn the_newest_is_written() {
    let new = AnyDevice::from(device(&["blake3:5f1c"]));
    assert_eq!(new.version(), "v3");
    assert_eq!(AnyDevice::from_json(&new.to_json().unwrap()).unwrap(), new);
}
