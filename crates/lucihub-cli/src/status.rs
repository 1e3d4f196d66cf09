//! `lucihub status`: how both storages are.

use std::time::Duration;

use indicatif::{BinaryBytes, HumanCount, HumanDuration};
use lucihub_models_core::Timestamp;
use lucihub_store::observe::{ColdStanding, HotStanding};
use lucihub_store::{Store, StoreHealth};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use crate::args::{Place, StatusArgs};
use crate::failure::Failure;
use crate::{output, place};

/// What is said, and printed as JSON.
#[derive(Debug, Serialize)]
struct Status {
    /// This command's.
    version: &'static str,
    /// Where hot storage is; `None` where it is the memory of each process.
    hot_server: Option<String>,
    /// Where cold storage is.
    cold_place: String,
    #[serde(flatten)]
    health: StoreHealth,
    /// Devices that answer now.
    active_devices: Option<usize>,
    /// By how much hot storage grows, in bytes per second; below 0 where it shrinks.
    hot_bytes_per_second: Option<f64>,
    /// When hot storage is full at that rate.
    hot_full_in_seconds: Option<f64>,
}

/// Asks both storages how they are, and says it.
pub(crate) async fn run(args: StatusArgs) -> Result<(), Failure> {
    let (store, shut) = open(&args.place).await?;
    let asked = Instant::now();
    let mut health = store.health().await;
    if let Some(why) = shut {
        health.ready = false;
        health.why_not.push(why);
    }
    let mut status = Status {
        version: env!("CARGO_PKG_VERSION"),
        hot_server: args.place.hot.server(),
        cold_place: place::shown(&args.place.cold)?,
        health,
        active_devices: None,
        hot_bytes_per_second: None,
        hot_full_in_seconds: None,
    };
    if let Some(used) = status.health.hot.as_ref().and_then(|hot| hot.used_bytes) {
        status.active_devices = store.active_devices().await.ok().map(|devices| devices.len());
        status.look_again(&store, used, asked, args.over).await;
    }
    if args.one.is_json() {
        output::json(&status)?;
    } else {
        status.print(store.now())?;
    }
    if status.health.ready { Ok(()) } else { Err(Failure::NotReady("a storage cannot do its work")) }
}

/// Opens what can be opened, and says why the other storage cannot.
async fn open(place: &Place) -> Result<(Store, Option<String>), Failure> {
    if !place.hot.is_shared() {
        return Ok((place::history(place).await?, None));
    }
    match place::read(place).await {
        Ok(reading) => {
            let shut = reading.away.map(|why| why.to_string());
            Ok((reading.store, shut))
        }
        // A file that is not there, or a setting that cannot be meant, is to be mended first.
        Err(why) if !why.is_server_away() => Err(why),
        Err(why) => {
            let Some(hot) = place.hot.alone() else { return Err(why) };
            let Ok(store) = Store::open(&hot).await else { return Err(why) };
            Ok((store, Some(why.to_string())))
        }
    }
}

impl Status {
    /// Sees how hot storage grows.
    #[expect(clippy::cast_precision_loss, reason = "a rate needs no more than 53 bits")]
    async fn look_again(&mut self, store: &Store, used: u64, asked: Instant, over: Duration) {
        if over.is_zero() {
            return;
        }
        sleep(over).await;
        let Ok(now) = store.hot().health().await else { return };
        let rate = (now.used_bytes as f64 - used as f64) / asked.elapsed().as_secs_f64();
        self.hot_bytes_per_second = Some(rate);
        let room = now.max_bytes.map(|max| max.saturating_sub(now.used_bytes) as f64);
        self.hot_full_in_seconds = room.filter(|_| rate > 0.0).map(|room| room / rate);
    }

    fn print(&self, now: Timestamp) -> Result<(), Failure> {
        let field = |name: &str, value: &str| output::line(format!("{name:<9}{value}"));
        field("lucihub", self.version)?;
        match &self.health.cold {
            Some(cold) => {
                let lines = cold_lines(cold, now);
                lines.iter().enumerate().try_for_each(|(n, line)| field(if n == 0 { "cold" } else { "" }, line))?;
            }
            None => field("cold", "it cannot be opened")?,
        }
        field("", &self.cold_place)?;
        match (&self.health.hot, &self.hot_server) {
            (Some(hot), server) => {
                field("hot", &hot_line(hot))?;
                field("", server.as_deref().unwrap_or("the memory of this process"))?;
                self.growth().map_or(Ok(()), |growth| field("", &growth))?;
            }
            (None, Some(server)) => field("hot", &format!("{server} cannot be opened"))?,
            (None, None) => field("hot", "no server: the memory of each process; REDIS_URL names one that they share")?,
        }
        if let Some(active) = self.active_devices {
            field("devices", &format!("{} active", HumanCount(active as u64)))?;
        }
        field("ready", if self.health.ready { "yes" } else { "no" })?;
        self.health.why_not.iter().try_for_each(|why| field("", &output::one_line(why)))
    }

    /// How hot storage grows, for people.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "for people, within bytes and seconds")]
    fn growth(&self) -> Option<String> {
        /// Below this, it is what a server does by itself from one second to the next.
        const STILL: f64 = 65_536.0;
        let rate = self.hot_bytes_per_second?;
        if rate < STILL {
            return Some("it grows by less than 64 KiB per second".to_owned());
        }
        let grows = format!("grows by {} per second", BinaryBytes(rate as u64));
        Some(match self.hot_full_in_seconds {
            Some(seconds) => format!("{grows}: full in {}", HumanDuration(Duration::from_secs(seconds as u64))),
            None => format!("{grows}, and no maxmemory bounds it"),
        })
    }
}

/// What a storage is, and how long it took to answer.
fn about(engine: Option<&String>, seconds: f64) -> String {
    match engine {
        Some(engine) => format!("{engine}, answered in {:.1} ms", 1_000.0 * seconds),
        None => "it does not answer".to_owned(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share for people")]
fn hot_line(hot: &HotStanding) -> String {
    let about = about(hot.engine.as_ref(), hot.seconds);
    match (hot.used_bytes, hot.max_bytes) {
        (Some(used), Some(max)) => {
            let share = 100.0 * used as f64 / max.max(1) as f64;
            format!("{about}; {} of {} ({share:.1} %)", BinaryBytes(used), BinaryBytes(max))
        }
        (Some(used), None) => format!("{about}; {}, of as much as the machine has", BinaryBytes(used)),
        _ => about,
    }
}

fn cold_lines(cold: &ColdStanding, now: Timestamp) -> Vec<String> {
    let mut about = about(cold.engine.as_ref(), cold.seconds);
    if let Some(bytes) = cold.bytes {
        about += &format!("; {}", BinaryBytes(bytes));
    }
    if let Some(schema) = &cold.schema {
        about += &format!("; schema {schema}");
    }
    let mut lines = vec![about];
    lines.extend(cold.pending.map(|pending| {
        let runs = output::counted(pending, "run is", "runs are");
        match cold.oldest_ended {
            _ if pending == 0 => "no run waits for a keeper".to_owned(),
            Some(at) => {
                let age = HumanDuration(now.since(at));
                format!("{runs} with keepers; the first that ended has waited for {age}")
            }
            None => format!("{runs} with keepers, none of them waits for its archive"),
        }
    }));
    lines
}
