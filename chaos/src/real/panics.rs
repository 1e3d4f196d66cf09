//! Panics, wherever they happen: counted, and printed as ever.

use std::sync::atomic::{AtomicU64, Ordering};

static COUNT: AtomicU64 = AtomicU64::new(0);

/// With which a process ends in which something panicked: that of a main thread which did.
pub(crate) const CODE: i32 = 101;

/// Counts from now on.
pub(crate) fn watch() {
    then(count);
}

/// Ends this process with the first one, in whichever of its threads or tasks that is.
pub(crate) fn end() {
    then(|| std::process::exit(CODE));
}

fn then(also: impl Fn() + Send + Sync + 'static) {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        before(info);
        also();
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
