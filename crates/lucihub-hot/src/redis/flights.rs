//! Many readers of the same thing share one request.
//!
//! A read may join a request that has not been sent yet, never one that is under way: so each gets the run as it was
//! after it asked, and a thousand followers cost the server two requests in flight at most.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use lucihub_models_core::Result;

type Flight<V> = Shared<BoxFuture<'static, Result<V>>>;

/// Requests under way and the next ones, by what they read.
#[derive(Debug)]
pub(super) struct Flights<K, V> {
    turns: Arc<Mutex<HashMap<K, Turn<V>>>>,
}

#[derive(Debug)]
struct Turn<V> {
    /// Counts the flights of this key, so that each knows its own place.
    running: u64,
    current: Flight<V>,
    next: Option<Flight<V>>,
}

impl<K, V> Clone for Flights<K, V> {
    fn clone(&self) -> Self {
        Self { turns: self.turns.clone() }
    }
}

impl<K, V> Default for Flights<K, V> {
    fn default() -> Self {
        Self { turns: Arc::default() }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<K, V> Flights<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Reads, together with all who ask for the same until the request is sent.
    pub(super) async fn join<F>(&self, key: K, request: impl FnOnce() -> F + Send + 'static) -> Result<V>
    where
        F: Future<Output = Result<V>> + Send + 'static,
    {
        let flight = {
            let mut turns = lock(&self.turns);
            match turns.get_mut(&key) {
                None => {
                    let flight = Self::first(self.turns.clone(), key.clone(), request);
                    turns.insert(key, Turn { running: 0, current: flight.clone(), next: None });
                    flight
                }
                Some(Turn { next: Some(next), .. }) => next.clone(),
                Some(turn) => {
                    let number = turn.running + 1;
                    let flight = Self::after(turn.current.clone(), number, self.turns.clone(), key, request);
                    turn.next = Some(flight.clone());
                    flight
                }
            }
        };
        flight.await
    }

    fn first<F>(
        turns: Arc<Mutex<HashMap<K, Turn<V>>>>,
        key: K,
        request: impl FnOnce() -> F + Send + 'static,
    ) -> Flight<V>
    where
        F: Future<Output = Result<V>> + Send + 'static,
    {
        started(async move {
            let landing = Landing { turns, key, number: 0 };
            let value = request().await;
            drop(landing);
            value
        })
    }

    fn after<F>(
        before: Flight<V>,
        number: u64,
        turns: Arc<Mutex<HashMap<K, Turn<V>>>>,
        key: K,
        request: impl FnOnce() -> F + Send + 'static,
    ) -> Flight<V>
    where
        F: Future<Output = Result<V>> + Send + 'static,
    {
        started(async move {
            // Its panic is those who waited for it's to bear.
            let _ = AssertUnwindSafe(before).catch_unwind().await;
            let landing = Landing { turns, key, number };
            // From here on nobody joins: who asks now waits for the one after.
            if let Some(turn) = lock(&landing.turns).get_mut(&landing.key)
                && let Some(this) = turn.next.take()
            {
                turn.current = this;
                turn.running = number;
            }
            let value = request().await;
            drop(landing);
            value
        })
    }
}

/// Runs by itself, so that whoever stops waiting holds up nobody.
fn started<V: Clone + Send + Sync + 'static>(flight: impl Future<Output = Result<V>> + Send + 'static) -> Flight<V> {
    let flight = flight.boxed().shared();
    tokio::spawn(flight.clone());
    flight
}

/// Takes a flight off the list once it is over, well or by a panic, and none waits behind it.
struct Landing<K: Eq + Hash, V> {
    turns: Arc<Mutex<HashMap<K, Turn<V>>>>,
    key: K,
    number: u64,
}

impl<K: Eq + Hash, V> Drop for Landing<K, V> {
    fn drop(&mut self) {
        let mut turns = lock(&self.turns);
        if turns.get(&self.key).is_some_and(|turn| turn.running == self.number && turn.next.is_none()) {
            turns.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn nobody_gets_what_was_read_before_they_asked() {
        let (flights, gate) = (Flights::default(), Arc::new(Semaphore::new(0)));
        let (asked, sent) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let ask = || {
            let (flights, asked, sent, gate) = (flights.clone(), asked.clone(), sent.clone(), gate.clone());
            tokio::spawn(async move {
                // On one thread, nothing comes between this and joining.
                asked.fetch_add(1, Ordering::SeqCst);
                let request = move || async move {
                    let number = sent.fetch_add(1, Ordering::SeqCst);
                    gate.acquire().await.unwrap().forget();
                    Ok(number)
                };
                flights.join("run", request).await.unwrap()
            })
        };
        let first = ask();
        while sent.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        let later: Vec<_> = (0..100).map(|_| ask()).collect();
        while asked.load(Ordering::SeqCst) < 101 {
            tokio::task::yield_now().await;
        }
        gate.add_permits(2);
        assert_eq!(first.await.unwrap(), 0);
        for one in later {
            assert_eq!(one.await.unwrap(), 1, "all who waited share one request, sent after they asked");
        }
        assert_eq!(sent.load(Ordering::SeqCst), 2);
        gate.add_permits(1);
        assert_eq!(ask().await.unwrap(), 2, "the list is empty again");
        assert!(lock(&flights.turns).is_empty());
    }

    #[tokio::test]
    async fn a_panic_leaves_the_key_usable() {
        let flights: Flights<&str, u64> = Flights::default();
        let panics = flights.clone();
        let one =
            tokio::spawn(
                async move { panics.join("run", || async { panic!("a reply that nobody thought of") }).await },
            );
        assert!(one.await.is_err());
        let next = tokio::time::timeout(std::time::Duration::from_secs(5), flights.join("run", || async { Ok(7) }));
        assert_eq!(next.await.unwrap().unwrap(), 7);
    }
}
