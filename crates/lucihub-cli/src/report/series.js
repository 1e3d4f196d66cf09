"use strict";
// What was measured, as the page brings it: buckets of equal width, or every sample where there is room for all.

const data = JSON.parse(document.getElementById("measured").textContent);

// Seconds from the start of OP, or the sample's number where the run has no time base.
const place = (index) => (data.rate ? data.origin + index / data.rate : index);
const indexAt = (x) => (data.rate ? (x - data.origin) * data.rate : x);

const series = data.channels.map((channel, number) => {
  const bytes = Uint8Array.from(atob(channel.values), (c) => c.charCodeAt(0)).buffer;
  const made = { number, name: channel.name, unit: channel.unit, holes: channel.holes };
  Object.assign(made, { from: channel.first, end: channel.end, width: channel.width, shown: number < 8 });
  if (channel.width === 1) {
    const all = new Float64Array(bytes);
    return Object.assign(made, { count: all.length, least: all, greatest: all, first: all, last: all });
  }
  const all = new Float32Array(bytes);
  const count = all.length / 4;
  const plane = (n) => all.subarray(n * count, (n + 1) * count);
  return Object.assign(made, { count, least: plane(0), greatest: plane(1), first: plane(2), last: plane(3) });
});

// The buckets that reach into a range of indices.
function within(one, low, high) {
  const from = Math.max(0, Math.floor((low - one.from) / one.width));
  return [from, Math.min(one.count, Math.ceil((high - one.from) / one.width))];
}

const holeAt = (one, index) => one.holes.find(([first, end]) => first <= index && index < end);

// An axis with a little room around what is drawn.
function around(low, high) {
  if (!(low <= high)) return [-1, 1];
  const room = high > low ? (high - low) * 0.06 : Math.abs(high) * 0.1 || 1;
  return [low - room, high + room];
}

function reach(one, low, high) {
  let [least, greatest] = [Infinity, -Infinity];
  const [from, to] = within(one, low, high);
  for (let n = from; n < to; n += 1) {
    if (one.least[n] < least) least = one.least[n];
    if (one.greatest[n] > greatest) greatest = one.greatest[n];
  }
  return around(least, greatest);
}

// Round numbers on an axis, and as many decimals as tell them apart.
function ticks(low, high, most) {
  const rough = (high - low) / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((round) => rough <= round * power * 1.000001);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const far = Math.max(Math.abs(low), Math.abs(high));
  const text = (at) => (decimals > 7 || far >= 1e9 ? at.toExponential(3) : at.toFixed(Math.min(decimals, 20)));
  const all = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9 && all.length <= most + 2; n += 1) {
    all.push([n * step, text(n === 0 ? 0 : n * step)]);
  }
  return all;
}

const number = (value) => (Number.isNaN(value) ? "NaN" : String(Number(value.toPrecision(7))));
