//! The nemesis: what befalls the storages and the clients, at moments that were drawn.

use std::sync::Arc;
use std::time::Duration;

use lucihub_models_core::hot::{HotAppend, HotRuns, HotWatch, TakeOver, TookOver};
use lucihub_models_core::{Batch, BatchBody, Channel, Clock, JobType, RunHead, RunId, SampleBlock, WriterId};
use lucihub_testkit::Dice;
use tokio::time::sleep;

use super::client::Side;
use super::world::World;

/// Something bad.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Blow {
    /// A storage is away, for all or for one client.
    Down { side: Side, one: bool, span: Duration },
    /// Hot storage is empty.
    Empty,
    /// Hot storage loses one run.
    LoseRun,
    /// Hot storage is full.
    Fill { span: Duration },
    /// A worker stands still for longer than its lease, and then goes on.
    Stop { span: Duration },
    /// The clock of a client jumps by seconds.
    Jump { seconds: i64 },
}

impl Blow {
    /// Draws one.
    pub(crate) fn draw(dice: &Dice) -> Self {
        let span = Duration::from_millis(100 + dice.below(2_000));
        match dice.below(12) {
            0..=2 => Self::Down { side: Side::Hot, one: dice.one_in(2), span },
            3 | 4 => Self::Down { side: Side::Cold, one: dice.one_in(2), span },
            5 | 6 => Self::Empty,
            7 => Self::LoseRun,
            8 => Self::Fill { span },
            9 | 10 => Self::Stop { span: span * 3 },
            _ => Self::Jump { seconds: if dice.one_in(2) { 3_600 } else { -3_600 } },
        }
    }
}

/// Strikes at the moments of the plan.
pub(crate) async fn strike(world: Arc<World>) {
    let dice = Dice::new(world.plan.seed.rotate_left(17));
    let mut blows = world.plan.blows.clone();
    blows.sort_by_key(|(at, _)| *at);
    for (at, blow) in blows {
        sleep(at.saturating_sub(world.elapsed())).await;
        world.one(blow, &dice).await;
    }
}

impl World {
    async fn one(self: &Arc<Self>, blow: Blow, dice: &Dice) {
        match blow {
            Blow::Down { side, one, span } => {
                let client = one.then(|| self.some_client(dice, ""));
                self.blow(if side == Side::Hot { "hot_down" } else { "cold_down" }, client.unwrap_or(0));
                self.weather.cut(side, client, span);
            }
            Blow::Empty => {
                self.blow("emptied", 0);
                for run in &self.plan.runs {
                    self.lose(run.id).await;
                }
                self.raw.forget_all();
            }
            Blow::LoseRun => {
                let drawn = usize::try_from(dice.below(self.plan.runs.len() as u64)).unwrap_or(0);
                let run = self.plan.runs[drawn].id;
                self.blow("run_lost", 0);
                self.lose(run).await;
            }
            Blow::Fill { span } => {
                self.blow("filled", 0);
                let ballast = ballast(dice);
                self.fill(ballast).await;
                let world = self.clone();
                tokio::spawn(async move {
                    sleep(span).await;
                    world.raw.forget(ballast);
                });
            }
            Blow::Stop { span } => {
                let client = self.some_client(dice, "worker");
                self.blow("stopped", client);
                self.weather.stop(client, span);
            }
            Blow::Jump { seconds } => {
                let client = self.some_client(dice, "");
                self.blow("clock_jump", client);
                self.clock_of(client).jump(seconds);
            }
        }
    }

    fn blow(&self, kind: &'static str, client: u16) {
        self.weather.count(kind);
        self.step(client, kind, None, "struck", 0);
    }

    /// Takes all the room that hot storage has left, but for a few bytes.
    async fn fill(&self, ballast: RunId) {
        let Ok(health) = self.raw.health().await else { return };
        let room = health.max_bytes.unwrap_or(0).saturating_sub(health.used_bytes + 2_048);
        let mut head = RunHead::queued(ballast, JobType::Run, self.clock_of(0).now());
        head.channels = vec![Channel::named("ballast")];
        let request = TakeOver {
            run: ballast,
            worker: "nemesis".to_owned(),
            writer: WriterId::from_bits(1),
            lease: Duration::from_secs(3_600),
        };
        let opened = self.raw.open(&head).await;
        if let (Ok(_), Ok(TookOver::Taken(taken))) = (opened, self.raw.take_over(&request).await) {
            let values = vec![0.0; usize::try_from(room / 8).unwrap_or(0)].into();
            let body = BatchBody { blocks: vec![SampleBlock { channel: 0, first: 0, values }], ..BatchBody::default() };
            // Where even that does not fit, it is full already.
            let _ = self.raw.append(&Batch::new(ballast, taken.mark, taken.last_seq() + 1, body)).await;
        }
    }
}

fn ballast(dice: &Dice) -> RunId {
    use lucihub_models_core::IdSource;
    lucihub_testkit::SeededIds::new(dice.roll()).run_id()
}
