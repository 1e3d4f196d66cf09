//! What maintenance tells of a run.

use std::time::Duration;

use lucihub_models_core::{StoreEvent, StoreEventKind};

use super::verify::{Damage, Verified};
use crate::read::CellKey;
use crate::store::Store;

impl Store {
    /// Tells what is wrong with an archived run, and what was put right. What is found again is one event.
    pub(super) async fn tell_verified(&self, verified: &Verified) {
        if verified.damage.is_empty() {
            return;
        }
        let (run, now) = (verified.run, self.now());
        let found: Vec<String> = verified.damage.iter().map(part).collect();
        let found = found.join("; ");
        let mut events = vec![StoreEvent::of_fact(run, StoreEventKind::FoundCorrupt, now, &found).text(&found)];
        let repaired: Vec<String> = verified.damage.iter().filter(|damage| damage.is_repaired()).map(part).collect();
        if !repaired.is_empty() {
            // Behind what it puts right.
            let after = now.after(Duration::from_micros(1));
            let event = StoreEvent::new(self.ids().event_id(), after, StoreEventKind::Repaired);
            events.push(event.text(&format!("written anew: {}", repaired.join("; "))));
        }
        self.add_events(run, &events).await;
    }
}

/// The damaged part, by name.
fn part(damage: &Damage) -> String {
    match damage {
        Damage::Cell { key: CellKey::Lines(cell), .. } => format!("log cell {cell}"),
        Damage::Cell { key: CellKey::Samples { channel, cell }, .. } => format!("channel {channel}, cell {cell}"),
        Damage::Summary { channel, cell, .. } => format!("summary of channel {channel}, cell {cell}"),
        Damage::Attachment { name, .. } => format!("attachment {name}"),
        Damage::Digest { found } => format!("the digest, which is {found}"),
    }
}
