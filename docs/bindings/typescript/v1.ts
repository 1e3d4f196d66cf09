// Written by `cargo xtask codegen` with json-schema-to-typescript. Change the models in Rust, not this file.

/**
 * Any document of version 1.
 */
export type Document = RunDocument | DeviceDocument;
/**
 * The name of a device.
 */
export type DeviceId = string;
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
 * The state of a run; unknown words are kept.
 */
export type RunState = string;
/**
 * UTC, whole microseconds, RFC 3339.
 */
export type Timestamp = string;
/**
 * The type of job; unknown words are kept.
 */
export type JobType = string;
/**
 * The type of device; unknown words are kept.
 */
export type DeviceType = string;

/**
 * A run of version 1, as a document that says its version first.
 */
export interface RunDocument {
  run: Run;
  /**
   * The version of the document.
   */
  version: "v1";
}
/**
 * A run: the whole record of one job.
 */
export interface Run {
  /**
   * The number of channels, at most 65,536 in a document. Unit: channel.
   */
  channels: number;
  /**
   * The device it ran on.
   */
  device_id: DeviceId;
  /**
   * Its identity.
   */
  id: RunId;
  /**
   * The input.
   */
  input: Json;
  /**
   * The type of the input.
   */
  input_type: InputType;
  /**
   * The log, a line each.
   */
  logs: string[];
  /**
   * The measurements, a list per channel, in machine units. Unit: machine unit.
   */
  measurements: number[][];
  /**
   * The output, once there is one.
   */
  output?: Json;
  /**
   * The state changes, in order.
   */
  states: StateChange[];
  /**
   * The type of job.
   */
  type: JobType;
}
/**
 * One change of state.
 */
export interface StateChange {
  /**
   * The state from then on.
   */
  status: RunState;
  /**
   * When it changed.
   */
  timestamp: Timestamp;
}
/**
 * A device of version 1, as a document that says its version first.
 */
export interface DeviceDocument {
  device: Device;
  /**
   * The version of the document.
   */
  version: "v1";
}
/**
 * A device: a machine that runs jobs.
 */
export interface Device {
  /**
   * Its name.
   */
  id: DeviceId;
  /**
   * The type of input it takes.
   */
  input_type: InputType;
  /**
   * What a valid input looks like.
   */
  parameter_schema: Json;
  /**
   * The kind of machine.
   */
  type: DeviceType;
}
