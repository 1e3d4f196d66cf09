//! The list of active devices: a lease each, by the server's clock.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fred::types::Value;
use lucihub_models_core::hot::{ActiveDevice, Announced, DeviceSeen, HotDevices};
use lucihub_models_core::{DeviceId, DeviceType, Result, Timestamp};

use super::RedisHot;
use super::link::Lane;
use super::reply::Reply;
use super::runs::micros;

#[async_trait]
impl HotDevices for RedisHot {
    async fn announce(&self, seen: &DeviceSeen, lease: Duration) -> Result<Announced> {
        seen.check(&self.options.limits)?;
        let mut args = super::args();
        args.push(seen.id.as_str().into());
        args.push(seen.scanner.as_str().into());
        args.push(if seen.always_active { "".into() } else { micros(lease) });
        args.extend(["type".into(), Value::from(seen.device_type.as_str())]);
        if let Some(firmware) = &seen.firmware {
            args.extend(["firmware".into(), Value::from(firmware.as_str())]);
        }
        if let Some(entity) = &seen.entity {
            args.extend(["entity".into(), Value::from(&entity[..])]);
        }
        let keys = vec![self.keys.devices(), self.keys.device(&seen.id)];
        let mut reply = self.link.call(Lane::Write, &self.link.scripts.announce, keys, args).await?;
        match &*reply.text()? {
            "active" => Ok(Announced::Active),
            "held" => {
                let by = reply.text()?;
                let until = reply.text()?;
                Ok(Announced::Held { by, until: lease_end(&reply, &until)? })
            }
            other => Err(reply.bad(format!("{other:?}"))),
        }
    }

    async fn withdraw(&self, device: &DeviceId, scanner: &str) -> Result<bool> {
        let mut args = super::args();
        args.extend([device.as_str().into(), scanner.into()]);
        let keys = vec![self.keys.devices(), self.keys.device(device)];
        let mut reply = self.link.call(Lane::Write, &self.link.scripts.withdraw, keys, args).await?;
        Ok(reply.text()? == "withdrawn")
    }

    async fn active(&self) -> Result<Vec<ActiveDevice>> {
        let mut devices = self.read_devices("").await?;
        devices.sort_by(|a, b| a.seen.id.cmp(&b.seen.id));
        Ok(devices)
    }

    async fn active_device(&self, device: &DeviceId) -> Result<Option<ActiveDevice>> {
        Ok(self.read_devices(device.as_str()).await?.pop())
    }
}

/// No end is an empty text: it is always active.
fn lease_end(reply: &Reply, text: &str) -> Result<Option<Timestamp>> {
    if text.is_empty() { Ok(None) } else { reply.as_time(text).map(Some) }
}

impl RedisHot {
    /// All active devices, or one.
    async fn read_devices(&self, one: &str) -> Result<Vec<ActiveDevice>> {
        let mut args = super::args();
        args.extend([self.keys.device_stem().into(), one.into()]);
        let keys = vec![self.keys.devices()];
        let mut reply = self.link.call(Lane::Read, &self.link.scripts.active, keys, args).await?;
        if reply.text()? != "devices" {
            return Err(reply.bad("it lists no devices"));
        }
        let mut devices = Vec::new();
        for device in reply.list()? {
            let Value::Array(parts) = device else { return Err(reply.bad("a device is none")) };
            devices.push(read_device(Reply::new("active", parts))?);
        }
        Ok(devices)
    }
}

fn read_device(mut reply: Reply) -> Result<ActiveDevice> {
    let id = reply.text()?;
    let mut fields = reply.nested()?;
    let mut device = ActiveDevice {
        seen: DeviceSeen {
            id: id.parse().map_err(|e| reply.bad(e))?,
            device_type: DeviceType::from(""),
            firmware: None,
            entity: None,
            scanner: String::new(),
            always_active: false,
        },
        since: Timestamp::EPOCH,
        seen_at: Timestamp::EPOCH,
        until: None,
    };
    while let Some(name) = fields.optional_next()? {
        match &*name {
            "type" => device.seen.device_type = DeviceType::from(&*fields.text()?),
            "firmware" => device.seen.firmware = Some(fields.text()?),
            "entity" => device.seen.entity = Some(Arc::from(&fields.bytes()?[..])),
            "scanner" => device.seen.scanner = fields.text()?,
            "since" => device.since = fields.time()?,
            "seen_at" => device.seen_at = fields.time()?,
            "until" => {
                let until = fields.text()?;
                device.until = lease_end(&fields, &until)?;
                device.seen.always_active = device.until.is_none();
            }
            // A field of a newer program.
            _ => drop(fields.next()?),
        }
    }
    Ok(device)
}
