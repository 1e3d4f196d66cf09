//! The life of a run.

use std::time::Duration;

use async_trait::async_trait;
use fred::types::Value;
use lucihub_models_core::hot::{
    Cancelled, HotRun, HotRuns, Opened, Removed, Renewed, Seal, SmallAttachment, TakeOver, Taken, TookOver,
};
use lucihub_models_core::{
    HeadDocument, IdSource, Invalid, ModelError, Positions, Result, RunHead, RunId, RunState, StateChange, StoreError,
    SystemIds, WriterMark,
};
use tokio::time::Instant;

use super::RedisHot;
use super::attachments::attachment_args;
use super::head::{head_args, text_json};
use super::link::Lane;
use super::reply::{count, position_args, put_positions};
use super::snapshot::mark_text;

/// The versions of heads that this program can go on with, a space before and after each.
fn known_versions() -> String {
    HeadDocument::VERSIONS.iter().fold(" ".to_owned(), |known, version| known + version.as_str() + " ")
}

/// A span as scripts take it. No lease and no tombstone lasts longer than ten thousand years.
pub(super) fn micros(span: Duration) -> Value {
    const MOST: u128 = 10_000 * 366 * 86_400 * 1_000_000;
    span.as_micros().min(MOST).to_string().into()
}

#[async_trait]
impl HotRuns for RedisHot {
    async fn open(&self, head: &RunHead) -> Result<Opened> {
        self.place(head, &[]).await
    }

    async fn get(&self, run: RunId) -> Result<Option<HotRun>> {
        let this = self.clone();
        let get = self.gets.join(run, move || async move { this.fetch(this.link.deadline(), run, false).await });
        self.link.in_time(get).await
    }

    async fn take_over(&self, request: &TakeOver) -> Result<TookOver> {
        self.check_text("worker", &request.worker)?;
        let run = request.run;
        let (known, cached) = self.known_head(run);
        let mut args = super::args();
        args.extend([
            request.writer.to_string().into(),
            request.worker.as_str().into(),
            text_json(&request.worker)?.into(),
            micros(request.lease),
            known.into(),
            known_versions().into(),
        ]);
        let keys = self.keys.run(run).fixed(0);
        let mut reply = self.link.call(Lane::Write, &self.link.scripts.take_over, keys, args).await?;
        Ok(match &*reply.text()? {
            "run" => {
                let run = self.read_snapshot(run, reply, cached, true)?;
                let mark = run.lease.as_ref().map(|lease| lease.mark);
                let mark = mark.filter(|mark| mark.writer == request.writer);
                let mark = mark.ok_or_else(|| {
                    StoreError::corrupt(
                        format!("run {} in hot storage", run.head.id),
                        "it was taken over and bears another writer",
                    )
                })?;
                TookOver::Taken(Box::new(Taken { mark, run }))
            }
            "held" => TookOver::Held { by: reply.text()?, until: reply.time()? },
            "cancelled" => TookOver::Cancelled,
            "sealed" => TookOver::Sealed(reply.seal()?),
            "deleted" => TookOver::Sealed(Seal::Deleted),
            "absent" => TookOver::NoRun,
            "newer" => {
                let newest = HeadDocument::newest().to_string();
                return Err(ModelError::NewerVersion { found: reply.text()?, newest }.into());
            }
            other => return Err(reply.bad(format!("{other:?}"))),
        })
    }

    async fn renew(&self, run: RunId, mark: WriterMark, lease: Duration) -> Result<Renewed> {
        let mut args = super::args();
        args.extend([mark_text(mark).into(), micros(lease)]);
        let keys = self.keys.run(run).fixed(0);
        let mut reply = self.link.call(Lane::Write, &self.link.scripts.renew, keys, args).await?;
        Ok(match &*reply.text()? {
            "until" => Renewed::Until {
                until: reply.time()?,
                cancel: !reply.text()?.is_empty(),
                confirmed: reply.positions()?,
            },
            "fenced" => Renewed::Fenced,
            "sealed" => Renewed::Sealed(reply.seal()?),
            "deleted" => Renewed::Sealed(Seal::Deleted),
            "absent" => Renewed::NoRun,
            other => return Err(reply.bad(format!("{other:?}"))),
        })
    }

    async fn cancel(&self, run: RunId, reason: Option<&str>) -> Result<Cancelled> {
        self.check_text("reason", reason.unwrap_or_default())?;
        let mut change = String::new();
        let deadline = self.link.deadline();
        loop {
            let mut args = super::args();
            args.push(change.as_str().into());
            let keys = self.keys.run(run).fixed(0);
            let mut reply = self.link.call_by(deadline, Lane::Write, &self.link.scripts.cancel, keys, args).await?;
            return Ok(match &*reply.text()? {
                // It ends here and now: the change bears the store's time.
                "when" => {
                    let at = StateChange::new(RunState::Cancelled, reply.time()?);
                    let with = reason.map_or_else(|| at.clone(), |reason| at.clone().because(reason));
                    change = serde_json::to_string(&with).map_err(|e| reply.bad(e))?;
                    continue;
                }
                "cancelled" => {
                    self.watch.call_keepers(run);
                    Cancelled::Cancelled
                }
                "requested" => Cancelled::Requested,
                "ended" => Cancelled::Ended(RunState::from(&*reply.text()?)),
                "absent" | "deleted" => Cancelled::NoRun,
                other => return Err(reply.bad(format!("{other:?}"))),
            });
        }
    }

    async fn expire(&self, run: RunId, after: Duration) -> Result<bool> {
        let mut args = super::args();
        args.push(micros(after));
        let keys = self.keys.run(run).fixed(0);
        let mut reply = self.link.call(Lane::Write, &self.link.scripts.expire, keys, args).await?;
        match &*reply.text()? {
            "expires" => Ok(true),
            "open" => Ok(false),
            other => Err(reply.bad(format!("{other:?}"))),
        }
    }

    async fn remove(&self, run: RunId, force: bool, tombstone: Duration) -> Result<Removed> {
        let mut args = super::args();
        args.extend([if force { "1" } else { "0" }.into(), micros(tombstone)]);
        let keys = self.keys.run(run).fixed(0);
        let mut reply = self.link.call(Lane::Write, &self.link.scripts.remove, keys, args).await?;
        match &*reply.text()? {
            "removed" => {
                self.cache.forget(run);
                Ok(Removed::Removed)
            }
            "held" => Ok(Removed::Held {
                by: reply.text()?,
                until: reply.time()?,
                idle: Duration::from_micros(reply.number()?),
            }),
            other => Err(reply.bad(format!("{other:?}"))),
        }
    }
}

/// The fields of a run that is placed, and how far it is, as a counted list.
pub(super) fn put_run(fields: &[(&str, &str)], next: &Positions, args: &mut Vec<Value>) {
    let at = args.len();
    args.push(Value::Null);
    for (name, value) in fields {
        args.push((*name).into());
        args.push((*value).into());
    }
    put_positions("next:", next, args);
    args[at] = count(args.len() - at - 1);
}

/// Drawn for each life of a run.
pub(super) fn incarnation() -> String {
    format!("{:.16}", SystemIds.writer_id().to_string())
}

impl RedisHot {
    /// Places a queued run, and attachments in the same step.
    pub(super) async fn place(&self, head: &RunHead, attachments: &[SmallAttachment]) -> Result<Opened> {
        let checked = head.check_new(&self.options.limits).map_err(StoreError::from);
        let checked = checked.and_then(|()| self.check_attachments(attachments));
        let mut args = super::args();
        args.extend([if checked.is_ok() { "1" } else { "0" }.into(), "".into(), "".into()]);
        args.push(incarnation().into());
        if checked.is_ok() {
            let next = Positions { states: head.states.len() as u64, ..Positions::default() };
            let version = self.options.writes.version().as_str();
            let state = head.state().as_str();
            put_run(
                &[("head_rev", "0"), ("confirmed_rev", "0"), ("version", version), ("state", state)],
                &next,
                &mut args,
            );
            position_args(&Positions::default(), &mut args);
            position_args(&Positions::default(), &mut args);
            head_args(head, self.options.writes.version(), &mut args)?;
            args.extend([count(0), "".into()]);
            attachment_args(head.id, attachments, &mut args);
        }
        let mut keys = self.keys.run(head.id).fixed(head.channels.len());
        if checked.is_ok() {
            self.keys.run(head.id).put_samples(head.channels.len(), &mut keys);
        }
        let mut reply = self.link.call(Lane::Write, &self.link.scripts.create, keys, args).await?;
        match &*reply.text()? {
            "created" => {
                self.watch.call_keepers(head.id);
                Ok(Opened::Created)
            }
            "existing" => Ok(Opened::Existing),
            "deleted" => Ok(Opened::Deleted),
            "absent" => Err(checked.err().unwrap_or_else(|| Invalid::new("run", "it was not placed").into())),
            other => Err(reply.bad(format!("{other:?}"))),
        }
    }

    /// The head that is remembered, and its name in requests.
    fn known_head(&self, run: RunId) -> (String, Option<std::sync::Arc<RunHead>>) {
        self.cache.with(run, |r| (r.known_head(), r.head.as_ref().map(|(_, head)| head.clone())))
    }

    /// The run as it is now. `plan` tells whether batches are to be planned on it.
    pub(super) async fn fetch(&self, deadline: Instant, run: RunId, plan: bool) -> Result<Option<HotRun>> {
        let (known, cached) = self.known_head(run);
        let mut args = super::args();
        args.push(known.into());
        let lane = if plan { Lane::Write } else { Lane::Read };
        let keys = self.keys.run(run).fixed(0);
        let mut reply = self.link.call_by(deadline, lane, &self.link.scripts.get, keys, args).await?;
        match &*reply.text()? {
            "run" => self.read_snapshot(run, reply, cached, plan).map(Some),
            "absent" | "deleted" => {
                self.cache.forget(run);
                Ok(None)
            }
            other => Err(reply.bad(format!("{other:?}"))),
        }
    }

    fn check_text(&self, thing: &str, text: &str) -> Result<(), Invalid> {
        let limit = self.options.limits.text_bytes;
        if text.len() > limit {
            return Err(
                Invalid::new(thing, format!("{} bytes", text.len())).hint(format!("the limit is {limit} bytes"))
            );
        }
        Ok(())
    }
}
