// What hands do: choosing channels, zooming, pointing, and filtering the log.

let asked = false;
function again() {
  if (asked) return;
  asked = true;
  // A picture in 16 ms, also where no frames are shown: then an animation frame may never come.
  setTimeout(() => {
    asked = false;
    const drawn = draw() + drawPortrait();
    document.documentElement.dataset.drawn = String(drawn);
    document.documentElement.dataset.view = `${Math.round(view.low)}..${Math.round(view.high)}`;
  }, 16);
}

function look(low, high) {
  const least = Math.min(end, 4);
  const size = Math.min(end, Math.max(least, high - low));
  view.low = Math.min(Math.max(0, (low + high - size) / 2), end - size);
  view.high = view.low + size;
  again();
}

const zoom = (by, at) => look(at - (at - view.low) * by, at + (view.high - at) * by);
const middle = () => (view.low + view.high) / 2;
const shift = (part) => look(view.low + part * (view.high - view.low), view.high + part * (view.high - view.low));

// The index below the pointer, or nothing beside the curves.
function pointed(event) {
  const box = plots.getBoundingClientRect();
  const part = (event.clientX - box.left - LEFT) / (box.width - LEFT - RIGHT);
  const index = view.low + Math.min(1, Math.max(0, part)) * (view.high - view.low);
  return { column: event.clientX - box.left, part, index };
}

function say(index) {
  for (const { one, said } of panels) {
    const n = Math.floor((index - one.from) / one.width);
    const begin = one.from + n * one.width;
    const when = data.rate ? `${place(Math.floor(begin)).toFixed(6)} s` : `sample ${begin}`;
    if (holeAt(one, Math.floor(index))) said.textContent = `${when}  missing`;
    else if (n < 0 || n >= one.count || index >= one.end) said.textContent = "";
    else if (one.width === 1) said.textContent = `${when}  ${number(one.first[n])} ${one.unit}`;
    else {
      const parts = [["min", one.least], ["max", one.greatest], ["first", one.first], ["last", one.last]];
      const span = `samples ${begin} to ${Math.min(begin + one.width, one.end) - 1}`;
      said.textContent = `${when}  ${parts.map(([name, of]) => `${name} ${number(of[n])}`).join("  ")}  ${span}`;
    }
  }
}

function handle() {
  let from = null;
  const [cross, chosen] = [find("cross"), find("chosen")];
  plots.addEventListener("wheel", (event) => {
    // At the whole run, the page scrolls on.
    if (event.deltaY > 0 && view.high - view.low >= end) return;
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.25 : 0.8, pointed(event).index);
  }, { passive: false });
  plots.addEventListener("pointerdown", (event) => {
    if (event.button === 0) from = pointed(event);
  });
  plots.addEventListener("pointermove", (event) => {
    const at = pointed(event);
    cross.hidden = at.part < 0 || at.part > 1;
    cross.style.left = `${at.column}px`;
    say(at.index);
    chosen.hidden = from === null || Math.abs(at.column - from.column) < 4;
    if (chosen.hidden) return;
    chosen.style.left = `${Math.min(at.column, from.column)}px`;
    chosen.style.width = `${Math.abs(at.column - from.column)}px`;
  });
  window.addEventListener("pointerup", (event) => {
    if (from === null) return;
    const [a, b] = [from, pointed(event)];
    from = null;
    chosen.hidden = true;
    if (Math.abs(a.column - b.column) >= 4) look(Math.min(a.index, b.index), Math.max(a.index, b.index));
  });
  plots.addEventListener("pointerleave", () => {
    cross.hidden = true;
    panels.forEach(({ said }) => (said.textContent = ""));
  });
  plots.addEventListener("dblclick", () => look(0, end));
  const act = { all: () => look(0, end), in: () => zoom(0.5, middle()), out: () => zoom(2, middle()) };
  Object.assign(act, { back: () => shift(-0.5), on: () => shift(0.5) });
  for (const [id, does] of Object.entries(act)) find(id).addEventListener("click", does);
  find("fit").addEventListener("change", again);
}

function choose() {
  const boxes = series.map((one) => {
    const [label, box] = [document.createElement("label"), document.createElement("input")];
    [box.type, box.checked] = ["checkbox", one.shown];
    box.addEventListener("change", () => {
      one.shown = box.checked;
      again();
    });
    label.append(box, ` ${one.name}`);
    find("channels").append(label);
    return box;
  });
  const every = (shown) => () => {
    series.forEach((one, n) => (one.shown = boxes[n].checked = shown));
    again();
  };
  find("every").addEventListener("click", every(true));
  find("none").addEventListener("click", every(false));
}

function filterLog() {
  const [text, level] = [find("text"), find("level")];
  const rows = [...document.querySelectorAll("#log tr")];
  const filter = () => {
    const wanted = text.value.toLowerCase();
    let count = 0;
    for (const row of rows) {
      const fits = level.value === "" || row.children[2].textContent === level.value;
      row.hidden = !(fits && row.textContent.toLowerCase().includes(wanted));
      count += row.hidden ? 0 : 1;
    }
    find("found").textContent = `${count} of ${rows.length}`;
  };
  for (const name of new Set(rows.map((row) => row.children[2].textContent))) {
    if (name !== "") level.append(new Option(name, name));
  }
  text.addEventListener("input", filter);
  level.addEventListener("change", filter);
  filter();
}
