// Reads documents as the generated types, looks at them as a user would, and writes them again; then makes one.
//
// Arguments: a file with a kind and a document per line, parted by a tab, and the file to write.

import { readFileSync, writeFileSync } from "node:fs";
import { LosslessNumber, parse, stringify } from "lossless-json";
import type { AnyDevice, AnyHead, AnyRun, v2 } from "./lucihub/index.js";

/** A number, or its text where a number would lose something: -0 in writing, and integers past 2^53. */
function numberOrText(text: string): number | LosslessNumber {
  const value = Number(text);
  const whole = /^-?\d+$/.test(text);
  const exact = whole ? Number.isSafeInteger(value) : true;
  return exact && !Object.is(value, -0) ? value : new LosslessNumber(text);
}

/** The present state, whatever the version. */
function state(document: AnyRun): string | undefined {
  switch (document.version) {
    case "v1":
      return document.run.states.at(-1)?.status;
    case "v2":
      return document.run.head.states.at(-1)?.state;
    default: {
      const never: never = document;
      throw new Error(`no version that is known here: ${stringify(never)}`);
    }
  }
}

function assert(holds: unknown, what: string): void {
  if (!holds) throw new Error(what);
}

function samples(series: v2.Series): void {
  const missing = (series.gaps ?? []).reduce((sum, gap) => sum + gap.end - gap.first, 0);
  assert(series.end - (series.first ?? 0) === missing + series.values.length, "samples and gaps fill the range");
}

function look(kind: string, document: unknown): void {
  switch (kind) {
    case "run": {
      const run = document as AnyRun;
      assert(state(run), "a state is a word");
      if (run.version === "v2") (run.run.series ?? []).forEach(samples);
      return;
    }
    case "device": {
      const device = (document as AnyDevice).device;
      assert(device.id && device.type, "a device has a name and a type");
      return;
    }
    case "head":
      assert(Date.parse((document as AnyHead).head.created_at), "a time is RFC 3339");
      return;
    default:
      throw new Error(`no kind of document is called ${kind}`);
  }
}

/** A run from nothing. */
const at = "2026-11-23T17:30:00.250000Z";
const made: v2.RunDocument = {
  version: "v2",
  run: {
    head: {
      id: "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e",
      type: "run",
      created_at: at,
      states: [{ state: "queued", at }],
      input: { ic: new LosslessNumber("-0.0"), none: null },
      labels: { "made in": "TypeScript" },
    },
  },
};

const [given, written] = process.argv.slice(2);
if (given === undefined || written === undefined) throw new Error("give the file to read and the file to write");
const lines = readFileSync(given, "utf8").split("\n").filter((line) => line !== "");
const back = lines.map((line) => {
  const [kind = "", text = ""] = line.split(/\t(.*)/s);
  const document = parse(text, undefined, numberOrText);
  look(kind, document);
  return `${kind}\t${stringify(document)}\n`;
});
writeFileSync(written, back.join("") + `run\t${stringify(made)}\n`);
