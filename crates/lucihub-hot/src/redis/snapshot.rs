//! A run as a script gives it, and as the ports do.

use std::sync::Arc;

use lucihub_models_core::hot::{HotRun, Lease, Seal};
use lucihub_models_core::{Result, RunHead, RunId, RunState, StoreError, WriterId, WriterMark};

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
        let mut f = reply.nested()?;
        let (incarnation, head_rev) = (f.text()?, f.text()?);
        let mark = f.optional_text()?;
        let (worker, until, last_seq) = (f.optional_text()?, f.optional_text()?, f.optional_text()?);
        let (cancel, seal) = (f.optional_text()?.is_some(), f.optional_text()?);
        let changed_at = f.time()?;
        let confirmed_rev = f.text()?;
        let last = reply.optional_text()?.unwrap_or_default();
        let (next, base, confirmed) = (reply.positions()?, reply.positions()?, reply.positions()?);
        let head = match reply.optional_nested()? {
            Some(mut parts) => Arc::new(read_head(&mut parts)?),
            None => cached.ok_or_else(|| reply.bad("the head is missing"))?,
        };
        if head.id != run {
            return Err(StoreError::corrupt(
                format!("run {run} in hot storage"),
                format!("its head is run {}'s", head.id),
            ));
        }
        let last_seq = last_seq.map_or(Ok(0), |text| text.parse().map_err(|_| reply.bad("seq is no number")))?;
        let lease = match (mark, worker, until) {
            (Some(mark), Some(worker), Some(until)) => {
                Some(Lease { worker, mark: read_mark(&reply, &mark)?, until: reply.as_time(&until)? })
            }
            _ => None,
        };
        self.cache.with(run, |known| {
            known.be(&incarnation);
            known.head = Some((head_rev, head.clone()));
            known.confirmed = Some((format!("{incarnation}.{confirmed_rev}"), confirmed.clone()));
            if plan && let Some(lease) = &lease {
                known.stage(Stage { mark: lease.mark, seq: last_seq, last, head: head.clone(), next: next.clone() });
            }
        });
        let seal = seal.map(|state| Seal::Ended(RunState::from(&*state)));
        Ok(HotRun { head, next, base, confirmed, lease, last_seq, cancel, seal, changed_at, now })
    }
}
