//! Store events of runs: one hash, by their ids, so that what is noted again changes nothing.

use async_trait::async_trait;
use lucihub_models_core::hot::HotEvents;
use lucihub_models_core::{Result, RunId, StoreError, StoreEvent, Timestamp};

use super::RedisHot;
use super::link::Lane;
use super::reply::count;

#[async_trait]
impl HotEvents for RedisHot {
    async fn note(&self, run: RunId, events: &[StoreEvent]) -> Result<bool> {
        StoreEvent::check_all(events, &self.options.limits)?;
        // No more than can be kept is sent.
        let events = StoreEvent::merged(Vec::new(), events.iter().cloned());
        let mut args = super::args();
        args.extend([count(StoreEvent::KEPT), count(events.len())]);
        for event in &events {
            args.extend([event.id.to_string().into(), stored(run, event).into()]);
        }
        let keys = self.keys.run(run).fixed(0);
        let mut reply = self.link.call(Lane::Write, &self.link.scripts.note, keys, args).await?;
        match &*reply.text()? {
            "noted" => Ok(true),
            "absent" | "deleted" => Ok(false),
            other => Err(reply.bad(format!("{other:?}"))),
        }
    }

    async fn events(&self, run: RunId) -> Result<Option<Vec<StoreEvent>>> {
        let keys = self.keys.run(run).fixed(0);
        let mut reply = self.link.call(Lane::Read, &self.link.scripts.events, keys, super::args()).await?;
        match &*reply.text()? {
            "events" => {
                let fields = reply.fields()?;
                let all = fields.iter().map(|(id, text)| parse(run, id, text)).collect::<Result<Vec<_>>>()?;
                Ok(Some(StoreEvent::merged(all, [])))
            }
            "absent" | "deleted" => Ok(None),
            other => Err(reply.bad(format!("{other:?}"))),
        }
    }
}

/// What is stored of an event: its time, in as many digits for every one, so that the script can order them as texts; a
/// checksum over where it belongs and the rest; the event.
pub(super) fn stored(run: RunId, event: &StoreEvent) -> String {
    let json = event.to_json();
    format!("{} {:08x} {json}", time(event), checksum(run, &json))
}

/// Microseconds since the first possible time.
fn time(event: &StoreEvent) -> String {
    format!("{:018}", event.at.as_micros() - Timestamp::MIN.as_micros())
}

pub(super) fn checksum(run: RunId, json: &str) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(run.as_uuid().as_bytes()), json.as_bytes())
}

pub(super) fn parse(run: RunId, id: &str, stored: &str) -> Result<StoreEvent> {
    let corrupt = |why| StoreError::corrupt(format!("run {run} in hot storage, store event {id:?}"), why);
    let damaged = || corrupt("it is damaged".to_owned());
    let (at, sealed) = stored.split_once(' ').ok_or_else(damaged)?;
    let (sum, json) = sealed.split_once(' ').ok_or_else(damaged)?;
    if u32::from_str_radix(sum, 16) != Ok(checksum(run, json)) {
        return Err(damaged());
    }
    let event = StoreEvent::from_json(json).map_err(|why| corrupt(why.to_string()))?;
    if event.id.to_string() != id || time(&event) != at {
        return Err(damaged());
    }
    Ok(event)
}

#[cfg(test)]
mod tests {
    use lucihub_models_core::{IdSource, StoreEventKind, SystemIds};

    use super::*;

    #[test]
    fn an_event_comes_back_or_is_refused() {
        let run: RunId = "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e".parse().unwrap();
        let other: RunId = "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4f".parse().unwrap();
        for at in [Timestamp::MIN, Timestamp::EPOCH, Timestamp::MAX] {
            let event = StoreEvent::new(SystemIds.event_id(), at, StoreEventKind::Restored).text("at line 3");
            let (id, text) = (event.id.to_string(), stored(run, &event));
            assert_eq!(parse(run, &id, &text).unwrap(), event);
            assert!(parse(other, &id, &text).is_err() && parse(run, &other.to_string(), &text).is_err());
            for at in 0..text.len() {
                let mut damaged = text.clone().into_bytes();
                damaged[at] ^= 1;
                let damaged = String::from_utf8(damaged).unwrap();
                assert!(parse(run, &id, &damaged).is_err(), "{damaged}");
                assert!(parse(run, &id, &text[..at]).is_err(), "{}", &text[..at]);
            }
        }
    }
}
