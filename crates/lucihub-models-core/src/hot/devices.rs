//! The list of active devices.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::error::{Invalid, Result};
use crate::id::DeviceId;
use crate::latest::DeviceType;
use crate::limits::Limits;
use crate::timestamp::Timestamp;

/// What a scanner saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceSeen {
    /// The device.
    pub id: DeviceId,
    /// Its kind.
    pub device_type: DeviceType,
    /// Its firmware.
    pub firmware: Option<String>,
    /// Its entity tree, as the device sent it: up to
    /// [`Limits::entity_bytes`](crate::Limits::entity_bytes).
    pub entity: Option<Arc<[u8]>>,
    /// The scanner, by its configured name.
    pub scanner: String,
    /// Whether it stays active until it is withdrawn, as simulators do.
    pub always_active: bool,
}

impl DeviceSeen {
    /// Checks the limits.
    ///
    /// # Errors
    /// [`Invalid`] naming the part, the limit and what to do.
    pub fn check(&self, limits: &Limits) -> Result<(), Invalid> {
        let size = self.entity.as_ref().map_or(0, |entity| entity.len());
        if size > limits.entity_bytes {
            return Err(Invalid::new("entity", format!("{size} bytes"))
                .hint(format!("the limit is {} bytes", limits.entity_bytes)));
        }
        crate::check::word("device type", Some(self.device_type.as_str()), limits)?;
        let texts = [("firmware", self.firmware.as_deref()), ("scanner", Some(&*self.scanner))];
        for (thing, text) in texts {
            if text.is_some_and(|text| text.len() > limits.text_bytes) {
                return Err(Invalid::new(thing, "too long").hint(format!("the limit is {} bytes", limits.text_bytes)));
            }
        }
        Ok(())
    }
}

/// A device that answers now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveDevice {
    /// What was seen.
    pub seen: DeviceSeen,
    /// Since when it has been active without a break.
    pub since: Timestamp,
    /// When it was last announced.
    pub seen_at: Timestamp,
    /// When its lease runs out; `None` if it is always active.
    pub until: Option<Timestamp>,
}

/// The answer to an announcement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Announced {
    /// It is active.
    Active,
    /// Another scanner holds its lease.
    Held {
        /// That scanner.
        by: String,
        /// When the lease runs out; `None` if never.
        until: Option<Timestamp>,
    },
}

/// How long an announcement lasts by default: three scans of a minute.
pub const DEVICE_LEASE: Duration = Duration::from_secs(180);

/// The devices that answer now: a lease each, by the store's clock.
#[async_trait]
pub trait HotDevices: Send + Sync {
    /// Makes a device active until its lease runs out. A scanner renews only its
    /// own entries: while another scanner's lease lives, the answer is `Held`.
    async fn announce(&self, seen: &DeviceSeen, lease: Duration) -> Result<Announced>;

    /// Ends a lease early. `false` if the device was not active, or is another
    /// scanner's.
    async fn withdraw(&self, device: &DeviceId, scanner: &str) -> Result<bool>;

    /// The active devices, by name.
    async fn active(&self) -> Result<Vec<ActiveDevice>>;

    /// One device, if it is active.
    async fn active_device(&self, device: &DeviceId) -> Result<Option<ActiveDevice>>;
}
