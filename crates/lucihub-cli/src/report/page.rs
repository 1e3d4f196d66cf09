//! The page itself.

use lucihub_models_core::{InputType, JsonText, LogLine};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::contents::Contents;
use super::curves::Measured;
use super::{inert, tables};
use crate::failure::Failure;
use crate::output::{counted, one_line};

/// Nothing is fetched, sent or framed; what stands in the page alone may run.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                      base-uri 'none'; form-action 'none'";
const STYLE: &str = include_str!("page.css");
/// In this order: each uses what the ones before it have.
const SCRIPTS: &str = concat!(
    include_str!("series.js"),
    include_str!("plots.js"),
    include_str!("portrait.js"),
    include_str!("hands.js"),
    include_str!("start.js")
);

/// Writes the page. The same contents give the same bytes.
///
/// # Errors
/// Where the curves cannot be written as JSON; they have no reason not to.
pub(super) fn page(contents: &Contents) -> Result<String, Failure> {
    let head = &contents.status.head;
    let measured = inert::data("measured", &Measured::of(head, &contents.envelopes))?;
    let gaps = contents.envelopes.iter().any(|envelope| !envelope.gaps.is_empty());
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="generator" content=(concat!("lucihub ", env!("CARGO_PKG_VERSION")));
                title { "run " (head.id) ": " (one_line(head.state().as_str())) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "run " code { (head.id) } " " (tables::state(head.state())) }
                @if !contents.status.ended {
                    p class="note" { "It has not ended: this is how far it was when the page was written." }
                }
                @if let Some(error) = &head.error { p class="error" { (one_line(error)) } }
                (tables::facts(contents))
                h2 { "States and phases" }
                (tables::history(head))
                @if let Some(picture) = &contents.picture { h2 { "Channels" } (plots(contents, picture)) }
                @if !head.channels.is_empty() {
                    details open[contents.picture.is_none()] {
                        summary { (counted(head.channels.len() as u64, "channel", "channels")) ", in numbers" }
                        (tables::channels(head, &contents.envelopes))
                    }
                }
                @if gaps { h2 { "Gaps" } (tables::gaps(head, &contents.envelopes)) }
                @if !head.overloads.is_empty() { h2 { "Overloads" } (tables::overloads(head)) }
                @if !head.final_values.is_empty() { h2 { "Final values" } (tables::final_values(head)) }
                @if contents.status.positions.lines > 0 { h2 { "Log" } (log(contents)) }
                @if head.input.is_some() || head.output.is_some() { h2 { "Input and output" } }
                @if let Some(input) = &head.input {
                    (document("input", head.input_type.as_ref().map(InputType::as_str), input))
                }
                @if let Some(output) = &head.output { (document("output", None, output)) }
                p class="error" id="failed" hidden {}
                (measured)
                script { (PreEscaped(SCRIPTS)) }
            }
        }
    };
    Ok(page.into_string() + "\n")
}

/// What the scripts draw into, and a still picture for readers without them.
fn plots(contents: &Contents, picture: &str) -> Markup {
    let width = contents.envelopes.iter().map(|envelope| envelope.width).max().unwrap_or(1);
    let several = contents.envelopes.iter().filter(|envelope| envelope.end > 0).count() > 1;
    html! {
        noscript { (PreEscaped(picture)) }
        div data-live hidden {
            div class="bar" id="channels" { button id="every" { "all channels" } button id="none" { "none" } }
            div class="bar" {
                button id="all" { "whole run" }
                button id="in" title="zoom in" { "+" } button id="out" title="zoom out" { "−" }
                button id="back" title="earlier" { "◀" } button id="on" title="later" { "▶" }
                label { input type="checkbox" id="fit"; " fit the value axes to what is shown" }
            }
            div id="plots" { div id="cross" hidden {} div id="chosen" hidden {} }
            p class="note" {
                "Drag or turn the wheel to zoom, double-click for the whole run, point to read. "
                @if width == 1 { "Every sample is in this page, exactly. " } @else {
                    "The page holds buckets of up to " (width) " samples: the least, the greatest, the first and the "
                    "last of each, to seven digits. No sample reaches out of what is drawn. "
                }
                "What is missing is left open."
            }
            @if several {
                h2 { "Phase portrait" }
                div class="bar" {
                    select id="up" {} " over " select id="across" {} span id="portrayed" class="faint" {}
                }
                div class="square" { canvas id="portrait" {} }
            } @else { select id="up" hidden {} select id="across" hidden {} }
        }
    }
}

fn log(contents: &Contents) -> Markup {
    let all = contents.status.positions.lines;
    let shown = contents.lines.len() as u64;
    html! {
        div class="bar" data-live hidden {
            input id="text" type="search" placeholder="only lines with this text";
            select id="level" { option value="" { "any level" } }
            span id="found" class="faint" {}
        }
        @if shown < all { p class="note" { "The last " (shown) " of " (counted(all, "line", "lines")) " are here." } }
        div id="lines" { table id="log" { @for (number, line) in (contents.first_line..).zip(&contents.lines) {
            (log_line(number, line))
        } } }
    }
}

fn log_line(number: u64, line: &LogLine) -> Markup {
    let level = line.level.as_deref().unwrap_or_default();
    // A level that is no plain word is text, and no name of a style.
    let class = level.chars().all(|c| c.is_ascii_alphabetic()).then(|| level.to_ascii_lowercase());
    html! {
        tr class=[class.filter(|class| !class.is_empty())] {
            td { (number) }
            td { (line.at.map(|at| at.to_string()).unwrap_or_default()) }
            td { (one_line(level)) }
            td {
                @if let Some(source) = &line.source { "[" (one_line(source)) "] " }
                (one_line(&line.text))
                @if let Some(bytes) = line.cut_from { " … (cut, it had " (bytes) " bytes)" }
            }
        }
    }
}

fn document(name: &str, kind: Option<&str>, text: &JsonText) -> Markup {
    html! {
        details {
            summary {
                (name) ", " (counted(text.as_str().len() as u64, "byte", "bytes"))
                @if let Some(kind) = kind { ", " (one_line(kind)) }
            }
            (inert::exact(text.as_str()))
        }
    }
}
