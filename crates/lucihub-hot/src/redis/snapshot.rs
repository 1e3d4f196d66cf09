//! A run as a script gives it, and as the ports do.

use std::sync::Arc;

use lucihub_models_core::hot::{HotRun, Lease, Seal};
use lucihub_models_core::{Positions, Result, RunHead, RunId, RunState, StoreError, Timestamp, WriterId, WriterMark};

use super::RedisHot;
use super::cache::Stage;
use super::head::read_head;
use super::reply::Reply;

/// A writer and its epoch, as the server keeps them.
pub(super) fn mark_text(mark: WriterMark) -> String {
    format!("{}.{}", mark.writer, mark.epoch)
}

fn read_mark(reply: &Reply, text: &str) -> Result<WriterMark> {
    let parts = text.split_once('.').and_then(|(writer, epoch)| {
        Some(WriterMark {
            writer: WriterId::from_bits(u128::from_str_radix(writer, 16).ok()?),
            epoch: epoch.parse().ok()?,
        })
    });
    parts.ok_or_else(|| reply.bad(format!("{text:?} is no mark of a writer")))
}

/// The version of heads beside which none stands.
const FIRST: &str = "v2";

/// What stands in the hash of a run.
pub(super) struct Fields {
    incarnation: String,
    head_rev: String,
    confirmed_rev: String,
    /// The version of its head.
    version: String,
    lease: Option<Lease>,
    tip: String,
    last_seq: u64,
    cancel: bool,
    seal: Option<String>,
    changed_at: Timestamp,
    next: Positions,
}

impl Fields {
    pub(super) fn read(reply: &mut Reply) -> Result<Self> {
        let mut f = reply.fields()?;
        let mut next = Positions::default();
        for (name, value) in f.iter().filter_map(|(name, value)| Some((name.strip_prefix("next:")?, value))) {
            reply.set_position(&mut next, name, value)?;
        }
        let lease = match (f.get("mark"), f.get("worker"), f.get("lease_until")) {
            (Some(mark), Some(worker), Some(until)) => {
                Some(Lease { worker: worker.clone(), mark: read_mark(reply, mark)?, until: reply.as_time(until)? })
            }
            _ => None,
        };
        let tip = f.remove("tip").unwrap_or_default();
        // Incarnation, writer, epoch, number and digest of the last batch.
        let last_seq = match tip.split('.').nth(3) {
            Some(seq) => seq.parse().map_err(|_| reply.bad(format!("{tip:?} names no batch")))?,
            None => 0,
        };
        let mut text = |name: &str| f.remove(name).ok_or_else(|| reply.bad(format!("{name} is missing")));
        Ok(Self {
            incarnation: text("incarnation")?,
            head_rev: text("head_rev")?,
            confirmed_rev: text("confirmed_rev")?,
            changed_at: reply.as_time(&text("changed_at")?)?,
            version: f.remove("version").unwrap_or_else(|| FIRST.to_owned()),
            lease,
            tip,
            last_seq,
            cancel: f.contains_key("cancel"),
            seal: f.remove("seal"),
            next,
        })
    }
}

impl RedisHot {
    /// Reads what `snapshot` in the scripts answers, and remembers it.
    /// `cached` is the head that the request said it has; `plan` tells whether batches are to be planned on this.
    pub(super) fn read_snapshot(
        &self,
        run: RunId,
        mut reply: Reply,
        cached: Option<Arc<RunHead>>,
        plan: bool,
    ) -> Result<HotRun> {
        let now = reply.time()?;
        let fields = Fields::read(&mut reply)?;
        let Fields {
            incarnation,
            head_rev,
            confirmed_rev,
            version,
            lease,
            tip,
            last_seq,
            cancel,
            seal,
            changed_at,
            next,
        } = fields;
        let (base, confirmed) = (reply.positions()?, reply.positions()?);
        let (head, bytes) = match reply.optional_nested()? {
            Some(mut parts) => {
                let (head, bytes) = read_head(&mut parts, &version)?;
                (Arc::new(head), Some(bytes))
            }
            None => (cached.ok_or_else(|| reply.bad("the head is missing"))?, None),
        };
        if head.id != run {
            return Err(StoreError::corrupt(
                format!("run {run} in hot storage"),
                format!("its head is run {}'s", head.id),
            ));
        }
        self.cache.with(run, |known| {
            known.be(&incarnation);
            known.head = Some((head_rev, head.clone()));
            known.head_bytes = bytes.unwrap_or(known.head_bytes);
            known.confirmed = Some((format!("{incarnation}.{confirmed_rev}"), confirmed.clone()));
            if plan && let Some(lease) = &lease {
                known.stage(Stage { mark: lease.mark, seq: last_seq, tip, head: head.clone(), next: next.clone() });
            }
        });
        let seal = seal.map(|state| Seal::Ended(RunState::from(&*state)));
        Ok(HotRun { head, next, base, confirmed, lease, last_seq, cancel, seal, changed_at, now })
    }
}
