//! Drawing what is known of a run.

use indicatif::HumanCount;
use lucihub_models_core::{RunState, Timestamp};
use lucihub_store::Source;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{LineGauge, Widget};

use super::view::{Page, View};
use super::watched::Watched;
use crate::output::{counted, one_line};
use crate::plot::{self, Size};

const FAINT: Style = Style::new().fg(Color::Indexed(244));
const ALARM: Style = Style::new().fg(Color::Indexed(203));
/// From so many rows on, log and states stand below the plot.
const ROOM: u16 = 18;

/// Draws a run into an area of any size.
pub(super) fn draw(watched: &Watched, view: &View, area: Rect, buffer: &mut Buffer) {
    let gauge = u16::from(watched.progress().is_some() && area.height >= 10);
    let [title, facts, bar, body, help] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(gauge),
        Constraint::Min(0),
        Constraint::Length(1),
    ])
    .areas(area);
    self::title(watched, title).render(title, buffer);
    self::facts(watched, view).render(facts, buffer);
    if let Some(part) = watched.progress().filter(|_| gauge > 0) {
        let label = format!("{:>3.0} %", part * 100.0);
        LineGauge::default()
            .ratio(part)
            .label(label)
            .filled_symbol("━")
            .unfilled_symbol("─")
            .filled_style(Style::new().fg(Color::Indexed(36)))
            .unfilled_style(FAINT)
            .render(bar, buffer);
    }
    match view.page {
        Page::Plot => plot(watched, view, body, buffer),
        Page::Log => log(watched, body, buffer),
        Page::States => states(watched, body, buffer),
        Page::Overview if area.height < ROOM => plot(watched, view, body, buffer),
        Page::Overview => {
            let low = Constraint::Length((body.height / 4).clamp(5, 10));
            let [high, low] = Layout::vertical([Constraint::Min(0), low]).spacing(1).areas(body);
            plot(watched, view, high, buffer);
            let [left, right] = Layout::horizontal([Constraint::Length(34), Constraint::Min(0)]).spacing(2).areas(low);
            states(watched, left, buffer);
            log(watched, right, buffer);
        }
    }
    self::help(view, help).render(help, buffer);
}

/// Who it is and how it stands.
fn title(watched: &Watched, area: Rect) -> Line<'static> {
    let head = &watched.status.head;
    let state = head.state();
    let id = head.id.to_string();
    // The end of an id that is made in the order of time says most.
    let id = if area.width < 80 { id.get(id.len() - 12..).unwrap_or_default().to_owned() } else { id };
    let mut spans = vec![
        Span::from(format!("run {id}  ")).style(Modifier::BOLD),
        Span::styled(one_line(state.as_str()), state_style(state)),
    ];
    if watched.status.cancel_requested && !watched.status.ended {
        spans.push(Span::styled(" (asked to end)", ALARM));
    }
    let source = match watched.status.source {
        Source::Archive => "archive",
        Source::Live => "live",
        Source::Checkpoint => "checkpoint",
        Source::Stale => "stale",
    };
    spans.push(Span::from(format!("  {source}")));
    let device = head.device.as_ref().map(|device| one_line(&device.to_string()));
    let worker = head.worker.as_deref().map(|worker| format!("worker {}", one_line(worker)));
    spans.extend([device, worker].into_iter().flatten().map(|text| Span::styled(format!("  {text}"), FAINT)));
    Line::from(spans)
}

/// How far it is, or what it waits for.
fn facts(watched: &Watched, view: &View) -> Line<'static> {
    if let Some(why) = &watched.away {
        return Line::styled(one_line(why), ALARM.add_modifier(Modifier::BOLD));
    }
    if view.held {
        return Line::styled("held; p goes on", Style::new().add_modifier(Modifier::BOLD));
    }
    if let Some((_, note)) = watched.note.as_ref().filter(|_| !watched.status.ended) {
        return Line::styled(note.clone(), ALARM);
    }
    let head = &watched.status.head;
    if *head.state() == RunState::Queued {
        return Line::from(format!("waits in the queue, for {}", span(head.created_at, watched.now)));
    }
    let mut text = counted(watched.samples(), "sample", "samples");
    if !watched.status.ended {
        text += &format!(", {}/s", HumanCount(rounded(watched.rate())));
        if let Some((samples, lines)) = watched.lag() {
            text += &format!(
                "; not yet in cold storage: {}, {}",
                counted(samples, "sample", "samples"),
                counted(lines, "line", "lines")
            );
        }
    } else if let Some(error) = &head.error {
        return Line::from(vec![Span::from(text), Span::styled(format!("; {}", one_line(error)), ALARM)]);
    }
    Line::from(text)
}

fn plot(watched: &Watched, view: &View, area: Rect, buffer: &mut Buffer) {
    let places = view.channels(watched);
    let window = view.window(watched);
    let traces = watched.traces.get(places.clone()).unwrap_or_default();
    if traces.is_empty() || window.is_empty() {
        return middle("nothing was measured yet", area, buffer);
    }
    if area.width < 24 || area.height < 7 {
        return middle("too small for a plot", area, buffer);
    }
    // The header says whose it is: the first row of the drawing stays away.
    let noted = u16::from(area.height >= 12);
    let size = Size { width: area.width, height: area.height + 1 - noted };
    let (drawn, mut notes) = plot::grown(&watched.status.head, &window, traces, size);
    for row in 1..size.height {
        for column in 0..size.width {
            buffer[(area.x + column, area.y + row - 1)] = drawn[(column, row)].clone();
        }
    }
    let others = watched.traces.len() - traces.len();
    if others > 0 && view.channel.is_none() {
        notes.insert(0, format!("{others} more channels: right and left show them"));
    }
    if let Some(note) = notes.first().filter(|_| noted > 0) {
        let more = if notes.len() > 1 { format!("; {} more", notes.len() - 1) } else { String::new() };
        put(&format!("{note}{more}"), FAINT, area.bottom() - 1, area, buffer);
    }
}

/// States and phases, the last ones, in the order of their times.
fn states(watched: &Watched, area: Rect, buffer: &mut Buffer) {
    let head = &watched.status.head;
    let mut all: Vec<(Timestamp, Line<'_>)> = Vec::new();
    for change in &head.states {
        let mut spans = vec![Span::styled(one_line(change.state.as_str()), state_style(&change.state))];
        spans.extend(change.reason.as_deref().map(|reason| Span::from(format!(": {}", one_line(reason)))));
        all.push((change.at, Line::from(spans)));
    }
    for change in &head.phases {
        let on =
            change.carrier.as_deref().filter(|_| area.width >= 60).map(|carrier| format!(" on {}", one_line(carrier)));
        let phase = format!("phase {}{}", one_line(change.phase.as_str()), on.unwrap_or_default());
        all.push((change.at, Line::from(phase)));
    }
    all.sort_by_key(|(at, _)| *at);
    let skip = all.len().saturating_sub(area.height.into());
    for (row, (at, what)) in (area.y..).zip(&all[skip..]) {
        let mut line = Line::styled(format!("{}  ", clock(*at)), FAINT);
        line.spans.extend(what.spans.iter().cloned());
        buffer.set_line(area.x, row, &line, area.width);
    }
}

/// The last log lines.
fn log(watched: &Watched, area: Rect, buffer: &mut Buffer) {
    if watched.lines.is_empty() {
        put("no log lines yet", FAINT, area.y, area, buffer);
    }
    let skip = watched.lines.len().saturating_sub(area.height.into());
    for (row, line) in (area.y..).zip(watched.lines.iter().skip(skip)) {
        let level = line.level.as_deref().unwrap_or_default();
        let style = match level.to_ascii_lowercase().as_str() {
            "error" | "critical" | "fatal" | "lost" => ALARM,
            "warn" | "warning" => Style::new().fg(Color::Indexed(178)),
            _ => Style::default(),
        };
        let time = line.at.map(clock).unwrap_or_default();
        let spans = [
            Span::styled(format!("{time}  "), FAINT),
            Span::styled(format!("{:<5} {}", one_line(level), one_line(&line.text)), style),
        ];
        buffer.set_line(area.x, row, &Line::from(spans.to_vec()), area.width);
    }
}

fn help(view: &View, area: Rect) -> Line<'static> {
    let last = view.last.map_or_else(|| "all".to_owned(), |last| format!("last {last}"));
    let text = if area.width >= 72 {
        format!("q quit   ←→ channel   Tab page   +/- time ({last})   p hold")
    } else {
        "q quit ←→ channel Tab page +/- p".to_owned()
    };
    Line::styled(text, FAINT)
}

fn middle(text: &str, area: Rect, buffer: &mut Buffer) {
    let room = area.width.saturating_sub(u16::try_from(text.len()).unwrap_or(u16::MAX));
    let place = Rect { x: area.x + room / 2, width: area.width - room / 2, ..area };
    put(text, FAINT, area.y + area.height / 2, place, buffer);
}

/// Writes a text into a row of an area, if the area has it.
fn put(text: &str, style: Style, row: u16, area: Rect, buffer: &mut Buffer) {
    if row < area.bottom() {
        buffer.set_stringn(area.x, row, text, area.width.into(), style);
    }
}

const fn state_style(state: &RunState) -> Style {
    let colour = match state {
        RunState::Succeeded => Color::Indexed(36),
        RunState::Failed => Color::Indexed(203),
        RunState::Cancelled => Color::Indexed(178),
        RunState::InProgress => Color::Indexed(74),
        _ => Color::Reset,
    };
    Style::new().fg(colour).add_modifier(Modifier::BOLD)
}

/// The time of day, to the millisecond, in UTC as everywhere.
fn clock(at: Timestamp) -> String {
    at.to_string().get(11..23).unwrap_or_default().to_owned()
}

/// How long ago, in words; clocks of several machines may say that it is yet to come.
fn span(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.since(from).as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3_600),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate, shown in thousands")]
fn rounded(rate: f64) -> u64 {
    let rate = rate.max(0.0) as u64;
    if rate >= 10_000 { rate / 1_000 * 1_000 } else { rate }
}

#[cfg(test)]
#[path = "draw_tests.rs"]
pub(super) mod tests;
