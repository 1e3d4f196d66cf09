// The phase portrait: one channel over another, in the stretch that is looked at.

function axes() {
  const [across, up] = [find("across"), find("up")];
  for (const [select, chosen] of [[across, 0], [up, Math.min(2, series.length - 1)]]) {
    series.forEach((one) => select.append(new Option(one.name, one.number, false, one.number === chosen)));
    select.addEventListener("change", again);
  }
}

// The first sample of each bucket is a sample at a known index: every n-th of the run.
function points(a, b) {
  const every = Math.max(a.width, b.width);
  const all = [];
  const first = Math.max(0, Math.ceil(view.low / every)) * every;
  for (let index = first; index < Math.min(view.high, a.end, b.end); index += every) {
    const [n, m] = [(index - a.from) / a.width, (index - b.from) / b.width];
    const [x, y] = [a.first[n], b.first[m]];
    const torn = [a, b].some((one) => one.holes.some(([from, to]) => from <= index && index - every < to));
    if (torn) all.push(null);
    const missing = holeAt(a, index) || holeAt(b, index) || !Number.isFinite(x) || !Number.isFinite(y);
    all.push(missing ? null : [x, y]);
  }
  return [all, every];
}

function drawPortrait() {
  const canvas = find("portrait");
  if (series.length < 2) return 0;
  const [a, b] = [series[find("across").value], series[find("up").value]];
  const [all, every] = points(a, b);
  const [pen, wide] = context(canvas, 420);
  const box = { left: LEFT, right: wide - RIGHT, top: 6, bottom: 420 - FOOT };
  const known = all.filter((point) => point !== null);
  const wider = (n) => ([least, greatest], point) => [Math.min(least, point[n]), Math.max(greatest, point[n])];
  const bounds = (n) => around(...known.reduce(wider(n), [Infinity, -Infinity]));
  const [[left, right], [low, high]] = [bounds(0), bounds(1)];
  const x = (value) => box.left + ((value - left) / (right - left)) * (box.right - box.left);
  const y = (value) => box.bottom - ((value - low) / (high - low)) * (box.bottom - box.top);
  pen.textBaseline = "middle";
  for (const [at, text] of ticks(left, right, 5)) {
    rule(pen, x(at), box.top, x(at), box.bottom, colour("line"));
    pen.textAlign = "center";
    pen.fillStyle = colour("faint");
    pen.fillText(text, x(at), box.bottom + 10);
  }
  for (const [at, text] of ticks(low, high, 6)) {
    rule(pen, box.left, y(at), box.right, y(at), colour("line"));
    pen.textAlign = "right";
    pen.fillStyle = colour("faint");
    pen.fillText(text, box.left - 6, y(at));
  }
  pen.textAlign = "center";
  pen.fillText(`${b.name} over ${a.name}`, (box.left + box.right) / 2, box.bottom + 26);
  // A line between points that lie far apart would be an invention.
  const steps = all.slice(1).map((p, n) => [all[n], p]).filter(([p, q]) => p && q);
  const step = ([p, q]) => Math.max(Math.abs(q[0] - p[0]) / (right - left), Math.abs(q[1] - p[1]) / (high - low));
  const far = steps.map(step);
  const joined = far.length > 0 && (every === 1 || far.sort((p, q) => p - q)[far.length >> 1] <= 0.05);
  pen.strokeStyle = pen.fillStyle = colourOf(b);
  pen.globalAlpha = 0.75;
  pen.beginPath();
  let down = false;
  for (const point of all) {
    if (point === null) down = false;
    else if (!joined) pen.fillRect(x(point[0]) - 0.8, y(point[1]) - 0.8, 1.6, 1.6);
    else {
      down ? pen.lineTo(x(point[0]), y(point[1])) : pen.moveTo(x(point[0]), y(point[1]));
      down = true;
    }
  }
  pen.stroke();
  pen.globalAlpha = 1;
  const how = every === 1 ? "every sample" : `every ${every}th sample${joined ? ", joined" : ""}`;
  find("portrayed").textContent = `${how}, of the stretch shown above`;
  return 1;
}
