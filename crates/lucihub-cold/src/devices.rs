//! The registry of devices.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::upsert::excluded;
use lucihub_models_core::cold::{ColdDevices, DevicePage, OperatorFields, SeenFields};
use lucihub_models_core::{Device, DeviceId, DeviceType, Invalid, JsonText, Result, StoreError};

use crate::at_most::AtMostDsl;
use crate::cold::{Cold, Engine};
use crate::conn::on_conn;
use crate::error::Error;
use crate::head;
use crate::schema::devices;
use crate::types::{Free, Json, Time};

/// A row of `devices`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = devices)]
struct DeviceRow {
    id: String,
    device_type: Free,
    firmware: Option<Free>,
    entity_digest: Option<Free>,
    seen_at: Option<Time>,
    input_type: Option<Free>,
    parameter_schema: Option<Json>,
    extra: Json,
}

/// The scanner's columns.
#[derive(Insertable)]
#[diesel(table_name = devices)]
struct SeenColumns {
    id: String,
    device_type: Free,
    firmware: Option<Free>,
    entity_digest: Option<Free>,
    seen_at: Time,
    extra: Json,
}

/// The operator's columns; `None` leaves one as it is.
#[derive(AsChangeset)]
#[diesel(table_name = devices)]
struct OperatorColumns {
    input_type: Option<Free>,
    parameter_schema: Option<Json>,
}

#[async_trait]
impl<E: Engine> ColdDevices for Cold<E> {
    async fn put_seen(&self, seen: &SeenFields) -> Result<()> {
        let SeenFields { id, device_type, firmware, entity_digest, seen_at } = seen.clone();
        let columns = SeenColumns {
            id: id.as_str().to_owned(),
            device_type: device_type.as_str().into(),
            firmware: firmware.map(Free),
            entity_digest: entity_digest.map(Free),
            seen_at: Time(seen_at),
            extra: Json("{}".into()),
        };
        self.write(move |conn| {
            on_conn!(conn, c => {
                let upsert = diesel::insert_into(devices::table)
                    .values(columns)
                    .on_conflict(devices::id)
                    .do_update()
                    .set((
                        devices::device_type.eq(excluded(devices::device_type)),
                        devices::firmware.eq(excluded(devices::firmware)),
                        devices::entity_digest.eq(excluded(devices::entity_digest)),
                        devices::seen_at.eq(excluded(devices::seen_at)),
                    ));
                diesel::query_dsl::methods::FilterDsl::filter(upsert, devices::seen_at.is_null().or(devices::seen_at.le(excluded(devices::seen_at)))).execute(c)
            })?;
            Ok(())
        })
        .await
    }

    async fn put_operator(&self, device: &DeviceId, fields: &OperatorFields) -> Result<()> {
        let limits = self.limits();
        let OperatorFields { input_type, parameter_schema } = fields.clone();
        if let Some(schema) = &parameter_schema {
            schema.check("parameter schema", limits)?;
        }
        if let Some(word) = input_type.as_ref().map(lucihub_models_core::InputType::as_str)
            && word.len() > limits.text_bytes
        {
            return Err(Invalid::new("input type", format!("{} bytes", word.len()))
                .hint(format!("the limit is {} bytes", limits.text_bytes))
                .into());
        }
        let id = device.clone();
        let columns = OperatorColumns {
            input_type: input_type.map(|word| word.as_str().into()),
            parameter_schema: parameter_schema.map(|json| Json(json.as_str().to_owned())),
        };
        self.write(move |conn| {
            let row = devices::table.find(id.as_str());
            let there: bool = on_conn!(conn, c => diesel::select(diesel::dsl::exists(row)).get_result(c))?;
            if !there {
                return Err(StoreError::not_found(format!("device {id}")).into());
            }
            if columns.input_type.is_some() || columns.parameter_schema.is_some() {
                on_conn!(conn, c => diesel::update(row).set(columns).execute(c))?;
            }
            Ok(())
        })
        .await
    }

    async fn device(&self, device: &DeviceId) -> Result<Option<Device>> {
        let id = device.clone();
        self.look(move |conn| {
            let row: Option<DeviceRow> = on_conn!(conn, c => {
                devices::table.find(id.as_str()).select(DeviceRow::as_select()).get_result(c).optional()
            })?;
            row.map(DeviceRow::into_device).transpose()
        })
        .await
    }

    async fn devices(&self, after: Option<&DeviceId>, limit: usize) -> Result<DevicePage> {
        self.check_page(limit)?;
        let after = after.map(|id| id.as_str().to_owned());
        self.look(move |conn| {
            let mut rows: Vec<DeviceRow> = on_conn!(conn, c => {
                let mut query = devices::table
                    .select(DeviceRow::as_select())
                    .order(devices::id.asc())
                    .into_boxed();
                if let Some(after) = after {
                    query = query.filter(devices::id.gt(after));
                }
                query.at_most(limit.saturating_add(1)).load(c)
            })?;
            let more = rows.len() > limit;
            rows.truncate(limit);
            let devices = rows.into_iter().map(DeviceRow::into_device).collect::<Result<Vec<_>, _>>()?;
            let last = devices.last().map(|device| device.id.clone());
            Ok(DevicePage { next: last.filter(|_| more), devices })
        })
        .await
    }

    async fn delete_device(&self, device: &DeviceId) -> Result<bool> {
        let id = device.clone();
        self.write(
            move |conn| Ok(on_conn!(conn, c => diesel::delete(devices::table.find(id.as_str())).execute(c))? > 0),
        )
        .await
    }
}

impl DeviceRow {
    fn into_device(self) -> Result<Device, Error> {
        let row = format!("device {:?}", self.id);
        let id = DeviceId::try_from(self.id).map_err(|e| Error::row("devices", "id", row.as_str(), e))?;
        let mut device = Device::new(id, DeviceType::from(&*self.device_type.0));
        device.firmware = self.firmware.map(|Free(text)| text);
        device.entity_digest = self.entity_digest.map(|Free(text)| text);
        device.seen_at = self.seen_at.map(|Time(at)| at);
        device.input_type = self.input_type.map(|Free(word)| (&*word).into());
        device.parameter_schema = self.parameter_schema.map(|json| JsonText::from_stored(json.0));
        device.extra = head::parse(&self.extra).map_err(|e| Error::row("devices", "extra", row.as_str(), e))?;
        Ok(device)
    }
}
