//! Which operations fail, and how.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lucihub_models_core::{Result, StoreError};

/// Which operations fail, counted from 1 over all stores that share the plan.
///
/// Clones are handles to the same plan, so a test may add faults while the
/// wrapped stores are in use. Reads count like writes; a read that fails, or
/// whose answer is lost, is `Unavailable`.
///
/// ```
/// use lucihub_testkit::FaultPlan;
/// let plan = FaultPlan::none().fail_nth(3).down(10..13);
/// assert_eq!(plan.operations(), 0);
/// ```
#[derive(Debug, Clone, Default)]
pub struct FaultPlan(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    faults: Vec<(Range<u64>, Fault)>,
    hanging: Vec<&'static str>,
    held: Vec<&'static str>,
    log: Vec<&'static str>,
    injected: u64,
}

/// What happens to one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// It never reaches the store.
    Before,
    /// It is applied, and its answer is lost.
    After,
    /// The store refuses it for a reason that does not pass by itself.
    Refused,
    /// It never reaches the store, and no answer comes.
    Never,
    /// It reaches the store once it is let go on.
    Held,
}

impl FaultPlan {
    /// A plan without faults; it still counts.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The operation with this number fails before it is applied: `Unavailable`.
    #[must_use]
    pub fn fail_nth(self, n: u64) -> Self {
        self.add(n..n.saturating_add(1), Fault::Before)
    }

    /// The answer of the operation with this number is lost after it was
    /// applied: `Unknown`.
    #[must_use]
    pub fn lose_nth(self, n: u64) -> Self {
        self.add(n..n.saturating_add(1), Fault::After)
    }

    /// All operations with numbers in a range fail before they are applied.
    #[must_use]
    pub fn down(self, numbers: Range<u64>) -> Self {
        self.add(numbers, Fault::Before)
    }

    /// Every operation from now on fails before it is applied, until [`FaultPlan::mend`].
    pub fn go_down(&self) {
        self.go_on_with(Fault::Before);
    }

    /// Every operation from now on is refused with `Precondition`, until [`FaultPlan::mend`].
    pub fn refuse(&self) {
        self.go_on_with(Fault::Refused);
    }

    /// Operations of this name, like `hot.note`, get no answer from now on, until [`FaultPlan::mend`]; those that are under
    /// way by then never get one.
    pub fn hang(&self, name: &'static str) {
        self.lock().hanging.push(name);
    }

    /// Operations of this name wait from now on, and reach the store with [`FaultPlan::mend`]: so a test decides what comes
    /// first.
    pub fn hold(&self, name: &'static str) {
        self.lock().held.push(name);
    }

    /// Takes every fault back.
    pub fn mend(&self) {
        let mut inner = self.lock();
        inner.faults.clear();
        inner.hanging.clear();
        inner.held.clear();
    }

    /// Waits until an operation of this name has come, as often as that.
    pub async fn seen(&self, name: &str, times: usize) {
        while self.lock().log.iter().filter(|seen| **seen == name).count() < times {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// How many operations there were, failed ones included.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.lock().log.len() as u64
    }

    /// How many faults were injected: a test that injected none shows nothing.
    #[must_use]
    pub fn injected(&self) -> u64 {
        self.lock().injected
    }

    /// The names of the operations so far, like `hot.append` or `cold.commit`.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.lock().log.iter().map(|&name| name.to_owned()).collect()
    }

    fn go_on_with(&self, fault: Fault) {
        let mut inner = self.lock();
        let next = inner.log.len() as u64 + 1;
        inner.faults.push((next..u64::MAX, fault));
    }

    fn add(self, numbers: Range<u64>, fault: Fault) -> Self {
        self.lock().faults.push((numbers, fault));
        self
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it is held; a poisoned plan is still a plan.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an operation and says what happens to it: the first fault that was added wins.
    fn next(&self, name: &'static str) -> (u64, Option<Fault>) {
        let mut inner = self.lock();
        inner.log.push(name);
        let number = inner.log.len() as u64;
        let hangs = inner.hanging.contains(&name).then_some(Fault::Never);
        let hangs = hangs.or(inner.held.contains(&name).then_some(Fault::Held));
        let numbered = inner.faults.iter().find(|(range, _)| range.contains(&number)).map(|(_, fault)| *fault);
        let fault = hangs.or(numbered);
        inner.injected += u64::from(fault.is_some());
        (number, fault)
    }

    /// Waits until operations of this name go on.
    async fn let_go(&self, name: &str) {
        while self.lock().held.contains(&name) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Performs a write, or makes it fail.
    pub(super) async fn write<T: Send>(
        &self,
        name: &'static str,
        operation: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        match self.next(name) {
            (_, None) => operation.await,
            (number, Some(Fault::Before)) => Err(unavailable(name, number)),
            (number, Some(Fault::Refused)) => Err(refused(name, number)),
            (_, Some(Fault::Never)) => std::future::pending().await,
            (_, Some(Fault::Held)) => {
                self.let_go(name).await;
                operation.await
            }
            (number, Some(Fault::After)) => {
                // Whatever the store said, the caller never hears it.
                let _lost = operation.await;
                Err(StoreError::Unknown { store: name.into(), why: format!("injected at operation {number}") })
            }
        }
    }

    /// Performs a read, or makes it fail.
    pub(super) async fn read<T: Send>(
        &self,
        name: &'static str,
        operation: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        match self.next(name) {
            (_, None) => operation.await,
            (number, Some(Fault::Refused)) => Err(refused(name, number)),
            (_, Some(Fault::Never)) => std::future::pending().await,
            (_, Some(Fault::Held)) => {
                self.let_go(name).await;
                operation.await
            }
            (number, Some(Fault::Before | Fault::After)) => Err(unavailable(name, number)),
        }
    }
}

fn unavailable(name: &str, number: u64) -> StoreError {
    StoreError::unavailable(name, format!("injected at operation {number}"))
}

fn refused(name: &str, number: u64) -> StoreError {
    StoreError::precondition(name, format!("a right is missing; injected at operation {number}"))
}
