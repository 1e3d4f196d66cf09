//! What one writes in an afternoon instead of all this: lists and strings in Redis, then a row of bytes.
//!
//! The samples of a channel are one string that APPEND makes longer, states and lines are lists; at the end all of it is
//! read, put into the database as one row, and deleted. Nothing is numbered, checked, encoded or read back.

use anyhow::{Result, ensure};
use fred::bytes::Bytes;
use fred::clients::Client;
use fred::interfaces::ClientLike;
use fred::types::config::Config;
use fred::types::{Builder, ClusterHash, CustomCommand, FromValue, Value};

use super::CHUNK;
use crate::plain::RawRun;
use crate::typical::{STATES, Typical};

/// A connection to Redis.
pub(super) struct Raw {
    client: Client,
}

impl Raw {
    /// Connects to a server.
    pub(super) async fn connect(url: &str) -> Result<Self> {
        let client = Builder::from_config(Config::from_url(url)?).build()?;
        client.init().await?;
        Ok(Self { client })
    }

    /// Writes a run, one request in flight, and takes it out again as the row that goes into the database.
    pub(super) async fn write(&self, run: &str, typical: &Typical, packed: &[Bytes]) -> Result<RawRun> {
        let (states, logs) = (format!("run:{run}:states"), format!("run:{run}:logs"));
        for state in ["queued"].into_iter().chain(STATES).chain(["succeeded"]) {
            let text = format!("[{}, \"{state}\"]", lucihub_models_core::Timestamp::EPOCH.as_micros());
            self.command::<i64>("RPUSH", vec![states.as_str().into(), text.into()]).await?;
        }
        for line in &typical.lines {
            self.command::<i64>("RPUSH", vec![logs.as_str().into(), line.text.as_str().into()]).await?;
        }
        let keys: Vec<String> = (0..packed.len()).map(|channel| format!("run:{run}:ch:{channel}")).collect();
        for at in (0..packed[0].len()).step_by(8 * CHUNK) {
            let pipeline = self.client.pipeline();
            for (key, bytes) in keys.iter().zip(packed) {
                let part = bytes.slice(at..(at + 8 * CHUNK).min(bytes.len()));
                let _: () = pipeline.custom(command("APPEND"), vec![key.as_str().into(), Value::from(part)]).await?;
            }
            let lengths: Vec<i64> = pipeline.all().await?;
            ensure!(lengths.len() == packed.len(), "{} answers", lengths.len());
        }
        let row = self.read(run, &states, &logs, &keys).await?;
        ensure!(row.measurements.len() == packed.iter().map(Bytes::len).sum::<usize>(), "not all of it");
        Ok(row)
    }

    async fn read(&self, run: &str, states: &str, logs: &str, keys: &[String]) -> Result<RawRun> {
        let all = |key: &str| vec![Value::from(key), 0_i64.into(), (-1_i64).into()];
        let states: Vec<String> = self.command("LRANGE", all(states)).await?;
        let logs: Vec<String> = self.command("LRANGE", all(logs)).await?;
        let pipeline = self.client.pipeline();
        for key in keys {
            let _: () = pipeline.custom(command("GET"), vec![Value::from(key.as_str())]).await?;
        }
        let channels: Vec<Bytes> = pipeline.all().await?;
        Ok(RawRun {
            id: run.to_owned(),
            channels: i32::try_from(keys.len())?,
            input: format!("{{\"circuit\": \"{}\"}}", "x".repeat(2_000)),
            states: format!("[{}]", states.join(", ")),
            logs: serde_json::to_string(&logs)?,
            measurements: channels.concat(),
        })
    }

    /// Deletes a run that is in the database.
    pub(super) async fn delete(&self, run: &str, channels: usize) -> Result<()> {
        let lists = ["states", "logs"].into_iter().map(|what| format!("run:{run}:{what}"));
        let keys = lists.chain((0..channels).map(|channel| format!("run:{run}:ch:{channel}")));
        self.command::<i64>("DEL", keys.map(Value::from).collect()).await.map(drop)
    }

    async fn command<T: FromValue>(&self, name: &'static str, arguments: Vec<Value>) -> Result<T> {
        Ok(self.client.custom(command(name), arguments).await?)
    }
}

fn command(name: &'static str) -> CustomCommand {
    CustomCommand::new_static(name, ClusterHash::FirstKey, false)
}

/// The samples of each channel as the bytes that go over the wire.
pub(super) fn packed(typical: &Typical) -> Vec<Bytes> {
    let pack = |values: &Vec<f64>| values.iter().flat_map(|value| value.to_le_bytes()).collect();
    typical.channels.iter().map(pack).collect()
}
