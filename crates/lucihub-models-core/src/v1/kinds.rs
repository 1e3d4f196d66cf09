//! The words for kinds of jobs, inputs and devices.

use crate::open_text::open_text;

open_text! {
    /// What a run does. The list is open.
    JobType, "The type of job" {
        /// Compile an input to a module for a device.
        Compile = "compile",
        /// Execute on a device.
        Run = "run",
        /// Execute and compare with an earlier run.
        Verify = "verify",
        /// Execute on a digital model of a device.
        Simulate = "simulate",
    }
}

open_text! {
    /// What form an input has. The list is open.
    InputType, "The type of input" {
        /// ODE text.
        Analang = "analang",
        /// A protobuf module, base64.
        Apb = "apb",
        /// Configuration JSON of a circuit.
        Circuit = "circuit",
        /// Configuration JSON of a single carrier.
        Lucipy = "lucipy",
    }
}

open_text! {
    /// What kind of machine a device is. The list is open.
    DeviceType, "The type of device" {
        /// One carrier.
        Lucidac = "LUCIDAC",
        /// One to many carriers.
        Redac = "REDAC",
        /// A digital model.
        Simulator = "SIMULATOR",
    }
}
