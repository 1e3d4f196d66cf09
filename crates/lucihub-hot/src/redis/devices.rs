//! The list of active devices: a lease each, by the server's clock.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fred::types::Value;
use lucihub_models_core::hot::{ActiveDevice, Announced, DeviceSeen, HotDevices};
use lucihub_models_core::{DeviceId, DeviceType, Result, Timestamp};
use tokio::time::Instant;

use super::RedisHot;
use super::entities::Entity;
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
        match &*reply.text()? {
            "withdrawn" => Ok(true),
            "other" => Ok(false),
            other => Err(reply.bad(format!("{other:?}"))),
        }
    }

    async fn active(&self) -> Result<Vec<ActiveDevice>> {
        /// Devices of one answer: 2 MiB even if the entity of each is new and as large as may be.
        const PAGE: usize = 32;
        let deadline = self.link.deadline();
        let keys = vec![self.keys.devices()];
        let mut reply = self.link.call_by(deadline, Lane::Read, &self.link.scripts.names, keys, super::args()).await?;
        if reply.text()? != "names" {
            return Err(reply.bad("it lists no devices"));
        }
        let names = reply.texts()?.into_iter().map(|name| name.parse().map_err(|e| reply.bad(e)));
        let mut names = names.collect::<Result<Vec<DeviceId>>>()?;
        names.sort();
        self.entities.keep(&names);
        let (mut devices, mut dead) = (Vec::new(), Vec::new());
        for page in names.chunks(PAGE) {
            self.read_devices(deadline, page, &mut devices, &mut dead).await?;
        }
        self.bury(deadline, &dead).await;
        Ok(devices)
    }

    async fn active_device(&self, device: &DeviceId) -> Result<Option<ActiveDevice>> {
        let mut devices = Vec::new();
        let one = std::slice::from_ref(device);
        self.read_devices(self.link.deadline(), one, &mut devices, &mut Vec::new()).await?;
        Ok(devices.pop())
    }
}

/// No end is an empty text: it is always active.
fn lease_end(reply: &Reply, text: &str) -> Result<Option<Timestamp>> {
    if text.is_empty() { Ok(None) } else { reply.as_time(text).map(Some) }
}

impl RedisHot {
    /// Those of some devices that are active, in the same order; and those that are gone for good.
    async fn read_devices(
        &self,
        deadline: Instant,
        names: &[DeviceId],
        devices: &mut Vec<ActiveDevice>,
        dead: &mut Vec<DeviceId>,
    ) -> Result<()> {
        let mut args = super::args();
        let mut keys = vec![self.keys.devices()];
        let mut known = HashMap::new();
        for name in names {
            keys.push(self.keys.device(name));
            let entity = self.entities.of(name);
            args.extend([name.as_str().into(), entity.as_ref().map_or("", |known| &*known.rev).into()]);
            known.extend(entity.map(|entity| (name, entity)));
        }
        let mut reply = self.link.call_by(deadline, Lane::Read, &self.link.scripts.active, keys, args).await?;
        if reply.text()? != "devices" {
            return Err(reply.bad("it tells of no devices"));
        }
        for device in reply.list()? {
            let Value::Array(parts) = device else { return Err(reply.bad("a device is none")) };
            let mut parts = Reply::new("active", parts);
            let id: DeviceId = parts.text()?.parse().map_err(|e| parts.bad(e))?;
            let known = known.remove(&id);
            devices.push(self.read_device(id, parts.nested()?, known)?);
        }
        for name in reply.texts()? {
            dead.push(name.parse().map_err(|e| reply.bad(e))?);
        }
        Ok(())
    }

    /// Takes devices off the list that are gone for good. Whoever may not write leaves it to others.
    async fn bury(&self, deadline: Instant, dead: &[DeviceId]) {
        for page in dead.chunks(1_000) {
            let mut keys = vec![self.keys.devices()];
            keys.extend(page.iter().map(|name| self.keys.device(name)));
            let mut args = super::args();
            args.extend(page.iter().map(|name| Value::from(name.as_str())));
            let _ = self.link.call_by(deadline, Lane::Write, &self.link.scripts.bury, keys, args).await;
        }
    }

    /// A device, whose entity is left out if it is the one that is `known`.
    fn read_device(&self, id: DeviceId, mut fields: Reply, known: Option<Entity>) -> Result<ActiveDevice> {
        let mut device = ActiveDevice {
            seen: DeviceSeen {
                id,
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
        let mut rev = None;
        while let Some(name) = fields.optional_next()? {
            match &*name {
                "type" => device.seen.device_type = DeviceType::from(&*fields.text()?),
                "firmware" => device.seen.firmware = Some(fields.text()?),
                "entity" => device.seen.entity = Some(Arc::from(&fields.bytes()?[..])),
                "entity_rev" => rev = Some(fields.text()?),
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
        match (rev, &device.seen.entity) {
            (Some(rev), Some(bytes)) => self.entities.learn(&device.seen.id, Entity { rev, bytes: bytes.clone() }),
            (Some(rev), None) => {
                let known = known.filter(|known| known.rev == rev);
                device.seen.entity = Some(known.ok_or_else(|| fields.bad("an entity is missing"))?.bytes);
            }
            (None, _) => {}
        }
        Ok(device)
    }
}
