//! `lucihub runs report` as people call it, and the page as a browser shows it.

use std::path::Path;
use std::process::{Command, Output};

use lucihub_models_core::{
    Channel, InputType, JobType, JsonText, LogLine, Overload, Phase, PhaseChange, RunHead, RunState, TimeBase,
    Timestamp,
};
use lucihub_store::record::End;
use lucihub_store::{Keeper, KeeperOptions, Store, Urls};

const RUN: &str = "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e";
const SAMPLES: u32 = 100_000;
const GAP: std::ops::Range<u32> = 40_000..42_000;
/// What would run, end the page or change it, were it more than text.
const HOSTILE: &str = concat!(
    "</script></pre><img src=x onerror=\"document.title='owned'\">",
    "<script>document.title='owned'</script>'\u{2028}&amp;<!--"
);

/// Makes a database with one archived run: three channels that lost a chunk, and texts that mean harm.
async fn record(dir: &Path) {
    let url = format!("sqlite:{}", dir.join("lucihub.sqlite").display());
    let store = Store::open(&Urls::new("memory:", url)).await.unwrap();
    let at = Timestamp::EPOCH;
    let mut head = RunHead::queued(RUN.parse().unwrap(), JobType::Run, at);
    head.channels = ["x", HOSTILE, "never"].iter().map(|name| Channel::named(*name)).collect();
    head.time_base = Some(TimeBase::from_rate(10_000.0));
    head.owner = Some(HOSTILE.to_owned());
    head.labels.insert("series".to_owned(), HOSTILE.to_owned());
    head.input_type = Some(InputType::Circuit);
    head.input = Some(input());
    store.create(&head).await.unwrap();
    let recorder = store.record(head.id, HOSTILE).await.unwrap();
    recorder.state(RunState::InProgress).await.unwrap();
    for (phase, ns) in [(Phase::Op, 2_000_000), (Phase::OpEnd, 10_002_000_000)] {
        recorder.phase(PhaseChange::new(phase, at).at_device_ns(ns)).await.unwrap();
    }
    for channel in 0..2 {
        for range in [0..GAP.start, GAP.end..SAMPLES] {
            let values: Vec<f64> = range.clone().map(|n| value(channel, n)).collect();
            recorder.samples(channel, range.start.into(), &values).await.unwrap();
        }
    }
    for n in 0..11_000 {
        let level = if n % 1_000 == 0 { "warning" } else { "info" };
        recorder.line(LogLine::new(at, format!("line {n}")).level(level)).await.unwrap();
    }
    recorder.line(LogLine::new(at, HOSTILE).level(HOSTILE)).await.unwrap();
    recorder.overload(Overload::new(HOSTILE, at).at_sample(70_000)).await.unwrap();
    let mut end = End::default();
    end.error = Some(HOSTILE.to_owned());
    recorder.finish(RunState::Failed, end).await.unwrap();
    let report = Keeper::new(store, KeeperOptions::default()).walk().await.unwrap();
    assert_eq!(report.archived, 1);
}

fn value(channel: u32, n: u32) -> f64 {
    let t = f64::from(n) / 9_000.0;
    if channel == 0 { t.sin() } else { (2.0 * t).cos() }
}

/// A document that a reader of HTML would change if it were written as it is.
fn input() -> JsonText {
    JsonText::from_stored(format!("\n{{\"a\":\r\n \"{}\"}}\n", HOSTILE.replace('"', "\\\"")))
}

fn report(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lucihub"))
        .args(["runs", "report", RUN, "--dir"])
        .arg(dir)
        .args(args)
        .env_remove("DATABASE_URL")
        .env_remove("REDIS_URL")
        .current_dir(dir)
        .output()
        .unwrap()
}

fn written(dir: &Path) -> String {
    let output = report(dir, &["--out", "-"]);
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn a_page_is_the_same_each_time_and_replaces_nothing_unasked() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path()).await;
    let page = written(dir.path());
    assert!(page.len() < 4_000_000, "{} bytes", page.len());
    let first = report(dir.path(), &[]);
    assert_eq!(String::from_utf8_lossy(&first.stderr), format!("written: {RUN}.html\n"));
    let file = dir.path().join(format!("{RUN}.html"));
    assert!(std::fs::read_to_string(&file).unwrap() == page, "the same bytes");

    std::fs::write(&file, "what was there before").unwrap();
    let refused = report(dir.path(), &[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("is there already; --force replaces it"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "what was there before");
    assert!(report(dir.path(), &["--force"]).status.success());
    assert!(std::fs::read_to_string(&file).unwrap() == page, "the same bytes");
    let nowhere = report(dir.path(), &["--out", "no/such/folder.html"]);
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("there is no such folder"));
}

#[tokio::test]
async fn what_means_harm_is_text() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path()).await;
    let page = written(dir.path());
    assert_eq!(page.matches("<script").count(), 2, "data, and what draws it");
    assert_eq!(page.matches("</script>").count(), 2);
    assert!(!page.contains("<img") && !page.contains("<!--"));
    let outside: Vec<&str> = page.match_indices("http").map(|(at, _)| &page[at..page.len().min(at + 16)]).collect();
    assert_eq!(outside, ["http-equiv=\"Cont", "http://www.w3.or"], "the name of SVG, no address");
    assert!(page.contains("default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"));
    assert!(page.contains("The last 10000 of 11,001 lines are here."), "bounded, and says so");
}

/// What a browser is told to do with the page, a step at a time, and what it notes then.
const HANDS: &str = r#"<script>
const note = (name, value) => (document.documentElement.dataset[name] = value);
const at = (type, part, more) => {
  const box = plots.getBoundingClientRect();
  const x = box.left + LEFT + part * (box.width - LEFT - RIGHT);
  plots.dispatchEvent(new PointerEvent(type, { clientX: x, clientY: box.top + 20, bubbles: true, ...more }));
};
const steps = [
  () => at("pointermove", 0.41),
  () => note("hole", panels[0].said.textContent),
  () => at("pointermove", 0.2),
  () => note("hover", panels[0].said.textContent),
  () => plots.dispatchEvent(new WheelEvent("wheel", { deltaY: -1, clientX: 600, cancelable: true })),
  () => note("wheel", document.documentElement.dataset.view),
  () => find("all").click(),
  () => { at("pointerdown", 0.25); at("pointermove", 0.4); at("pointerup", 0.5); },
  () => note("drag", document.documentElement.dataset.view),
  () => find("all").click(),
  () => note("whole", document.documentElement.dataset.view),
  () => find("channels").querySelector("input").click(),
  () => note("off", document.documentElement.dataset.drawn),
  () => find("channels").querySelector("input").click(),
  () => { find("text").value = "LINE 50"; find("text").dispatchEvent(new Event("input")); },
  () => note("found", find("found").textContent),
  () => { find("text").value = ""; find("level").value = "warning"; find("level").dispatchEvent(new Event("change")); },
  () => note("warnings", find("found").textContent),
  () => note("input", [...document.querySelector("pre").textContent].map((c) => c.codePointAt(0)).join(" ")),
  () => note("done", document.title),
];
const go = (n) => n < steps.length && setTimeout(() => { steps[n](); go(n + 1); }, 100);
go(0);
</script>"#;

#[tokio::test]
async fn a_browser_draws_it_and_hands_can_use_it() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path()).await;
    let page = written(dir.path());
    std::fs::write(dir.path().join("page.html"), page + HANDS).unwrap();
    let shown = browse(dir.path(), "page.html");
    let noted = |name: &str| attribute(&shown.dom, name);
    assert_eq!(noted("error"), None);
    assert_eq!(noted("done").unwrap(), format!("run {RUN}: failed"), "no text of the run ran");
    assert!(noted("hole").unwrap().ends_with("missing"), "{:?}", noted("hole"));
    let hover = noted("hover").unwrap();
    assert!(hover.starts_with("1.99") || hover.starts_with("2.00"), "{hover}");
    assert!(["min ", "max ", "first ", "last ", "samples "].iter().all(|part| hover.contains(part)), "{hover}");
    let range = |name: &str| {
        let noted = noted(name).unwrap();
        let (low, high) = noted.split_once("..").unwrap();
        (low.parse::<u32>().unwrap(), high.parse::<u32>().unwrap())
    };
    assert_eq!(range("whole"), (0, SAMPLES));
    let (low, high) = range("drag");
    assert!(low.abs_diff(25_000) < 500 && high.abs_diff(50_000) < 500, "{low}..{high}");
    let (low, high) = range("wheel");
    assert!((high - low).abs_diff(80_000) <= 1 && low > 0, "{low}..{high}");
    assert_eq!(noted("off").unwrap(), "2", "one channel, and the portrait");
    // 50, 150 is not one; 1050 is neither: 500 to 509, 5000 to 5099 and so on are.
    let fits = (1_001..11_000).filter(|n| format!("line {n}").contains("line 50")).count();
    assert_eq!(noted("found").unwrap(), format!("{fits} of 10000"));
    assert_eq!(noted("warnings").unwrap(), "9 of 10000");
    let input: Vec<String> = input().as_str().chars().map(|c| u32::from(c).to_string()).collect();
    assert_eq!(noted("input").unwrap(), input.join(" "), "the input, byte for byte");

    let (width, height) = shown.size;
    assert!(width >= 1_200 && height >= 1_600, "{width} x {height}");
    for colour in [[0, 114, 178], [213, 94, 0]] {
        let near = |pixel: &[u8]| pixel.iter().zip(colour).all(|(a, b)| a.abs_diff(b) < 40);
        let count = shown.pixels.chunks(shown.depth).filter(|pixel| near(&pixel[..3])).count();
        // A thin line over more than a thousand columns.
        assert!(count > 600, "{count} pixels of {colour:?}");
    }
}

struct Shown {
    dom: String,
    size: (u32, u32),
    depth: usize,
    pixels: Vec<u8>,
}

/// Opens a page in a browser of its own, and takes what is in it and what it looks like.
fn browse(dir: &Path, page: &str) -> Shown {
    let picture = dir.join("page.png");
    let output = Command::new("chromium")
        // Without a sandbox of its own, which root and most containers have no rights for: the page is ours.
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1"])
        .args(["--virtual-time-budget=20000", "--window-size=1280,1800", "--enable-logging=stderr", "--dump-dom"])
        .arg(format!("--user-data-dir={}", dir.join("profile").display()))
        .arg(format!("--screenshot={}", picture.display()))
        .arg(format!("file://{}", dir.join(page).display()))
        .output()
        .unwrap_or_else(|why| {
            let command = "apt-get install -y --no-install-recommends chromium";
            panic!("chromium cannot be started: {why}; `cargo xtask test` installs it, or {command}")
        });
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains(":CONSOLE"), "{said}");
    let file = std::io::BufReader::new(std::fs::File::open(&picture).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!(info.bit_depth, png::BitDepth::Eight);
    let size = (info.width, info.height);
    Shown { dom: String::from_utf8(output.stdout).unwrap(), size, depth: info.color_type.samples(), pixels }
}

/// What the scripts noted on the page.
fn attribute(dom: &str, name: &str) -> Option<String> {
    let tag = dom.split_once("<html")?.1.split_once('>')?.0;
    let value = tag.split_once(&format!(" data-{name}=\""))?.1.split_once('"')?.0;
    Some(value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&"))
}
