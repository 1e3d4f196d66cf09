//! What happens to one Redis, one PostgreSQL and the connections to them, in an order drawn from the seed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use lucihub_testkit::Dice;
use lucihub_testkit::servers::{PostgresServer, Proxy, RedisServer};
use tokio::task::block_in_place;

use super::round::{Crew, KEEPERS};

/// Something that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blow {
    /// Redis is frozen.
    Freeze,
    /// It is killed, and started again with its append-only file.
    Kill,
    /// It loses everything while it runs.
    Flush,
    /// It is killed, and starts empty.
    Empty,
    /// It has no room for a while.
    Full,
    /// PostgreSQL is broken off and started again.
    Restart,
    /// Answers to COMMIT are lost.
    LostCommit,
    /// A keeper is killed.
    Keeper,
}

/// How often each happens in a round.
const BLOWS: [(Blow, usize); 8] = [
    (Blow::Freeze, 4),
    (Blow::Kill, 4),
    (Blow::Flush, 2),
    (Blow::Empty, 2),
    (Blow::Full, 3),
    (Blow::Restart, 3),
    (Blow::LostCommit, 6),
    (Blow::Keeper, 8),
];

/// The servers, and the proxies before them.
#[derive(Debug)]
pub(crate) struct Servers {
    pub(crate) redis: RedisServer,
    pub(crate) postgres: Arc<PostgresServer>,
    /// Before Redis, for workers.
    pub(crate) workers: Proxy,
    /// Before Redis, for all others.
    pub(crate) others: Proxy,
    /// Before PostgreSQL.
    pub(crate) archive: Proxy,
}

/// Lets it all happen.
pub(crate) async fn rage(servers: &Servers, crew: &mut Crew, seed: u64) -> Result<()> {
    let dice = Dice::new(seed ^ 0x6e65_6d65_7369_7300);
    let mut blows: Vec<Blow> = BLOWS.iter().flat_map(|(blow, times)| std::iter::repeat_n(*blow, *times)).collect();
    for n in (1..blows.len()).rev() {
        blows.swap(n, usize::try_from(dice.below(n as u64 + 1))?);
    }
    for blow in blows {
        // Connections break all the while, at other places each time.
        servers.workers.cut_every(200..4_000 + dice.below(30_000));
        servers.others.cut_every(500..50_000 + dice.below(300_000));
        tokio::time::sleep(Duration::from_millis(500 + dice.below(900))).await;
        super::round::check(crew)?;
        crew.stage.note(&format!("{blow:?}"));
        strike(servers, crew, blow, &dice).await?;
    }
    servers.workers.calm();
    servers.others.calm();
    servers.archive.calm();
    crew.stage.count("cuts", servers.workers.cuts() + servers.others.cuts());
    Ok(())
}

async fn strike(servers: &Servers, crew: &mut Crew, blow: Blow, dice: &Dice) -> Result<()> {
    let (stage, redis) = (crew.stage.clone(), &servers.redis);
    match blow {
        Blow::Freeze => {
            block_in_place(|| redis.stop());
            tokio::time::sleep(Duration::from_millis(300 + dice.below(1_500))).await;
            block_in_place(|| redis.cont());
            stage.count("freezes", 1);
        }
        Blow::Kill => {
            block_in_place(|| redis.kill());
            tokio::time::sleep(Duration::from_millis(dice.below(400))).await;
            block_in_place(|| redis.restart());
            stage.count("kills", 1);
        }
        Blow::Flush => {
            block_in_place(|| stage.ledger.losing(|| drop(redis.cli(&["FLUSHALL"]))));
            stage.count("empties", 1);
        }
        Blow::Empty => {
            block_in_place(|| {
                stage.ledger.losing(|| {
                    redis.kill();
                    redis.restart_empty();
                });
            });
            stage.count("empties", 1);
        }
        Blow::Full => {
            // Below what it uses already: every write that needs room is refused.
            block_in_place(|| redis.cli(&["CONFIG", "SET", "maxmemory", "600000"]));
            tokio::time::sleep(Duration::from_millis(500 + dice.below(700))).await;
            block_in_place(|| redis.cli(&["CONFIG", "SET", "maxmemory", "0"]));
            stage.count("fulls", 1);
        }
        Blow::Restart => {
            block_in_place(|| servers.postgres.restart_immediate());
            stage.count("pg_restarts", 1);
        }
        Blow::LostCommit => {
            let before = servers.archive.cuts();
            servers.archive.cut_after_request(b"COMMIT");
            let begun = Instant::now();
            while servers.archive.pending_requests() > 0 && begun.elapsed() < Duration::from_secs(5) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            servers.archive.calm();
            stage.count("lost_commits", servers.archive.cuts() - before);
        }
        Blow::Keeper => crew.kill_keeper(u32::try_from(dice.below(KEEPERS.into()))?).await?,
    }
    Ok(())
}
