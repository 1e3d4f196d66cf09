//! Append, the central contract: planned here by core's pure code, decided and written by one script.

use std::sync::Arc;

use async_trait::async_trait;
use fred::types::{Key, Value};
use lucihub_models_core::hot::{Answer, Durability, HotAppend, Outcome, Restore, Restored, Seal, Secured};
use lucihub_models_core::{
    Batch, BatchBody, Invalid, Plan, Positions, Reject, Result, RunId, RunState, StoreError, WriterMark,
};
use tokio::time::Instant;

use super::RedisHot;
use super::block::{Entry, pack_lines, pack_samples};
use super::cache::Stage;
use super::head::{changes_head, growth};
use super::keys::RunKeys;
use super::link::Lane;
use super::reply::{Reply, count, position_args};
use super::snapshot::mark_text;

/// A batch that was planned.
enum Planned {
    /// It can be sent.
    Ready(Call),
    /// The plan refuses it, which counts only if all checks before pass.
    Refused(Reject),
    /// Nothing is known of the run as the batch would meet it.
    Unknown,
}

/// A batch as it is sent.
struct Call {
    keys: Vec<Key>,
    args: Vec<Value>,
    /// Whether keepers have something to do once it is applied.
    for_keepers: bool,
}

/// What a script said.
enum Said {
    Answer(Answer),
    /// All checks before the plan pass.
    Passes {
        cancel: bool,
        confirmed: Positions,
    },
}

#[async_trait]
impl HotAppend for RedisHot {
    async fn append(&self, batch: &Batch) -> Result<Answer> {
        /// How often the run may turn out to be another than the one that was planned on: only another process that
        /// writes under the same mark could do that.
        const TRIES: usize = 4;
        let (run, deadline) = (batch.run(), self.link.deadline());
        for _ in 0..TRIES {
            let mut planned = self.plan(batch)?;
            if matches!(planned, Planned::Unknown) {
                self.fetch(deadline, run, true).await?;
                planned = self.plan(batch)?;
            }
            let refused = match planned {
                Planned::Ready(call) => match self.send(deadline, batch, call).await {
                    Ok(Some(answer)) => return Ok(answer),
                    Ok(None) => None,
                    // What else the answer has to say, a server without room says too.
                    Err(StoreError::Full { .. }) => Some(Outcome::Full),
                    Err(error) => return Err(error),
                },
                Planned::Refused(reject) => Some(Outcome::Rejected(reject)),
                Planned::Unknown => None,
            };
            match (self.check(deadline, batch).await?, refused) {
                (Said::Answer(answer), _) => return Ok(answer),
                (Said::Passes { cancel, confirmed }, Some(outcome)) => {
                    return Ok(Answer { outcome, cancel, confirmed });
                }
                // It is the next one after all, of another run than was planned on.
                (Said::Passes { .. }, None) => self.cache.with(run, super::cache::Remembered::forget_stages),
            }
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

/// The digest of a batch as it is kept: 128 bits of it tell batches apart.
fn digest_text(batch: &Batch) -> String {
    format!("{:.32}", batch.digest().to_string())
}

/// The slot that remembers a batch: the last eight have one each.
fn slot(seq: u64) -> String {
    format!("d{}", seq % Batch::WINDOW as u64)
}

impl RedisHot {
    /// Plans a batch on the run as it is after the batch before, if that is remembered, and remembers what the run will
    /// be: the next batch may be planned before this one is answered.
    fn plan(&self, batch: &Batch) -> Result<Planned> {
        let run = batch.run();
        let Some((stage, incarnation, known)) =
            self.cache.with(run, |r| Some((r.before(batch)?.clone(), r.incarnation.clone(), r.known_confirmed())))
        else {
            return Ok(Planned::Unknown);
        };
        let body = batch.body();
        let plan = match Plan::new(body, &stage.head, &stage.next, &self.options.limits) {
            Ok(plan) => plan,
            Err(reject) => return Ok(Planned::Refused(reject)),
        };
        let run_keys = self.keys.run(run);
        let mut keys = vec![run_keys.run(), Key::from(run_keys.wake())];
        let mut args = super::args();
        args.extend([stage.tip.into(), known.into()]);
        let counts = args.len();
        args.resize(counts + 3, Value::Null);

        put_entries(run, &run_keys, body, &plan, stage.next.lines, &mut keys, &mut args)?;
        args[counts] = count(keys.len() - 2);
        let entries = args.len();
        let mut next = stage.next.clone();
        plan.advance(body, &mut next);
        let for_keepers = !body.states.is_empty() || stage.head.grid.completes(&stage.next, &next);
        put_positions(body, &plan, &next, &mut args);
        let digest = digest_text(batch);
        let tip = format!("{incarnation}.{}.{}.{digest}", mark_text(batch.mark()), batch.seq());
        args.extend(["tip".into(), Value::from(tip.as_str())]);
        args.extend([slot(batch.seq()).into(), Value::from(format!("{}:{digest}", batch.seq()))]);
        let mut head = stage.head;
        let mut head_bytes = 0;
        let grown = if changes_head(body, &plan) {
            head_bytes = batch.size();
            Arc::make_mut(&mut head).apply(body, &plan);
            // After a failover that lost a take-over, another writer may have the same epoch and number.
            let rev = format!("{}.{}.{digest}", mark_text(batch.mark()), batch.seq());
            args.extend(["head_rev".into(), Value::from(rev)]);
            growth(body, &plan)?
        } else {
            <[Vec<Value>; 5]>::default()
        };
        if let Some(change) = plan.states.last() {
            args.extend(["state".into(), Value::from(change.state.as_str())]);
        }
        if let Some(state) = plan.seal() {
            args.extend(["seal".into(), Value::from(state.as_str())]);
        }
        args[counts + 2] = count(args.len() - entries);
        args[counts + 1] = count(put_growth(grown, &run_keys, &mut keys, &mut args));
        self.cache.with(run, |r| {
            // Planned once more for a retry, it makes the head no larger.
            if !r.has_stage(&tip) {
                r.head_bytes += head_bytes;
            }
            r.stage(Stage { mark: batch.mark(), seq: batch.seq(), tip, head, next });
        });
        Ok(Planned::Ready(Call { keys, args, for_keepers }))
    }

    /// Sends a batch as it was planned. `None` if the run is not the one that it was planned on.
    async fn send(&self, deadline: Instant, batch: &Batch, call: Call) -> Result<Option<Answer>> {
        let Call { keys, args, for_keepers } = call;
        let mut reply = self.link.call_by(deadline, Lane::Write, &self.link.scripts.append, keys, args).await?;
        match &*reply.text()? {
            "applied" => {}
            "other" => return Ok(None),
            other => return Err(reply.bad(format!("{other:?}"))),
        }
        let cancel = !reply.text()?.is_empty();
        let confirmed = match reply.optional_next()? {
            Some(rev) => self.learn_confirmed(batch.run(), rev, reply.positions()?),
            None => self.confirmed(batch.run()),
        };
        if for_keepers {
            self.watch.call_keepers(batch.run());
        }
        Ok(Some(Answer { outcome: Outcome::Applied, cancel, confirmed }))
    }

    /// What the checks before the plan say.
    async fn check(&self, deadline: Instant, batch: &Batch) -> Result<Said> {
        let mut args = super::args();
        let before = batch.seq().checked_sub(1);
        args.extend([
            mark_text(batch.mark()).into(),
            batch.seq().to_string().into(),
            // Number 0 is never the next one.
            before.map_or_else(|| "-".to_owned(), |before| before.to_string()).into(),
            digest_text(batch).into(),
            slot(batch.seq()).into(),
            self.cache.with(batch.run(), |r| r.known_confirmed()).into(),
        ]);
        let keys = self.keys.run(batch.run()).fixed(0);
        let mut reply = self.link.call_by(deadline, Lane::Write, &self.link.scripts.check, keys, args).await?;
        let code = reply.text()?;
        let gone = match &*code {
            "absent" => Some(Outcome::NoRun),
            "deleted" => Some(Outcome::Sealed(Seal::Deleted)),
            _ => None,
        };
        if let Some(outcome) = gone {
            self.cache.forget(batch.run());
            return Ok(Said::Answer(Answer { outcome, cancel: false, confirmed: Positions::default() }));
        }
        let (detail, cancel, rev) = (reply.text()?, !reply.text()?.is_empty(), reply.text()?);
        let confirmed = match reply.optional_nested()? {
            Some(fields) => self.learn_confirmed(batch.run(), rev, fields.into_positions()?),
            None => self.confirmed(batch.run()),
        };
        let outcome = match &*code {
            "passes" => return Ok(Said::Passes { cancel, confirmed }),
            "duplicate" => Outcome::Duplicate,
            "conflict" => Outcome::Conflict,
            "fenced" => Outcome::Fenced,
            "sealed" => Outcome::Sealed(Seal::Ended(RunState::from(&*detail))),
            "behind" => Outcome::Behind(detail.parse().map_err(|_| reply.bad("the last number is none"))?),
            other => return Err(reply.bad(format!("{other:?}"))),
        };
        Ok(Said::Answer(Answer { outcome, cancel, confirmed }))
    }

    /// What is remembered as confirmed.
    fn confirmed(&self, run: RunId) -> Positions {
        self.cache.with(run, |r| r.confirmed.as_ref().map(|(_, confirmed)| confirmed.clone()).unwrap_or_default())
    }

    fn learn_confirmed(&self, run: RunId, rev: String, confirmed: Positions) -> Positions {
        self.cache.with(run, |r| r.confirmed = Some((rev, confirmed.clone())));
        confirmed
    }
}

/// The stream entries of a batch, and the keys of their streams.
fn put_entries(
    run: RunId,
    run_keys: &RunKeys,
    body: &BatchBody,
    plan: &Plan,
    first_line: u64,
    keys: &mut Vec<Key>,
    args: &mut Vec<Value>,
) -> Result<()> {
    let mut put = |key: Key, entry: Entry| {
        keys.push(key);
        args.push(format!("{}-0", entry.end).into());
        args.push(entry.block.into());
    };
    if !body.lines.is_empty() {
        let packed = pack_lines(run, first_line, &body.lines)
            .map_err(|e| StoreError::from(Invalid::new("log lines", e.to_string())))?;
        packed.into_iter().for_each(|entry| put(run_keys.log(), entry));
    }
    let mut entries = Vec::new();
    for (channel, pieces) in &plan.pieces {
        pack_samples(run, *channel, pieces, &mut entries);
        let key = run_keys.samples(*channel);
        entries.drain(..).for_each(|entry| put(key.clone(), entry));
    }
    Ok(())
}

/// What the head grows by, and the keys of it. Returns how many parts grow.
fn put_growth(grown: [Vec<Value>; 5], run_keys: &RunKeys, keys: &mut Vec<Key>, args: &mut Vec<Value>) -> usize {
    let before = keys.len();
    let commands = ["RPUSH", "RPUSH", "RPUSH", "RPUSH", "HSET"];
    for ((items, key), command) in grown.into_iter().zip(run_keys.grows()).zip(commands) {
        if !items.is_empty() {
            keys.push(key);
            args.extend([command.into(), count(items.len())]);
            args.extend(items);
        }
    }
    keys.len() - before
}

/// The positions that a batch moves, as fields of the run.
fn put_positions(body: &BatchBody, plan: &Plan, next: &Positions, args: &mut Vec<Value>) {
    let moved = [
        ("next:states", next.states, !plan.states.is_empty()),
        ("next:phases", next.phases, !body.phases.is_empty()),
        ("next:lines", next.lines, !body.lines.is_empty()),
    ];
    for (name, value, _) in moved.into_iter().filter(|(_, _, moved)| *moved) {
        args.extend([name.into(), Value::from(value.to_string())]);
    }
    for (channel, _) in &plan.pieces {
        args.extend([format!("next:{channel}").into(), Value::from(next.sample(*channel).to_string())]);
    }
}
