//! A shared server that does not answer, or is full: said once to the person who waits, and once when it is over.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use lucihub_models_core::hot::Health;
use lucihub_models_core::{Result, StoreError};
use lucihub_store::{Event, Follower, Store};

/// How often it looks.
const LOOK: Duration = Duration::from_secs(1);
/// How long an outage lasts that is worth a word.
const PATIENCE: Duration = Duration::from_secs(3);

/// Looks for ever whether hot storage answers; `meanwhile` says what becomes of the work until it does.
pub(crate) async fn watch(
    store: &Store,
    server: &str,
    meanwhile: impl Fn() -> String,
    say: impl Fn(String),
) -> Infallible {
    let mut weather = Weather::default();
    loop {
        tokio::time::sleep(LOOK).await;
        let asked = Instant::now();
        let health = store.hot().health().await;
        match weather.look(asked, Instant::now(), &health) {
            Some(News::Bad(trouble)) => say(format!("{server} {}; {}", trouble.in_words(), meanwhile())),
            Some(News::Over(Trouble::Away)) => say(format!("{server} answers again")),
            Some(News::Over(Trouble::Full)) => say(format!("{server} has room again")),
            None => {}
        }
    }
}

/// A follower's next event, however long the server is away: the follower stays where it is.
pub(crate) async fn next(follower: &mut Follower, server: Option<&str>) -> Result<Option<Event>> {
    const AGAIN: Duration = Duration::from_millis(200);
    // How the store names what answers, and has lost a run that its worker is putting back.
    const LOST: &str = "hot storage";
    loop {
        match follower.next().await {
            Err(StoreError::Unavailable { store, .. } | StoreError::Unknown { store, .. })
                if Some(&*store) == server || store == LOST =>
            {
                tokio::time::sleep(AGAIN).await;
            }
            other => return other,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    Away,
    Full,
}

impl Trouble {
    fn of(health: &Result<Health>) -> Option<Self> {
        match health {
            Err(_) => Some(Self::Away),
            Ok(health) if health.fill() >= 1.0 => Some(Self::Full),
            Ok(_) => None,
        }
    }

    const fn in_words(self) -> &'static str {
        match self {
            Self::Away => "does not answer",
            Self::Full => "is full, until a keeper has archived or its maxmemory is raised",
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum News {
    Bad(Trouble),
    Over(Trouble),
}

/// What is wrong, since when, and whether it was told.
#[derive(Debug, Default)]
struct Weather(Option<(Trouble, Instant, bool)>);

impl Weather {
    /// Takes in the answer to a question that was asked then.
    fn look(&mut self, asked: Instant, now: Instant, health: &Result<Health>) -> Option<News> {
        let Some(trouble) = Trouble::of(health) else {
            let (trouble, _, told) = self.0.take()?;
            return told.then_some(News::Over(trouble));
        };
        let (since, told) = match self.0 {
            Some((known, since, told)) if known == trouble => (since, told),
            _ => (asked, false),
        };
        let is_news = !told && now.duration_since(since) >= PATIENCE;
        self.0 = Some((trouble, since, told || is_news));
        is_news.then_some(News::Bad(trouble))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_told_once_if_it_lasts_and_its_end_too() {
        let (mut weather, begun) = (Weather::default(), Instant::now());
        let at = |seconds: u64| begun + Duration::from_secs(seconds);
        let away = Err(StoreError::unavailable("redis://host", "no answer"));
        let good = Ok(Health { engine: String::new(), used_bytes: 1, max_bytes: Some(2) });
        let full = Ok(Health { engine: String::new(), used_bytes: 2, max_bytes: Some(2) });
        let mut look = |second, health: &_| weather.look(at(second), at(second), health);
        assert_eq!([look(0, &away), look(1, &away), look(2, &good)], [None, None, None], "a short one is none");
        assert_eq!([look(3, &away), look(5, &away)], [None, None]);
        assert_eq!(look(6, &away), Some(News::Bad(Trouble::Away)));
        assert_eq!(look(60, &away), None);
        assert_eq!(look(61, &good), Some(News::Over(Trouble::Away)));
        assert_eq!([look(62, &good), look(63, &full)], [None, None]);
        assert_eq!(look(66, &full), Some(News::Bad(Trouble::Full)));
        assert_eq!(look(67, &good), Some(News::Over(Trouble::Full)));
        assert_eq!(weather.look(at(70), at(73), &away), Some(News::Bad(Trouble::Away)), "it was asked so long ago");
    }
}
