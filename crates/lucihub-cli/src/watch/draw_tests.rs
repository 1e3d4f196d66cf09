//! Pictures of given states, as they were looked at.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use lucihub_models_core::hot::LineSlice;
use lucihub_models_core::{
    Channel, Envelope, EnvelopeBuilder, Gap, GapCause, JobType, LogLine, Phase, PhaseChange, Positions, RunHead,
    Series, StateChange, TimeBase,
};
use lucihub_store::{Event, RunStatus};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::super::feed::Look;
use super::*;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_micros(1_796_000_000_000_000 + millis * 1_000).unwrap()
}

fn status(head: RunHead, source: Source) -> RunStatus {
    RunStatus {
        head: Arc::new(head),
        positions: Positions::default(),
        archived: None,
        cancel_requested: false,
        ended: false,
        source,
    }
}

fn head() -> RunHead {
    let id = "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e".parse().unwrap();
    let mut head = RunHead::queued(id, JobType::Run, at(0));
    head.device = Some("lucidac-1".parse().unwrap());
    head.channels = ["x", "y"].map(Channel::named).to_vec();
    head.time_base = Some(TimeBase::from_rate(10_000.0));
    head.op_time_ns = Some(1_000_000_000);
    head
}

/// A run that nobody has taken yet.
pub(in super::super) fn queued() -> Watched {
    Watched::new(&status(head(), Source::Live), at(75_000))
}

/// The envelope of a ramp.
pub(in super::super) fn ramp(range: Range<u64>, width: u64) -> Envelope {
    envelope(range, width, |n| f64::from(u32::try_from(n).unwrap()))
}

fn envelope(range: Range<u64>, width: u64, value: impl Fn(u64) -> f64) -> Envelope {
    let mut series = Series::starting_at(range.start);
    series.push_values(&range.clone().map(value).collect::<Vec<f64>>());
    let mut builder = EnvelopeBuilder::new(range.start / width * width, width);
    builder.series(&series);
    builder.finish()
}

/// A run of two channels of which 0.4 s were recorded, the second with a gap.
pub(in super::super) fn live() -> Watched {
    let mut head = head();
    head.worker = Some("worker-1".to_owned());
    head.states.push(StateChange::new(RunState::InProgress, at(100)));
    head.phases = vec![PhaseChange::new(Phase::Ic, at(110)), PhaseChange::new(Phase::Op, at(120))];
    let mut watched = Watched::new(&status(head.clone(), Source::Live), at(320));
    let turn = |n: u64| f64::from(u32::try_from(n).unwrap()) / 300.0;
    watched.take(Event::Buckets { channel: 0, envelope: envelope(0..4_000, 4, |n| turn(n).sin()) });
    let mut torn = envelope(0..1_600, 4, |n| turn(n).cos() / 2.0);
    torn.gaps = vec![Gap::new(1_600..2_000, GapCause::Device)];
    torn.end = 2_000;
    torn.join(&envelope(2_000..4_000, 4, |n| turn(n).cos() / 2.0));
    watched.take(Event::Buckets { channel: 1, envelope: torn });
    let lines = [("info", "circuit accepted"), ("warning", "a chunk did not come\n\u{1b}[2J"), ("info", "half-way")];
    let lines = lines.map(|(level, text)| LogLine::new(at(150), text).level(level)).to_vec();
    watched.take(Event::Lines(LineSlice { first: 0, lines }));
    watched.look(look(head, Source::Live, 520));
    watched
}

fn look(head: RunHead, source: Source, now: i64) -> Look {
    let mut status = status(head, source);
    status.positions = Positions { lines: 3, samples: vec![4_000, 4_000], ..Positions::default() };
    let confirmed = Positions { lines: 1, samples: vec![3_000, 3_000], ..Positions::default() };
    Look { status, confirmed: (source == Source::Live).then_some(confirmed), now: at(now) }
}

fn ended() -> Watched {
    let mut watched = live();
    let mut head = (*watched.status.head).clone();
    head.states.push(StateChange::new(RunState::Failed, at(900)).because("the device fell silent"));
    head.error = Some("the device fell silent after 0.4 s".to_owned());
    watched.take(Event::Ended(RunState::Failed));
    let mut look = look(head, Source::Archive, 2_000);
    look.status.ended = true;
    watched.look(look);
    assert!(watched.is_over());
    watched
}

fn away() -> Watched {
    let mut watched = live();
    watched.look(look(head(), Source::Stale, 1_000));
    assert_eq!(watched.status.head.states.len(), 2, "an older answer takes nothing away");
    watched
}

/// Compares with the committed picture. `LUCIHUB_BLESS=1` writes it anew: look at it then.
fn same_as(name: &str, watched: &Watched, view: &View, (width, height): (u16, u16)) {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(watched, view, frame.area(), frame.buffer_mut())).unwrap();
    let drawn = format!("{}", terminal.backend());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/watch").join(name);
    if std::env::var_os("LUCIHUB_BLESS").is_some() {
        std::fs::write(&file, &drawn).unwrap();
    }
    let wanted = std::fs::read_to_string(&file).unwrap();
    assert!(wanted == drawn, "{name} was\n{wanted}\nand is\n{drawn}");
}

#[test]
fn pictures_are_as_they_were_looked_at() {
    let all = View::default();
    same_as("queued.txt", &queued(), &all, (80, 24));
    same_as("live.txt", &live(), &all, (100, 30));
    let last = View { channel: Some(1), last: Some(0.1), page: Page::Plot, held: true };
    same_as("last.txt", &live(), &last, (80, 20));
    same_as("ended.txt", &ended(), &all, (80, 24));
    same_as("away.txt", &away(), &all, (80, 24));
    same_as("small.txt", &live(), &all, (40, 12));
    same_as("log.txt", &live(), &View { page: Page::Log, ..View::default() }, (60, 8));
}

#[test]
fn any_size_can_be_drawn() {
    for (width, height) in [(0, 0), (1, 1), (3, 40), (200, 2), (24, 9), (25, 10), (400, 120)] {
        for page in [Page::Overview, Page::Plot, Page::Log, Page::States] {
            let area = Rect::new(0, 0, width, height);
            for watched in [queued(), live(), ended(), away()] {
                draw(&watched, &View { page, ..View::default() }, area, &mut Buffer::empty(area));
            }
        }
    }
}
