// Written by `cargo xtask codegen` with json-schema-to-typescript. Change the models in Rust, not this file.

/**
 * Any document of version 2.
 */
export type Document = RunDocument | DeviceDocument | HeadDocument;
/**
 * UTC, whole microseconds, RFC 3339.
 */
export type Timestamp = string;
/**
 * The name of a device.
 */
export type DeviceId = string;
/**
 * The type of device; unknown words are kept.
 */
export type DeviceType = string;
/**
 * A 64-bit float, bit for bit. NaN and infinities are the 16 hexadecimal digits of their bits.
 */
export type ExactF64 = number | string;
/**
 * The identity of one execution.
 *
 * New ids are UUIDv7, so that they sort by creation; any UUID is accepted.
 */
export type RunId = string;
/**
 * Any JSON value; its bytes are kept.
 */
export type Json = unknown;
/**
 * The type of input; unknown words are kept.
 */
export type InputType = string;
/**
 * The phase of a carrier; unknown words are kept.
 */
export type Phase = string;
/**
 * The kind of relation; unknown words are kept.
 */
export type RelationKind = string;
/**
 * The state of a run; unknown words are kept.
 */
export type RunState = string;
/**
 * The type of job; unknown words are kept.
 */
export type JobType = string;
/**
 * The cause of a gap; unknown words are kept.
 */
export type GapCause = string;

/**
 * A run of version 2, as a document that says its version first.
 */
export interface RunDocument {
  run: Run;
  /**
   * The version of the document.
   */
  version: "v2";
}
/**
 * A whole run, assembled on demand.
 */
export interface Run {
  /**
   * Everything but log lines and samples.
   */
  head: RunHead;
  /**
   * The log.
   */
  logs?: LogLine[];
  /**
   * The samples, a series per channel.
   */
  series?: Series[];
  [k: string]: unknown;
}
/**
 * The head of a run: everything but log lines and samples.
 *
 * It is what hot storage caches and cold storage embeds, as one type.
 */
export interface RunHead {
  /**
   * The channels; a channel's number is its place.
   */
  channels?: Channel[];
  /**
   * When it was created.
   */
  created_at: Timestamp;
  /**
   * The device it runs on, if the job needs one.
   */
  device?: DeviceId | null;
  /**
   * The kind of that device.
   */
  device_type?: DeviceType | null;
  /**
   * The digest of the device's entity tree.
   */
  entity_digest?: string | null;
  /**
   * What went wrong, for people.
   */
  error?: string | null;
  /**
   * What elements read when the run had ended.
   */
  final_values?: FinalValue[];
  /**
   * The device's firmware.
   */
  firmware?: string | null;
  /**
   * The size of its cells in cold storage, fixed when it is created.
   */
  grid?: Grid;
  /**
   * How long integrators load their initial values, in nanoseconds. Unit: ns.
   */
  ic_time_ns?: number | null;
  /**
   * Its identity.
   */
  id: RunId;
  /**
   * The input, byte for byte.
   */
  input?: Json;
  /**
   * The type of the input.
   */
  input_type?: InputType | null;
  /**
   * The time scale factor of the integrators.
   */
  k0?: number | null;
  /**
   * Names and values for people and tools.
   */
  labels?: {
    [k: string]: string;
  };
  /**
   * How long it shall integrate, in nanoseconds. Unit: ns.
   */
  op_time_ns?: number | null;
  /**
   * The output, byte for byte, once there is one.
   */
  output?: Json;
  /**
   * The overloads, in order of arrival.
   */
  overloads?: Overload[];
  /**
   * Whose run it is: an opaque name, never a credential.
   */
  owner?: string | null;
  /**
   * The id of the parameter schema that the input was checked against.
   */
  parameter_schema?: string | null;
  /**
   * The device's phases, in order of arrival.
   */
  phases?: PhaseChange[];
  /**
   * Greater goes first; 0 if absent.
   */
  priority?: number | null;
  /**
   * The runs it belongs to.
   */
  related_to?: Relation[];
  /**
   * The state changes, in order of application.
   */
  states: StateChange[];
  /**
   * How sample indices become times.
   */
  time_base?: TimeBase | null;
  /**
   * The type of job.
   */
  type: JobType;
  /**
   * The worker that executes it.
   */
  worker?: string | null;
  [k: string]: unknown;
}
/**
 * One channel. Its number is its place in the run's list, from 0.
 */
export interface Channel {
  /**
   * The carrier it is measured on, by MAC.
   */
  carrier?: string | null;
  /**
   * A name for people.
   */
  name?: string | null;
  /**
   * The probe on the carrier, for example the ADC input.
   */
  probe?: string | null;
  /**
   * The unit of its values; machine units if absent.
   */
  unit?: string | null;
  [k: string]: unknown;
}
/**
 * What an element read when the run had ended.
 */
export interface FinalValue {
  /**
   * Which element, by its path on the device.
   */
  element: string;
  /**
   * The value, in machine units, bit for bit. Unit: machine unit.
   */
  value: ExactF64;
  [k: string]: unknown;
}
/**
 * The size of a run's cells: cell `k` holds the indices `[k * size, (k + 1) * size)`.
 *
 * Coordinates are closed: a field more would change what they mean, so it needs a new version, and a document that has one is refused.
 */
export interface Grid {
  /**
   * Log lines per cell. Unit: line.
   */
  lines: number;
  /**
   * Samples per cell and channel: a power of two. Unit: sample.
   */
  samples: number;
}
/**
 * A computing element left its range.
 */
export interface Overload {
  /**
   * When the message came, by the worker's clock.
   */
  at: Timestamp;
  /**
   * Which element, by its path on the device.
   */
  element: string;
  /**
   * The sample index at that moment, if it is known. Unit: sample.
   */
  sample?: number | null;
  [k: string]: unknown;
}
/**
 * A carrier changed its phase.
 */
export interface PhaseChange {
  /**
   * When the message came, by the worker's clock.
   */
  at: Timestamp;
  /**
   * Which carrier, by MAC; all of them if absent.
   */
  carrier?: string | null;
  /**
   * The device's own time, in nanoseconds since it took the run. Unit: ns.
   */
  device_ns?: number | null;
  /**
   * The phase from then on.
   */
  phase: Phase;
  [k: string]: unknown;
}
/**
 * That a run belongs to another.
 */
export interface Relation {
  /**
   * How.
   */
  kind: RelationKind;
  /**
   * The other run.
   */
  run: RunId;
  [k: string]: unknown;
}
/**
 * One change of state. The order of changes is the order of application, never that of their times.
 */
export interface StateChange {
  /**
   * When it changed, by the clock of who changed it.
   */
  at: Timestamp;
  /**
   * Why, in a sentence.
   */
  reason?: string | null;
  /**
   * The state from then on.
   */
  state: RunState;
  [k: string]: unknown;
}
/**
 * How a sample index becomes a time: `t = origin_s + index / rate_hz`. Closed, as all coordinates are.
 */
export interface TimeBase {
  /**
   * The time of sample 0, in seconds from the start of OP. Unit: s.
   */
  origin_s?: number;
  /**
   * Samples per second and channel. Unit: Hz.
   */
  rate_hz: number;
}
/**
 * One line of a run's log.
 *
 * Its text is any Unicode: newline, U+2028 and NUL are characters like others and come back as part of this one line.
 */
export interface LogLine {
  /**
   * When it was written. Version 1 did not know.
   */
  at?: Timestamp | null;
  /**
   * The length in bytes before the recorder cut it to the limit. Unit: byte.
   */
  cut_from?: number | null;
  /**
   * How grave it is, in the writer's words.
   */
  level?: string | null;
  /**
   * Which part wrote it.
   */
  source?: string | null;
  /**
   * The text.
   */
  text: string;
  [k: string]: unknown;
}
/**
 * The samples of one channel over `[first, end)`.
 *
 * `values` holds the samples that exist, in order of index; the indices in `gaps` have none. So a NaN that was measured never reads as a gap.
 *
 * Reading one from a document refuses a range, gaps and values that do not agree.
 */
export interface Series {
  /**
   * The index after the range. Unit: sample.
   */
  end: number;
  /**
   * The first index of the range. Unit: sample.
   */
  first?: number;
  /**
   * Where samples are missing, ascending, inside the range.
   */
  gaps?: Gap[];
  /**
   * The samples that exist, in machine units unless the channel says otherwise. Unit: machine unit.
   */
  values: ExactF64[];
}
/**
 * A stretch of indices without samples. Closed, as all coordinates are.
 */
export interface Gap {
  /**
   * Why they are missing.
   */
  cause: GapCause;
  /**
   * The index after the last missing one. Unit: sample.
   */
  end: number;
  /**
   * The first missing index. Unit: sample.
   */
  first: number;
  /**
   * Whether the length is a conclusion rather than known.
   */
  inferred?: boolean;
}
/**
 * A device of version 2, as a document that says its version first.
 */
export interface DeviceDocument {
  device: Device;
  /**
   * The version of the document.
   */
  version: "v2";
}
/**
 * A device in the registry. It stays when the device leaves.
 *
 * The scanner owns what was seen (`device_type`, `firmware`, `entity_digest`, `seen_at`), the operator owns `input_type` and `parameter_schema`; neither overwrites the other.
 */
export interface Device {
  /**
   * The digest of its entity tree.
   */
  entity_digest?: string | null;
  /**
   * Its firmware.
   */
  firmware?: string | null;
  /**
   * Its name.
   */
  id: DeviceId;
  /**
   * The type of input it takes.
   */
  input_type?: InputType | null;
  /**
   * What a valid input looks like.
   */
  parameter_schema?: Json;
  /**
   * When a scanner last saw it.
   */
  seen_at?: Timestamp | null;
  /**
   * The kind of machine.
   */
  type: DeviceType;
  [k: string]: unknown;
}
/**
 * A head of version 2, as a document that says its version first.
 */
export interface HeadDocument {
  head: RunHead;
  /**
   * The version of the document.
   */
  version: "v2";
}
