//! The recipe's steps as files and edits: version 3 of devices. Their order is that of the front page of core.

/// A file of the copy, made from one in `xtask/recipe`.
#[derive(Debug)]
pub(super) struct NewFile {
    pub(super) file: &'static str,
    pub(super) text: &'static str,
}

/// One place of a file, edited.
#[derive(Debug)]
pub(super) struct Edit {
    pub(super) file: &'static str,
    pub(super) find: &'static str,
    pub(super) with: &'static str,
}

/// Steps 1, 5 and 6.
pub(super) const FILES: &[NewFile] = &[
    NewFile { file: "crates/lucihub-models-core/src/v3/mod.rs", text: include_str!("../../recipe/v3/mod.rs") },
    NewFile { file: "crates/lucihub-models-core/src/v3/device.rs", text: include_str!("../../recipe/v3/device.rs") },
    NewFile { file: "crates/lucihub-models-core/tests/v3.rs", text: include_str!("../../recipe/v3.rs") },
    NewFile {
        file: "docs/schemas/v3/examples/device-several-carriers.json",
        text: include_str!("../../recipe/device-several-carriers.json"),
    },
];

const VERSION: &str = "crates/lucihub-models-core/src/version.rs";
const LATEST: &str = "crates/lucihub-models-core/src/latest.rs";
const ANY: &str = "crates/lucihub-models-core/src/any.rs";

/// Steps 2 to 4.
pub(super) const EDITS: &[Edit] = &[
    Edit { file: VERSION, find: "    V2,\n}\n", with: "    V2,\n    /// Devices of several carriers.\n    V3,\n}\n" },
    Edit { file: VERSION, find: "&[Self::V1, Self::V2]", with: "&[Self::V1, Self::V2, Self::V3]" },
    Edit {
        file: VERSION,
        find: "Self::V2 => \"v2\",\n",
        with: "Self::V2 => \"v2\",\n            Self::V3 => \"v3\",\n",
    },
    Edit { file: "crates/lucihub-models-core/src/lib.rs", find: "pub mod v2;\n", with: "pub mod v2;\npub mod v3;\n" },
    Edit { file: LATEST, find: " Device, FinalValue,", with: " FinalValue," },
    Edit { file: LATEST, find: "pub use crate::v2::{", with: "pub use crate::v3::Device;\npub use crate::v2::{" },
    Edit { file: ANY, find: "use crate::{v1, v2};", with: "use crate::{v1, v2, v3};" },
    Edit {
        file: ANY,
        find: "AnyDevice, Device, \"device\", newest V2 { V1 = \"v1\" => v1, V2 = \"v2\" => v2 }",
        with: "AnyDevice, Device, \"device\", newest V3 { V1 = \"v1\" => v1, V2 = \"v2\" => v2, V3 = \"v3\" => v3 }",
    },
    Edit {
        file: ANY,
        find: "            Self::V1(device) => v2::Device::from(device),\n            Self::V2(device) => device,\n",
        with: "            Self::V1(device) => v2::Device::from(device).into(),\n            \
               Self::V2(device) => v3::Device::from(device),\n            Self::V3(device) => device,\n",
    },
    Edit {
        file: ANY,
        find: "            Self::V2(device) => v1::Device::try_from(device).map(Self::V1),\n",
        with: "            Self::V2(device) => v1::Device::try_from(device).map(Self::V1),\n            \
               Self::V3(device) => v2::Device::try_from(device).map(Self::V2),\n",
    },
];
