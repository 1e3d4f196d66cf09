//! Hot storage on Redis, beside what the same server does for the same bytes without us.
//!
//! | file | what is there |
//! | --- | --- |
//! | `ingest.rs`, `bare.rs` | samples in, and the same bytes by plain commands |
//! | `logs.rs`, `follow.rs` | lines, and when a follower has them |
//! | `read.rs` | windows, and a thousand live runs |
//! | `cluster.rs` | the same on a cluster, beside one server |
//!
//! The server is a process of its own on this machine, without persistence, behind one loopback connection; client and
//! server share the cores.

mod bare;
mod cluster;
pub(crate) mod follow;
mod ingest;
mod logs;
mod read;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures_util::{StreamExt, TryStreamExt, stream};
use lucihub_hot::redis::{RedisHot, RedisOptions};
use lucihub_models_core::hot::{HotAppend, HotRuns, Outcome, TakeOver, TookOver};
use lucihub_models_core::{Batch, BatchBody, RunHead, SampleBlock, WriterId, WriterMark};
use lucihub_testkit::models::adc_series;
use lucihub_testkit::servers::{RedisCluster, RedisOptions as Config, RedisServer};

use crate::lab::Lab;
use crate::measure::Figures;
use crate::typical::CHANNELS;

/// What runs.
enum Servers {
    One(RedisServer),
    Cluster(RedisCluster),
}

/// The server, and a handle on it.
pub(crate) struct Bench {
    servers: Servers,
    hot: RedisHot,
}

/// Measures the group.
pub(crate) fn measure(lab: &Lab, figures: &mut Figures) -> Result<()> {
    if figures.wants_any_of("hot.redis.") {
        let bench = Bench::begin(lab)?;
        ingest::measure(lab, &bench, figures)?;
        logs::measure(lab, &bench, figures)?;
        follow::measure(lab, &bench, figures)?;
        read::measure(lab, &bench, figures)?;
    }
    cluster::measure(lab, figures)
}

impl Bench {
    /// Starts a server.
    pub(crate) fn begin(lab: &Lab) -> Result<Self> {
        Self::on(lab, Servers::One(RedisServer::start(Config::new())))
    }

    /// Starts a cluster.
    fn of_cluster(lab: &Lab) -> Result<Self> {
        Self::on(lab, Servers::Cluster(RedisCluster::start(&Config::new())))
    }

    fn on(lab: &Lab, servers: Servers) -> Result<Self> {
        let options = RedisOptions::new(servers.url()).with_timeout(Duration::from_secs(60));
        let hot = lab.wait(RedisHot::open(options))?;
        Ok(Self { servers, hot })
    }

    /// Where it is reached.
    fn url(&self) -> String {
        self.servers.url()
    }

    /// Its port; of a cluster, that of its first node.
    pub(crate) fn port(&self) -> u16 {
        match &self.servers {
            Servers::One(server) => server.port(),
            Servers::Cluster(cluster) => cluster.nodes()[0].port(),
        }
    }

    /// Hot storage on it.
    pub(crate) fn hot(&self) -> Arc<RedisHot> {
        Arc::new(self.hot.clone())
    }

    /// An empty server, as at the beginning of every turn.
    pub(crate) fn empty(&self) {
        match &self.servers {
            Servers::One(server) => drop(server.cli(&["FLUSHALL"])),
            // Replicas refuse, and follow their masters.
            Servers::Cluster(cluster) => cluster.nodes().iter().for_each(|node| drop(node.cli(&["FLUSHALL"]))),
        }
    }

    /// Bytes of all keys. What the server counts itself has the buffers of connections too, which shrink when they like: next
    /// to a few keys that is more than these.
    pub(crate) fn bytes_of_keys(&self) -> Result<u64> {
        const SUM: &str = "local sum = 0 for _, key in ipairs(redis.call('KEYS', '*')) do \
                           sum = sum + redis.call('MEMORY', 'USAGE', key, 'SAMPLES', '0') end return sum";
        let Servers::One(server) = &self.servers else { bail!("a cluster has no such sum") };
        let answer = server.cli(&["EVAL", SUM, "0"]);
        answer.trim().parse().with_context(|| format!("no number of bytes: {answer}"))
    }

    /// Opens a run and takes it over.
    pub(crate) async fn start(&self, head: &RunHead) -> Result<WriterMark> {
        self.hot.open(head).await?;
        let writer = WriterId::from_bits(1);
        let request = TakeOver { run: head.id, worker: "bench".to_owned(), writer, lease: Duration::from_secs(3600) };
        match self.hot.take_over(&request).await? {
            TookOver::Taken(taken) => Ok(taken.mark),
            other => bail!("not taken over: {other:?}"),
        }
    }

    /// Appends batches, so many in flight.
    pub(crate) async fn append(&self, batches: &[Batch], window: usize) -> Result<()> {
        stream::iter(batches)
            .map(|batch| async move {
                loop {
                    match self.hot.append(batch).await?.outcome {
                        Outcome::Applied => return Ok(()),
                        // One that overtook another, as when the server has to learn the script first: sent again, as
                        // recorders do.
                        Outcome::Behind(_) => tokio::task::yield_now().await,
                        other => bail!("batch {} of {}: {other:?}", batch.seq(), batch.run()),
                    }
                }
            })
            .buffered(window)
            .try_collect()
            .await
    }
}

impl Servers {
    fn url(&self) -> String {
        match self {
            Self::One(server) => server.url(),
            Self::Cluster(cluster) => cluster.url(),
        }
    }
}

/// Samples of some channels, to be appended piece by piece, again and again.
pub(crate) fn source() -> Vec<Vec<f64>> {
    (0..CHANNELS).map(|channel| adc_series(channel, 100_000)).collect()
}

/// A body with so many samples of every channel, the index going on and the values repeating.
pub(crate) fn body(source: &[Vec<f64>], number: usize, chunk: usize) -> BatchBody {
    let at = number * chunk % (source[0].len() - chunk + 1);
    let block = |(channel, values): (u32, &Vec<f64>)| SampleBlock {
        channel,
        first: (number * chunk) as u64,
        values: values[at..at + chunk].into(),
    };
    BatchBody { blocks: (0..).zip(source).map(block).collect(), ..BatchBody::default() }
}
