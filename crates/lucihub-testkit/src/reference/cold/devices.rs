//! The registry of devices.

use async_trait::async_trait;
use lucihub_models_core::cold::{ColdDevices, DevicePage, OperatorFields, SeenFields};
use lucihub_models_core::{Device, DeviceId, Invalid, Result, StoreError};

use super::ReferenceCold;

#[async_trait]
impl ColdDevices for ReferenceCold {
    async fn put_seen(&self, seen: &SeenFields) -> Result<()> {
        let SeenFields { id, device_type, firmware, entity_digest, seen_at } = seen.clone();
        let mut tables = self.tables();
        let device = tables.devices.entry(id.clone()).or_insert_with(|| Device::new(id, device_type.clone()));
        if device.seen_at.is_none_or(|last| last <= seen_at) {
            device.device_type = device_type;
            device.firmware = firmware;
            device.entity_digest = entity_digest;
            device.seen_at = Some(seen_at);
        }
        Ok(())
    }

    async fn put_operator(&self, device: &DeviceId, fields: &OperatorFields) -> Result<()> {
        let OperatorFields { input_type, parameter_schema } = fields.clone();
        if let Some(schema) = &parameter_schema {
            schema.check("parameter schema", &self.limits)?;
        }
        if input_type.as_ref().is_some_and(|word| word.as_str().len() > self.limits.text_bytes) {
            let limit = format!("the limit is {} bytes", self.limits.text_bytes);
            return Err(Invalid::new("input type", "too long").hint(limit).into());
        }
        let mut tables = self.tables();
        let found = tables.devices.get_mut(device);
        let known = found.ok_or_else(|| StoreError::not_found(format!("device {device}")))?;
        known.input_type = input_type.or_else(|| known.input_type.take());
        known.parameter_schema = parameter_schema.or_else(|| known.parameter_schema.take());
        Ok(())
    }

    async fn device(&self, device: &DeviceId) -> Result<Option<Device>> {
        Ok(self.tables().devices.get(device).cloned())
    }

    async fn devices(&self, after: Option<&DeviceId>, limit: usize) -> Result<DevicePage> {
        self.check_page(limit)?;
        let tables = self.tables();
        let mut rest = tables.devices.values().filter(|device| after.is_none_or(|last| device.id > *last));
        let devices: Vec<Device> = rest.by_ref().take(limit).cloned().collect();
        let last = devices.last().map(|device| device.id.clone());
        Ok(DevicePage { next: last.filter(|_| rest.next().is_some()), devices })
    }

    async fn delete_device(&self, device: &DeviceId) -> Result<bool> {
        let mut tables = self.tables();
        tables.drop_attachments(&device.clone().into());
        Ok(tables.devices.remove(device).is_some())
    }
}
