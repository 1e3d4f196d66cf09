//! Append, the central contract: planned here by core's pure code, decided and written by one script.

use std::sync::Arc;

use async_trait::async_trait;
use fred::types::{Key, Value};
use lucihub_models_core::hot::{Answer, Durability, HotAppend, Outcome, Restore, Restored, Seal, Secured};
use lucihub_models_core::{Batch, BatchBody, Plan, Positions, Reject, Result, RunId, RunState, StoreError, WriterMark};

use super::RedisHot;
use super::block::{Entry, pack_lines, pack_samples};
use super::cache::{Remembered, Stage};
use super::head::{changes_head, growth_args};
use super::keys::RunKeys;
use super::link::Lane;
use super::reply::{Reply, count, position_args};
use super::snapshot::mark_text;

/// A batch ready to be sent.
struct Ready {
    keys: Vec<Key>,
    args: Vec<Value>,
    /// Whether it is to be written, or only checked.
    acts: bool,
    /// Why it will write nothing, should all other checks pass.
    reject: Option<Reject>,
}

/// What the script said.
enum Said {
    Answer(Answer),
    /// The checks before the plan have passed.
    Checked {
        cancel: bool,
        confirmed: Positions,
    },
    /// The plan was made for another run than the one that is there.
    Stale,
}

#[async_trait]
impl HotAppend for RedisHot {
    async fn append(&self, batch: &Batch) -> Result<Answer> {
        /// Plans in a row that may turn out to be out of date: only another writer of the same mark could do that.
        const TRIES: usize = 4;
        let run = batch.run();
        for _ in 0..TRIES {
            let ready = match self.plan(batch)? {
                Some(ready) => ready,
                None => {
                    // Not planned ahead: the run as it is decides what the batch would meet.
                    self.fetch(run, true).await?;
                    match self.plan(batch)? {
                        Some(ready) => ready,
                        None => self.probe(batch),
                    }
                }
            };
            let script = if ready.acts { &self.link.scripts.append } else { &self.link.scripts.check };
            let sent = self.link.call(Lane::Write, script, ready.keys, ready.args).await;
            let full = matches!(sent, Err(StoreError::Full { .. }));
            let said = match sent {
                // A server without room still reads: what else the answer has to say is asked for.
                Err(StoreError::Full { .. }) => self.ask(batch).await?,
                sent => self.read_answer(batch, sent?)?,
            };
            match said {
                Said::Answer(answer) => {
                    if answer.outcome == Outcome::Applied && !batch.body().states.is_empty() {
                        self.watch.call_keepers(run);
                    }
                    return Ok(answer);
                }
                Said::Checked { cancel, confirmed } => {
                    if let Some(reject) = ready.reject {
                        return Ok(Answer { outcome: Outcome::Rejected(reject), cancel, confirmed });
                    }
                    if full {
                        return Ok(Answer { outcome: Outcome::Full, cancel, confirmed });
                    }
                }
                Said::Stale => {}
            }
            // Its number is the next one after all, or the run is another: plan anew.
            self.cache.with(run, Remembered::forget_stages);
        }
        Err(StoreError::unavailable(self.link.server(), format!("run {run} keeps changing under the batch; try again")))
    }

    async fn secure(&self, run: RunId, mark: WriterMark, seq: u64, durability: Durability) -> Result<Secured> {
        self.secured.secure(&self.keys.run(run), mark, seq, durability).await
    }

    async fn restore(&self, restore: &Restore) -> Result<Restored> {
        self.put_back(restore).await
    }

    async fn confirm(&self, run: RunId, safe: &Positions) -> Result<Option<Positions>> {
        let mut args = super::args();
        position_args(safe, &mut args);
        let keys = self.keys.run(run).fixed(0);
        let mut reply = self.link.call(Lane::Write, &self.link.scripts.confirm, keys, args).await?;
        positions_if_there(&mut reply)
    }

    async fn trim(&self, run: RunId, below: &Positions) -> Result<Option<Positions>> {
        let mut args = super::args();
        // States and phases stay.
        let below = Positions { states: 0, phases: 0, ..below.clone() };
        position_args(&below, &mut args);
        let keys = self.keys.run(run).fixed(0);
        let mut reply = self.link.call(Lane::Write, &self.link.scripts.trim, keys, args).await?;
        positions_if_there(&mut reply)
    }
}

fn positions_if_there(reply: &mut Reply) -> Result<Option<Positions>> {
    match &*reply.text()? {
        "positions" => reply.positions().map(Some),
        "absent" | "deleted" => Ok(None),
        other => Err(reply.bad(format!("{other:?}"))),
    }
}

/// The slot that remembers a batch: the last eight have one each.
fn slot(seq: u64) -> Value {
    format!("d{}", seq % Batch::WINDOW as u64).into()
}

impl RedisHot {
    /// The first arguments of the script: who asks, and what must hold.
    fn demands(&self, batch: &Batch, incarnation: &str, last: &str, known: &str, act: bool) -> Vec<Value> {
        let before = batch.seq().checked_sub(1);
        let mut args = super::args();
        args.extend([
            mark_text(batch.mark()).into(),
            batch.seq().to_string().into(),
            // Number 0 is never the next one.
            before.map_or_else(|| "-".to_owned(), |before| before.to_string()).into(),
            batch.digest().to_string().into(),
            slot(batch.seq()),
            slot(before.unwrap_or_default()),
            incarnation.into(),
            last.into(),
            known.into(),
            if act { "1" } else { "0" }.into(),
        ]);
        args
    }

    /// Asks for the checks alone.
    fn probe(&self, batch: &Batch) -> Ready {
        let args = self.demands(batch, "", "", "", false);
        Ready { keys: self.keys.run(batch.run()).fixed(0), args, acts: false, reject: None }
    }

    /// What the checks before the plan say of a batch that was planned.
    async fn ask(&self, batch: &Batch) -> Result<Said> {
        let Some(args) = self.cache.with(batch.run(), |r| {
            let stage = r.before(batch)?;
            Some(self.demands(batch, &r.incarnation, &stage.last, &r.known_confirmed(), false))
        }) else {
            return Ok(Said::Stale);
        };
        let keys = self.keys.run(batch.run()).fixed(0);
        self.read_answer(batch, self.link.call(Lane::Write, &self.link.scripts.check, keys, args).await?)
    }

    /// Plans a batch on the run as it is after the batch before, if that is remembered, and remembers what the run will
    /// be: the next batch may be planned before this one is answered.
    fn plan(&self, batch: &Batch) -> Result<Option<Ready>> {
        let run = batch.run();
        let Some((stage, incarnation, known)) =
            self.cache.with(run, |r| Some((r.before(batch)?.clone(), r.incarnation.clone(), r.known_confirmed())))
        else {
            return Ok(None);
        };
        let body = batch.body();
        let plan = match Plan::new(body, &stage.head, &stage.next, &self.options.limits) {
            Ok(plan) => plan,
            Err(reject) => {
                let args = self.demands(batch, &incarnation, &stage.last, &known, false);
                return Ok(Some(Ready { keys: self.keys.run(run).fixed(0), args, acts: false, reject: Some(reject) }));
            }
        };
        let mut args = self.demands(batch, &incarnation, &stage.last, &known, true);
        let run_keys = self.keys.run(run);
        let keys = put_entries(run, &run_keys, body, &plan, stage.next.lines, &mut args)?;
        growth_args(body, &plan, &mut args)?;
        let mut next = stage.next;
        plan.advance(body, &mut next);
        put_positions(body, &plan, &next, &mut args);
        args.push(plan.states.last().map_or("", |change| change.state.as_str()).into());
        args.push(plan.seal().map_or("", RunState::as_str).into());
        let changes = changes_head(body, &plan);
        args.push(if changes { "1" } else { "" }.into());
        let mut head = stage.head;
        if changes {
            Arc::make_mut(&mut head).apply(body, &plan);
        }
        let last = format!("{}:{}", batch.seq(), batch.digest());
        self.cache.with(run, |r| r.stage(Stage { mark: batch.mark(), seq: batch.seq(), last, head, next }));
        Ok(Some(Ready { keys, args, acts: true, reject: None }))
    }

    /// Takes the script's answer apart, and remembers what is confirmed.
    fn read_answer(&self, batch: &Batch, mut reply: Reply) -> Result<Said> {
        let code = reply.text()?;
        let nothing = |outcome| Ok(Said::Answer(Answer { outcome, cancel: false, confirmed: Positions::default() }));
        match &*code {
            "absent" => {
                self.cache.forget(batch.run());
                return nothing(Outcome::NoRun);
            }
            "deleted" => {
                self.cache.forget(batch.run());
                return nothing(Outcome::Sealed(Seal::Deleted));
            }
            _ => {}
        }
        let (detail, cancel, confirmed_rev) = (reply.text()?, !reply.text()?.is_empty(), reply.text()?);
        let confirmed = match reply.optional_nested()? {
            Some(_) if code == "stale" => Positions::default(),
            Some(fields) => {
                let mut whole = Reply::new("append", vec![Value::Array(fields.into_values())]);
                let confirmed = whole.positions()?;
                let keep = (confirmed_rev.clone(), confirmed.clone());
                self.cache.with(batch.run(), |r| {
                    if confirmed_rev.starts_with(&r.incarnation) {
                        r.confirmed = Some(keep);
                    }
                });
                confirmed
            }
            None => self.cache.with(batch.run(), |r| {
                r.confirmed.as_ref().map(|(_, confirmed)| confirmed.clone()).unwrap_or_default()
            }),
        };
        let outcome = match &*code {
            "applied" => Outcome::Applied,
            "duplicate" => Outcome::Duplicate,
            "conflict" => Outcome::Conflict,
            "fenced" => Outcome::Fenced,
            "sealed" => Outcome::Sealed(Seal::Ended(RunState::from(&*detail))),
            "behind" => Outcome::Behind(detail.parse().map_err(|_| reply.bad("seq is no number"))?),
            "checked" => return Ok(Said::Checked { cancel, confirmed }),
            "stale" => return Ok(Said::Stale),
            other => return Err(reply.bad(format!("{other:?}"))),
        };
        Ok(Said::Answer(Answer { outcome, cancel, confirmed }))
    }
}

/// The stream entries of a batch as arguments, and the keys of their streams behind the fixed ones.
fn put_entries(
    run: RunId,
    keys: &RunKeys,
    body: &BatchBody,
    plan: &Plan,
    first_line: u64,
    args: &mut Vec<Value>,
) -> Result<Vec<Key>> {
    let mut all = keys.fixed(plan.pieces.len() + 1);
    let fixed = all.len();
    let at = args.len();
    args.push(Value::Null);
    let mut put = |key: Key, entry: Entry| {
        all.push(key);
        args.push(format!("{}-0", entry.end).into());
        args.push(entry.block.into());
    };
    if !body.lines.is_empty() {
        let entry = pack_lines(run, first_line, &body.lines)
            .map_err(|e| StoreError::from(lucihub_models_core::Invalid::new("log lines", e.to_string())))?;
        put(keys.log(), entry);
    }
    let mut entries = Vec::new();
    for (channel, pieces) in &plan.pieces {
        pack_samples(run, *channel, pieces, &mut entries);
        let key = keys.samples(*channel);
        entries.drain(..).for_each(|entry| put(key.clone(), entry));
    }
    args[at] = count(all.len() - fixed);
    Ok(all)
}

/// The positions that a batch moves.
fn put_positions(body: &BatchBody, plan: &Plan, next: &Positions, args: &mut Vec<Value>) {
    let at = args.len();
    args.push(Value::Null);
    let moved = [
        ("states", next.states, !plan.states.is_empty()),
        ("phases", next.phases, !body.phases.is_empty()),
        ("lines", next.lines, !body.lines.is_empty()),
    ];
    for (name, value, _) in moved.into_iter().filter(|(_, _, moved)| *moved) {
        args.push(name.into());
        args.push(value.to_string().into());
    }
    for (channel, _) in &plan.pieces {
        args.push(channel.to_string().into());
        args.push(next.sample(*channel).to_string().into());
    }
    args[at] = count(args.len() - at - 1);
}
