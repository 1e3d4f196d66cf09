//! `lucihub runs why`: how a run came to be as it is, in one sentence, and what happened to it on the way.

mod told;

use lucihub_models_core::hot::HotRun;
use lucihub_models_core::{GapCause, LogLine, RunState, StateChange, StoreEvent};
use lucihub_store::{Located, RunStatus, Source, Store};
use serde::Serialize;

use crate::args::WhyArgs;
use crate::failure::Failure;
use crate::{output, place};

/// What hot storage lost of a run before it was safe.
#[derive(Debug, Default, PartialEq, Serialize)]
struct Lost {
    samples: Vec<LostSamples>,
    lines: u64,
}

/// A stretch of a channel that became a gap with cause `store`.
#[derive(Debug, PartialEq, Serialize)]
struct LostSamples {
    channel: u32,
    first: u64,
    end: u64,
}

/// The answer, as `--json` prints it.
#[derive(Debug, Serialize)]
struct Why<'a> {
    run: String,
    state: &'a str,
    why: String,
    lost: &'a Lost,
    events: &'a [StoreEvent],
}

/// Says what happened to one run.
pub(crate) async fn run(args: WhyArgs) -> Result<(), Failure> {
    let (reading, run) = place::read_run(&args.place, &args.run).await?;
    let store = reading.whatever_is_there();
    let located = store.locate(run).await?;
    let status = located.status();
    // A later look than the other one; of a run that moved on meanwhile it says what holds now.
    let hot = match status.source {
        Source::Live => store.hot().get(run).await.unwrap_or_default(),
        _ => None,
    };
    let lost = lost(&store, &located).await?;
    let events = store.events(run).await?;
    let why = sentence(&status, hot.as_ref(), &lost, &events);
    if args.one.is_json() {
        let state = status.head.state().as_str();
        return output::json(&Why { run: run.to_string(), state, why, lost: &lost, events: &events });
    }
    output::line(why)?;
    if args.events { told::print(&events) } else { Ok(()) }
}

/// What the run itself says that storage lost of it.
async fn lost(store: &Store, located: &Located) -> Result<Lost, Failure> {
    const LINES_AT_ONCE: u64 = 10_000;
    let mut lost = Lost::default();
    let head = located.status().head;
    for channel in 0..u32::try_from(head.channels.len()).unwrap_or(u32::MAX) {
        let envelope = store.envelope_at(located, channel, 0..u64::MAX, 1).await?;
        let gaps = envelope.gaps.iter().filter(|gap| gap.cause == GapCause::Store);
        lost.samples.extend(gaps.map(|gap| LostSamples { channel, first: gap.first, end: gap.end }));
    }
    let stand_in = LogLine::lost();
    let mut at = 0;
    while at < located.positions().lines {
        let lines = store.lines_at(located, at..at + LINES_AT_ONCE).await?.lines;
        lost.lines += lines.iter().filter(|line| is_stand_in(line, &stand_in)).count() as u64;
        at += LINES_AT_ONCE;
    }
    Ok(lost)
}

fn is_stand_in(line: &LogLine, stand_in: &LogLine) -> bool {
    line.level == stand_in.level && line.source == stand_in.source && line.text == stand_in.text
}

fn sentence(status: &RunStatus, hot: Option<&HotRun>, lost: &Lost, events: &[StoreEvent]) -> String {
    let head = &status.head;
    let Some(last) = head.states.last() else { return "it has no state".to_owned() };
    let mut said = output::one_line(last.state.as_str());
    if last.state.is_terminal() {
        said += &format!(" at {}{}", last.at, because(last, head.error.as_deref()));
    } else {
        said += &format!(" since {}: {}", last.at, waiting(status, last, hot));
        if status.cancel_requested {
            said += "; its end was asked for";
        }
    }
    said += &in_words(lost);
    said += &told::in_words(events, last.state.is_terminal());
    if last.state.is_terminal() {
        said += &status.archived.as_ref().map_or_else(
            || "; a keeper has yet to archive it".to_owned(),
            |archived| format!("; archived at {}", archived.at),
        );
    }
    said
}

/// Why it ended: the reason, and the error where that says something else.
fn because(last: &StateChange, error: Option<&str>) -> String {
    let reason = last.reason.as_deref();
    let error = error.filter(|error| Some(*error) != reason);
    let parts: Vec<String> = [reason, error].into_iter().flatten().map(output::one_line).collect();
    if parts.is_empty() { String::new() } else { format!(": {}", parts.join("; ")) }
}

/// What a run that has not ended waits for.
fn waiting(status: &RunStatus, last: &StateChange, hot: Option<&HotRun>) -> String {
    let queued = last.state == RunState::Queued;
    match (status.source, hot.and_then(|hot| Some((hot, hot.lease.as_ref()?)))) {
        (Source::Stale, _) => "hot storage cannot be reached, so this is the last checkpoint".to_owned(),
        (Source::Checkpoint, _) if queued => "hot storage does not have it yet, a keeper brings it there".to_owned(),
        (Source::Checkpoint, _) => {
            "hot storage has lost it; its worker puts it back, or a keeper ends it after a minute".to_owned()
        }
        (_, Some((hot, lease))) if lease.until > hot.now => {
            format!("{} has it, its lease lasts until {}", output::one_line(&lease.worker), lease.until)
        }
        (_, Some((_, lease))) => format!(
            "{} stopped answering, its lease ran out at {}; a keeper ends the run unless it comes back",
            output::one_line(&lease.worker),
            lease.until
        ),
        (_, None) => "no worker has taken it".to_owned(),
    }
}

fn in_words(lost: &Lost) -> String {
    const SHOWN: usize = 3;
    let mut parts: Vec<String> = lost.samples.iter().take(SHOWN).map(LostSamples::in_words).collect();
    match lost.samples.len().saturating_sub(SHOWN) {
        0 => {}
        more => parts.push(output::counted(more as u64, "more stretch of samples", "more stretches of samples")),
    }
    match lost.lines {
        0 => {}
        1 => parts.push("1 log line".to_owned()),
        lines => parts.push(format!("{lines} log lines")),
    }
    if parts.is_empty() { String::new() } else { format!("; hot storage lost {}", parts.join(", ")) }
}

impl LostSamples {
    fn in_words(&self) -> String {
        format!("samples {}..{} of channel {}", self.first, self.end, self.channel)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use lucihub_models_core::hot::Lease;
    use lucihub_models_core::{Positions, RunHead, Timestamp, WriterId, WriterMark};
    use lucihub_testkit::models::run_head;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000).unwrap()
    }

    fn status(head: &RunHead, source: Source) -> RunStatus {
        RunStatus {
            head: Arc::new(head.clone()),
            positions: Positions::default(),
            archived: None,
            cancel_requested: false,
            ended: head.state().is_terminal(),
            source,
        }
    }

    fn hot(head: &RunHead, until: Option<i64>) -> HotRun {
        let mark = WriterMark { writer: WriterId::from_bits(1), epoch: 1 };
        HotRun {
            head: Arc::new(head.clone()),
            next: Positions::default(),
            base: Positions::default(),
            confirmed: Positions::default(),
            lease: until.map(|until| Lease { worker: "worker-3".into(), mark, until: at(until) }),
            last_seq: 0,
            cancel: false,
            seal: None,
            changed_at: at(0),
            now: at(100),
        }
    }

    #[test]
    fn a_run_that_goes_on_says_what_it_waits_for() {
        let mut head = run_head(1);
        head.states = vec![StateChange::new(RunState::Queued, at(1))];
        let say = |head: &RunHead, source, until| {
            sentence(&status(head, source), Some(&hot(head, until)), &Lost::default(), &[])
        };
        assert!(say(&head, Source::Live, None).ends_with(": no worker has taken it"));
        assert!(say(&head, Source::Checkpoint, None).contains("a keeper brings it there"));
        head.states.push(StateChange::new(RunState::InProgress, at(2)));
        assert!(
            say(&head, Source::Live, Some(200))
                .contains(&format!("worker-3 has it, its lease lasts until {}", at(200)))
        );
        assert!(
            say(&head, Source::Live, Some(99))
                .contains(&format!("worker-3 stopped answering, its lease ran out at {}", at(99)))
        );
        assert!(say(&head, Source::Checkpoint, None).contains("hot storage has lost it"));
        assert!(say(&head, Source::Stale, None).contains("cannot be reached"));
        let mut asked = status(&head, Source::Live);
        asked.cancel_requested = true;
        assert!(sentence(&asked, None, &Lost::default(), &[]).ends_with("; its end was asked for"));
    }

    #[test]
    fn an_ended_run_says_why_and_what_was_lost() {
        let mut head = run_head(1);
        let why = "worker-3 stopped answering: its lease ran out at noon";
        head.states.push(StateChange::new(RunState::Failed, at(3)).because(why));
        head.error = Some(why.to_owned());
        let lost = Lost { samples: vec![LostSamples { channel: 2, first: 1_000, end: 1_200 }], lines: 1 };
        let said = sentence(&status(&head, Source::Live), None, &lost, &[]);
        let lost = "hot storage lost samples 1000..1200 of channel 2, 1 log line";
        assert_eq!(said, format!("failed at {}: {why}; {lost}; a keeper has yet to archive it", at(3)));
        head.error = Some("E\n1".to_owned());
        let said = sentence(&status(&head, Source::Live), None, &Lost::default(), &[]);
        assert!(said.contains(&format!("{why}; E\\n1; a keeper")), "{said}");
    }
}
