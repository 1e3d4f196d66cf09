//! Panics, wherever they happen: counted, and printed as ever.

use std::sync::atomic::{AtomicU64, Ordering};

static COUNT: AtomicU64 = AtomicU64::new(0);

/// Counts from now on.
pub(crate) fn watch() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        count();
        before(info);
    }));
}

/// One more, in a process of ours.
pub(crate) fn count() {
    COUNT.fetch_add(1, Ordering::SeqCst);
}

/// How many there were.
pub(crate) fn counted() -> u64 {
    COUNT.load(Ordering::SeqCst)
}
