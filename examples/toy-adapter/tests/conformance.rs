//! The toy keeps the law of every hot port.

mod harness;

lucihub_testkit::hot_conformance!(toy, crate::harness::harness());
