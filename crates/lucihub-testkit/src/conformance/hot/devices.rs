//! The list of active devices: leases by the store's clock.

use std::sync::Arc;
use std::time::Duration;

use lucihub_models_core::hot::{ActiveDevice, Announced, DEVICE_LEASE, DeviceSeen};
use lucihub_models_core::{DeviceId, DeviceType, IdSource, StoreError};

use super::stage::{Stage, assert_lasts};
use crate::harness::HotHarness;
use crate::models::device_seen;

const SECOND: Duration = Duration::from_secs(1);

/// A device that no other case knows.
fn seen(stage: &Stage<'_>, scanner: &str) -> DeviceSeen {
    DeviceSeen { id: format!("d-{}", stage.ids.run_id()).parse().unwrap(), ..device_seen(1, scanner) }
}

async fn active(stage: &Stage<'_>, device: &DeviceId) -> Option<ActiveDevice> {
    let one = stage.store.active_device(device).await.unwrap();
    let listed = stage.store.active().await.unwrap().into_iter().find(|active| active.seen.id == *device);
    assert_eq!(one, listed, "the list and the single answer agree");
    one
}

/// An announced device is active, with all that was seen, until its lease runs out.
pub async fn announced_devices_are_active(h: &dyn HotHarness) {
    let stage = Stage::new(h, "announced_devices_are_active");
    let device = seen(&stage, "s1");
    assert!(active(&stage, &device.id).await.is_none());
    assert_eq!(stage.store.announce(&device, DEVICE_LEASE).await.unwrap(), Announced::Active);
    let entry = active(&stage, &device.id).await.unwrap();
    assert_eq!(entry.seen, device);
    assert_eq!(entry.since, entry.seen_at);
    assert_lasts(entry.until.unwrap(), entry.seen_at, DEVICE_LEASE);
    h.advance(DEVICE_LEASE + SECOND).await;
    assert!(active(&stage, &device.id).await.is_none(), "a dead scanner empties the list");
}

/// A renewal keeps `since` and takes over what is seen now; after a break, `since` is new.
pub async fn since_counts_without_a_break(h: &dyn HotHarness) {
    let stage = Stage::new(h, "since_counts_without_a_break");
    let mut device = seen(&stage, "s1");
    stage.store.announce(&device, DEVICE_LEASE).await.unwrap();
    let first = active(&stage, &device.id).await.unwrap();
    h.advance(DEVICE_LEASE / 2).await;
    device.firmware = Some("1.5.0".to_owned());
    device.entity = None;
    device.device_type = DeviceType::Other("NOVEL".to_owned());
    assert_eq!(stage.store.announce(&device, DEVICE_LEASE).await.unwrap(), Announced::Active);
    let renewed = active(&stage, &device.id).await.unwrap();
    assert_eq!((renewed.since, &renewed.seen), (first.since, &device));
    assert!(renewed.seen_at >= first.seen_at.after(DEVICE_LEASE / 2));
    h.advance(DEVICE_LEASE + SECOND).await;
    stage.store.announce(&device, DEVICE_LEASE).await.unwrap();
    let anew = active(&stage, &device.id).await.unwrap();
    assert!(anew.since > renewed.since && anew.since == anew.seen_at);
}

/// While a scanner's lease lives, another one is told so and changes nothing.
pub async fn scanners_renew_their_own(h: &dyn HotHarness) {
    let stage = Stage::new(h, "scanners_renew_their_own");
    let device = seen(&stage, "s1");
    stage.store.announce(&device, DEVICE_LEASE).await.unwrap();
    let mine = active(&stage, &device.id).await.unwrap();
    let other = DeviceSeen { scanner: "s2".to_owned(), firmware: None, ..device.clone() };
    let answer = stage.store.announce(&other, DEVICE_LEASE).await.unwrap();
    assert_eq!(answer, Announced::Held { by: "s1".to_owned(), until: mine.until });
    assert_eq!(active(&stage, &device.id).await.unwrap(), mine);
    assert!(!stage.store.withdraw(&device.id, "s2").await.unwrap());
    assert_eq!(active(&stage, &device.id).await.unwrap(), mine);
    h.advance(DEVICE_LEASE + SECOND).await;
    assert_eq!(stage.store.announce(&other, DEVICE_LEASE).await.unwrap(), Announced::Active);
    assert_eq!(active(&stage, &device.id).await.unwrap().seen, other);
}

/// A withdrawal ends the lease, and the device is free for any scanner.
pub async fn withdrawn_devices_are_free(h: &dyn HotHarness) {
    let stage = Stage::new(h, "withdrawn_devices_are_free");
    let device = seen(&stage, "s1");
    assert!(!stage.store.withdraw(&device.id, "s1").await.unwrap(), "it was not active");
    stage.store.announce(&device, DEVICE_LEASE).await.unwrap();
    assert!(stage.store.withdraw(&device.id, "s1").await.unwrap());
    assert!(active(&stage, &device.id).await.is_none());
    assert!(!stage.store.withdraw(&device.id, "s1").await.unwrap());
    let other = DeviceSeen { scanner: "s2".to_owned(), ..device };
    assert_eq!(stage.store.announce(&other, DEVICE_LEASE).await.unwrap(), Announced::Active);
    h.advance(DEVICE_LEASE + SECOND).await;
    assert!(!stage.store.withdraw(&other.id, "s2").await.unwrap(), "its lease had run out");
}

/// A device that is always active has no end, until it is withdrawn or becomes an ordinary one.
pub async fn always_active_devices_stay(h: &dyn HotHarness) {
    let stage = Stage::new(h, "always_active_devices_stay");
    let mut device = DeviceSeen { always_active: true, ..seen(&stage, "s1") };
    stage.store.announce(&device, SECOND).await.unwrap();
    h.advance(100 * DEVICE_LEASE).await;
    assert_eq!(active(&stage, &device.id).await.unwrap().until, None);
    let other = DeviceSeen { scanner: "s2".to_owned(), ..device.clone() };
    let held = stage.store.announce(&other, SECOND).await.unwrap();
    assert_eq!(held, Announced::Held { by: "s1".to_owned(), until: None });
    device.always_active = false;
    stage.store.announce(&device, DEVICE_LEASE).await.unwrap();
    h.advance(DEVICE_LEASE + SECOND).await;
    assert!(active(&stage, &device.id).await.is_none());
    device.always_active = true;
    stage.store.announce(&device, SECOND).await.unwrap();
    assert!(stage.store.withdraw(&device.id, "s1").await.unwrap());
    assert!(active(&stage, &device.id).await.is_none());
}

/// The list is in order of names, and many devices fit it.
pub async fn the_list_is_in_order(h: &dyn HotHarness) {
    let stage = Stage::new(h, "the_list_is_in_order");
    let prefix = stage.ids.run_id();
    let names: Vec<DeviceId> =
        ["b", "a.2", "a:1", "B", "a-9", "_", "zz", "0"].map(|name| format!("{prefix}{name}").parse().unwrap()).to_vec();
    for id in &names {
        let device = DeviceSeen { id: id.clone(), ..device_seen(1, "s1") };
        stage.store.announce(&device, DEVICE_LEASE).await.unwrap();
    }
    let mut sorted = names.clone();
    sorted.sort();
    let all: Vec<DeviceId> = stage.store.active().await.unwrap().into_iter().map(|active| active.seen.id).collect();
    assert!(all.is_sorted(), "{all:?}");
    assert_eq!(all.into_iter().filter(|id| names.contains(id)).collect::<Vec<_>>(), sorted);
}

/// Entities come back byte for byte up to the limit; past it nothing is written.
pub async fn entities_up_to_the_limit(h: &dyn HotHarness) {
    let stage = Stage::new(h, "entities_up_to_the_limit");
    let most = h.limits().entity_bytes;
    let entity = |size: usize| Some((0..size).map(|n| u8::try_from(n % 251).unwrap_or(0)).collect::<Arc<[u8]>>());
    let full = DeviceSeen { entity: entity(most), ..seen(&stage, "s\n1\0 {}\u{2028}") };
    stage.store.announce(&full, DEVICE_LEASE).await.unwrap();
    assert_eq!(active(&stage, &full.id).await.unwrap().seen, full);
    let empty = DeviceSeen { entity: entity(0), firmware: Some(String::new()), ..seen(&stage, "s1") };
    stage.store.announce(&empty, DEVICE_LEASE).await.unwrap();
    assert_eq!(active(&stage, &empty.id).await.unwrap().seen, empty, "an empty entity is not an absent one");
    let past = DeviceSeen { entity: entity(most + 1), ..seen(&stage, "s1") };
    let refused = stage.store.announce(&past, DEVICE_LEASE).await;
    assert!(matches!(refused, Err(StoreError::Invalid(_))), "{refused:?}");
    assert!(active(&stage, &past.id).await.is_none());
}

/// Of two scanners that announce a device at once, one has it.
pub async fn one_of_two_scanners_wins(h: &dyn HotHarness) {
    let stage = Stage::new(h, "one_of_two_scanners_wins");
    for _ in 0..30 {
        let device = seen(&stage, "s1");
        let other = DeviceSeen { scanner: "s2".to_owned(), ..device.clone() };
        let tasks = [device.clone(), other].map(|seen| {
            let store = Arc::clone(&stage.store);
            tokio::spawn(async move { (store.announce(&seen, DEVICE_LEASE).await.unwrap(), seen.scanner) })
        });
        let mut winners = Vec::new();
        for task in tasks {
            let (answer, scanner) = task.await.unwrap();
            if answer == Announced::Active {
                winners.push(scanner);
            }
        }
        assert_eq!(winners, [active(&stage, &device.id).await.unwrap().seen.scanner]);
    }
}
