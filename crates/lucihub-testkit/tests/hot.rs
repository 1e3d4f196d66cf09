//! The hot suite on the reference store, bare and behind a fault wrapper without faults.

use lucihub_testkit::reference::hot::{faulty_harness, harness};
use lucihub_testkit::{FaultPlan, hot_conformance};

hot_conformance!(reference, harness());
hot_conformance!(behind_faulty, faulty_harness(FaultPlan::none()));
