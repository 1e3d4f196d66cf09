//! How a lost run comes back, with every position in its place.

use fred::types::Value;
use lucihub_models_core::hot::{Restore, Restored, Seal};
use lucihub_models_core::{Gap, GapCause, Piece, Positions, Result, Version};

use super::RedisHot;
use super::block::{Entry, pack_lost_lines, pack_samples};
use super::head::head_args;
use super::link::Lane;
use super::reply::{count, position_args};
use super::runs::{incarnation, micros, put_run};
use super::snapshot::mark_text;

impl RedisHot {
    /// The law of [`HotAppend::restore`](lucihub_models_core::hot::HotAppend::restore).
    pub(super) async fn put_back(&self, restore: &Restore) -> Result<Restored> {
        let run = restore.head.id;
        let state = restore.head.state();
        // A run that is there, or was deleted, answers so before its head is looked at.
        let refused = if state.is_terminal() { Some(Ok(Restored::Sealed(Seal::Ended(state.clone())))) } else { None };
        let refused = refused.or_else(|| restore.check(&self.options.limits).err().map(|e| Err(e.into())));
        let mut args = super::args();
        args.push(if refused.is_none() { "1" } else { "0" }.into());
        args.extend([mark_text(restore.mark).into(), restore.last_seq.to_string().into()]);
        let incarnation = incarnation();
        args.push(incarnation.as_str().into());
        let mut keys = self.keys.run(run).fixed(restore.next.samples.len() + 1);
        if refused.is_none() {
            let fixed = keys.len();
            let at = put_restored(restore, &incarnation, self.options.writes.version(), &mut args)?;
            let run_keys = self.keys.run(run);
            let entries = args.len();
            args.push(Value::Null);
            let mut put = |key, entry: Entry| {
                keys.push(key);
                args.push(format!("{}-0", entry.end).into());
                args.push(entry.block.into());
            };
            if at.confirmed.lines < at.next.lines {
                put(run_keys.log(), pack_lost_lines(run, at.confirmed.lines..at.next.lines));
            }
            let mut packed = Vec::new();
            for (channel, end) in (0_u32..).zip(&at.next.samples) {
                let gap = Gap::new(at.confirmed.sample(channel)..*end, GapCause::Store);
                if !gap.is_empty() {
                    pack_samples(run, channel, &[Piece::Gap(gap)], &mut packed);
                    packed.drain(..).for_each(|entry| put(run_keys.samples(channel), entry));
                }
            }
            args[entries] = count(keys.len() - fixed);
            run_keys.put_samples(restore.head.channels.len().max(at.next.samples.len()), &mut keys);
            args.extend([micros(restore.lease), count(0)]);
        }
        let mut reply = self.link.call(Lane::Write, &self.link.scripts.create, keys, args).await?;
        match (&*reply.text()?, refused) {
            ("created", _) => {
                self.cache.forget(run);
                self.watch.call_keepers(run);
                Ok(Restored::Restored)
            }
            ("existing", _) => Ok(Restored::Existing),
            ("deleted", _) => Ok(Restored::Sealed(Seal::Deleted)),
            ("absent", Some(refused)) => refused,
            (other, _) => Err(reply.bad(format!("{other:?}"))),
        }
    }
}

/// What lies between the confirmed positions and where the writer goes on is lost.
struct Lost {
    confirmed: Positions,
    next: Positions,
}

/// Fields, positions and head of the run as arguments.
fn put_restored(restore: &Restore, incarnation: &str, version: Version, args: &mut Vec<Value>) -> Result<Lost> {
    let mut head = restore.head.clone();
    head.worker = Some(restore.worker.clone());
    let (confirmed, next) = restore.bounds();
    let mark = mark_text(restore.mark);
    let tip = format!("{incarnation}.{mark}.{}.", restore.last_seq);
    let fields = [
        ("head_rev", "0"),
        ("confirmed_rev", "0"),
        ("version", version.as_str()),
        ("state", head.state().as_str()),
        ("mark", &*mark),
        ("worker", &*restore.worker),
        ("tip", &*tip),
    ];
    put_run(&fields, &next, args);
    position_args(&Positions { states: 0, phases: 0, ..confirmed.clone() }, args);
    position_args(&confirmed, args);
    head_args(&head, version, args)?;
    Ok(Lost { confirmed, next })
}
