//! The Redis adapter obeys the law of the ports, on every way to a server.

use std::sync::Arc;

use lucihub_testkit::HotHarness;

use crate::harness::{harness, options, plain};

async fn tcp() -> Arc<dyn HotHarness> {
    let server = plain();
    harness(options(&server.url()), server).await
}

lucihub_testkit::hot_conformance!(single, tcp());
