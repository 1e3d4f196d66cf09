//! Being asked to stop.

use tokio::sync::watch;

/// How often the person has pressed Ctrl-C, counted from when this is made.
#[derive(Debug)]
pub(crate) struct Interrupts(watch::Receiver<u32>);

impl Interrupts {
    /// Counts from now on; from now on Ctrl-C does not end the process by itself.
    pub(crate) fn count() -> Self {
        let (count, seen) = watch::channel(0);
        let mut presses = Presses::listen();
        tokio::spawn(async move {
            while presses.next().await {
                count.send_modify(|times| *times += 1);
            }
        });
        Self(seen)
    }

    /// Ready once it was pressed so often.
    pub(crate) async fn pressed(&self, often: u32) {
        if self.0.clone().wait_for(|times| *times >= often).await.is_err() {
            // Nobody counts any more, so nobody can press it.
            std::future::pending::<()>().await;
        }
    }

    /// Whether it was pressed.
    pub(crate) fn any(&self) -> bool {
        *self.0.borrow() > 0
    }
}

/// Every single Ctrl-C, from when this is made.
struct Presses(#[cfg(unix)] Option<tokio::signal::unix::Signal>);

impl Presses {
    #[cfg(unix)]
    fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self(signal(SignalKind::interrupt()).ok())
    }

    #[cfg(unix)]
    async fn next(&mut self) -> bool {
        match &mut self.0 {
            Some(signals) => signals.recv().await.is_some(),
            None => false,
        }
    }

    #[cfg(not(unix))]
    const fn listen() -> Self {
        Self()
    }

    #[cfg(not(unix))]
    async fn next(&mut self) -> bool {
        tokio::signal::ctrl_c().await.is_ok()
    }
}

/// Ready at the first Ctrl-C, and at the first SIGTERM where there is one.
pub(crate) async fn asked() {
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated() => {}
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut signals) => {
            signals.recv().await;
        }
        // Without a handler the signal ends the process itself.
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}
