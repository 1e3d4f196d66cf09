// Written by `cargo xtask codegen`. Change the models in Rust, not this file.

import type * as v1 from "./v1.js";
import type * as v2 from "./v2.js";

export type { v1, v2 };

/** A run of any version; `version` says which. */
export type AnyRun = v1.RunDocument | v2.RunDocument;

/** A device of any version; `version` says which. */
export type AnyDevice = v1.DeviceDocument | v2.DeviceDocument;

/** A head of any version; `version` says which. */
export type AnyHead = v2.HeadDocument;
