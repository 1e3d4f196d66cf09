// The channels over time: zoomed by dragging or the wheel, read by pointing.

const find = (id) => document.getElementById(id);
const end = Math.max(1, ...series.map((one) => one.end));
const view = { low: 0, high: end };
const LEFT = 72;
const RIGHT = 12;
const FOOT = 34;
const plots = find("plots");

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const colourOf = (one) => colour(`c${one.number % 8}`);

const panels = series.map((one) => {
  const panel = document.createElement("div");
  const legend = document.createElement("div");
  const [name, said] = [document.createElement("b"), document.createElement("span")];
  const canvas = document.createElement("canvas");
  [panel.className, legend.className, name.textContent] = ["panel", "legend", one.name];
  legend.append(name, said);
  panel.append(legend, canvas);
  plots.append(panel);
  return { one, panel, name, said, canvas };
});

function context(canvas, height) {
  const [width, ratio] = [canvas.parentElement.clientWidth, window.devicePixelRatio || 1];
  canvas.style.height = `${height}px`;
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.font = "11px system-ui, 'DejaVu Sans', sans-serif";
  return [pen, width];
}

function draw() {
  const shown = panels.filter(({ one }) => one.shown);
  const height = shown.length <= 2 ? 220 : shown.length <= 4 ? 150 : 92;
  for (const { one, panel } of panels) panel.hidden = !one.shown;
  shown.forEach((panel, row) => {
    const last = row + 1 === shown.length;
    const [pen, width] = context(panel.canvas, height + (last ? FOOT : 4));
    panel.name.style.color = colourOf(panel.one);
    drawPanel(pen, panel.one, { left: LEFT, right: width - RIGHT, top: 3, bottom: height }, row === 0, last);
  });
  return shown.length;
}

function drawPanel(pen, one, box, first, last) {
  const whole = !find("fit").checked;
  const [low, high] = whole ? reach(one, 0, end) : reach(one, view.low, view.high);
  const x = (index) => box.left + ((index - view.low) / (view.high - view.low)) * (box.right - box.left);
  const y = (value) => box.bottom - ((value - low) / (high - low)) * (box.bottom - box.top);
  pen.textBaseline = "middle";
  pen.textAlign = "right";
  for (const [at, text] of ticks(low, high, Math.max(2, (box.bottom - box.top) / 26))) {
    rule(pen, box.left, y(at), box.right, y(at), colour("line"));
    pen.fillStyle = colour("faint");
    pen.fillText(text, box.left - 6, y(at));
  }
  pen.textAlign = "center";
  const most = Math.max(2, (box.right - box.left) / 90);
  for (const [at, text] of ticks(place(view.low), place(view.high), most)) {
    const column = x(indexAt(at));
    rule(pen, column, box.top, column, box.bottom, colour("line"));
    pen.fillStyle = colour("faint");
    if (last) pen.fillText(text, column, box.bottom + 10);
  }
  if (last) pen.fillText(data.rate ? "time / s" : "sample", (box.left + box.right) / 2, box.bottom + 26);
  pen.save();
  pen.beginPath();
  pen.rect(box.left, box.top, box.right - box.left, box.bottom - box.top);
  pen.clip();
  curve(pen, one, x, y);
  // Over the curve, which so never crosses what is missing.
  pen.fillStyle = colour("hole");
  for (const [from, to] of one.holes) {
    pen.fillRect(x(from), box.top, Math.max(2, x(to) - x(from)), box.bottom - box.top);
  }
  pen.restore();
  pen.strokeStyle = colour("line");
  pen.strokeRect(box.left + 0.5, box.top + 0.5, box.right - box.left - 1, box.bottom - box.top - 1);
  marks(pen, box, x, first);
}

function rule(pen, x1, y1, x2, y2, stroke) {
  pen.strokeStyle = stroke;
  pen.lineWidth = 1;
  pen.beginPath();
  pen.moveTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5);
  pen.lineTo(Math.round(x2) + 0.5, Math.round(y2) + 0.5);
  pen.stroke();
}

// Each bucket: its whole height, and a line through its first and last sample.
function curve(pen, one, x, y) {
  const [from, to] = within(one, view.low, view.high);
  const wide = x(one.width) - x(0) > 1.5;
  let down = false;
  pen.beginPath();
  for (let n = Math.max(0, from - 1); n < Math.min(one.count, to + 1); n += 1) {
    const index = one.from + n * one.width;
    const [left, right] = [x(index), x(Math.max(index, Math.min(index + one.width, one.end) - 1))];
    if (Number.isNaN(one.least[n])) {
      down = false;
      continue;
    }
    down ? pen.lineTo(left, y(one.first[n])) : pen.moveTo(left, y(one.first[n]));
    if (!down && one.width === 1) pen.lineTo(left + 0.8, y(one.first[n]));
    if (!wide && one.width > 1) {
      pen.lineTo(left, y(one.least[n]));
      pen.lineTo(left, y(one.greatest[n]));
    }
    if (one.width > 1) pen.lineTo(right, y(one.last[n]));
    down = true;
  }
  pen.lineWidth = 1.2;
  pen.lineJoin = "round";
  pen.strokeStyle = colourOf(one);
  pen.stroke();
  if (!wide || one.width === 1) return;
  pen.globalAlpha = 0.3;
  pen.fillStyle = colourOf(one);
  for (let n = from; n < to; n += 1) {
    const index = one.from + n * one.width;
    const top = y(one.greatest[n]);
    pen.fillRect(x(index), top, x(index + one.width) - x(index), Math.max(1, y(one.least[n]) - top));
  }
  pen.globalAlpha = 1;
}

function marks(pen, box, x, named) {
  let free = box.left;
  pen.textAlign = "left";
  for (const mark of data.marks) {
    const column = x(indexAt(mark.at));
    if (column < box.left || column > box.right) continue;
    const ink = mark.kind === "overload" ? colour("alarm") : colour("faint");
    pen.setLineDash([4, 3]);
    rule(pen, column, box.top, column, box.bottom, ink);
    pen.setLineDash([]);
    const width = pen.measureText(mark.text).width + 6;
    const begin = Math.min(column + 3, box.right - width);
    if (!named || begin < free) continue;
    pen.fillStyle = ink;
    pen.fillText(mark.text, begin, box.top + 8);
    free = begin + width;
  }
}
