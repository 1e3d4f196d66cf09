//! The same bytes into the same server without us: a script that only adds them, and plain commands.

use anyhow::{Result, ensure};
use fred::bytes::Bytes;
use fred::clients::Client;
use fred::interfaces::{ClientLike, LuaInterface};
use fred::types::config::Config;
use fred::types::{Builder, ClusterHash, CustomCommand, Key, Value};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::task::unconstrained;

use super::Bench;
use crate::lab::Lab;

/// Adds one entry to each stream, and nothing else.
const SCRIPT: &str = "for n = 1, #KEYS do redis.call('XADD', KEYS[n], ARGV[1], 'b', ARGV[n + 1]) end return 1";

/// A connection of the same client library.
pub(super) struct Bare {
    client: Client,
    hash: String,
}

/// One batch as it would be written by hand.
pub(super) struct Write {
    id: String,
    keys: Vec<Key>,
    values: Vec<Bytes>,
}

impl Bare {
    pub(super) fn connect(lab: &Lab, bench: &Bench) -> Result<Self> {
        lab.wait(async {
            let client = Builder::from_config(Config::from_url(&bench.url())?).build()?;
            client.init().await?;
            let hash = client.script_load(SCRIPT).await?;
            Ok(Self { client, hash })
        })
    }

    /// The samples of every channel of the batches that `source` would be appended in.
    pub(super) fn writes(source: &[Vec<f64>], batches: usize, chunk: usize) -> Vec<Write> {
        let write = |number: usize| {
            let at = number * chunk % (source[0].len() - chunk + 1);
            let bytes = |values: &Vec<f64>| values[at..at + chunk].iter().flat_map(|v| v.to_le_bytes()).collect();
            Write {
                id: format!("{}-0", (number + 1) * chunk),
                keys: (0..source.len()).map(|channel| Key::from(format!("bare:{{run}}:s:{channel}"))).collect(),
                values: source.iter().map(bytes).collect(),
            }
        };
        (0..batches).map(write).collect()
    }

    /// By the script, one call per batch.
    pub(super) async fn script(&self, writes: &[Write], window: usize) -> Result<()> {
        in_order(writes, window, |write| async move {
            let mut args: Vec<Value> = vec![write.id.as_str().into()];
            args.extend(write.values.iter().cloned().map(Value::from));
            let done: i64 = self.client.evalsha(self.hash.as_str(), write.keys.clone(), args).await?;
            ensure!(done == 1, "the script answered {done}");
            Ok(())
        })
        .await
    }

    /// By commands, pipelined.
    pub(super) async fn commands(&self, writes: &[Write], window: usize) -> Result<()> {
        in_order(writes, window, |write| async move {
            let pipeline = self.client.pipeline();
            for (key, value) in write.keys.iter().zip(&write.values) {
                let add = CustomCommand::new_static("XADD", ClusterHash::FirstKey, false);
                let args: Vec<Value> =
                    vec![key.clone().into(), write.id.as_str().into(), "b".into(), value.clone().into()];
                let _: () = pipeline.custom(add, args).await?;
            }
            let ids: Vec<String> = pipeline.all().await?;
            ensure!(ids.len() == write.keys.len(), "{} of {} were added", ids.len(), write.keys.len());
            Ok(())
        })
        .await
    }
}

/// Sends batches, so many in flight. Each is on its way before the next one begins: a task whose turn tokio ends in the middle of
/// one would go on with the next, whose entries the server then has first.
async fn in_order<'a, F>(writes: &'a [Write], window: usize, send: impl Fn(&'a Write) -> F) -> Result<()>
where
    F: Future<Output = Result<()>>,
{
    stream::iter(writes).map(|write| unconstrained(send(write))).buffered(window).try_collect().await
}
