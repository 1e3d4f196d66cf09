//! Any sequence of operations, beside another store: the answers are the same.

use lucihub_models_core::cold::{
    Checkpoint, ColdRun, ColdStore, Commit, OperatorFields, PendingRun, RunUpdate, SeenFields,
};
use lucihub_models_core::{
    DeviceId, DeviceType, Digest, JobType, NewAttachment, Order, PageCursor, PageRequest, Relation, RelationKind,
    Result, RunFilter, RunHead, RunState, Subject, whole,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};

use super::given::{after_states, at, device, head, id, json, lines, refusal, samples};

/// One call of a cold port, in small numbers: runs, devices, owners and times
/// are few, so that operations meet.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Operation {
    /// Creates a run, of one of two contents.
    Create {
        /// The run.
        run: u64,
        /// Which content.
        other: bool,
    },
    /// Sets labels, output, error.
    Update {
        /// The run.
        run: u64,
        /// The length of its one label's value.
        label: Option<usize>,
        /// The output.
        output: Option<String>,
        /// The error.
        error: Option<String>,
    },
    /// Mirrors the run with a number of states, 1 to 4.
    Mirror(u64, usize),
    /// Writes cells: `(channel, cell, samples)` and `(cell, lines)`.
    Checkpoint(u64, Vec<(u32, u64, u64)>, Vec<(u64, u64)>),
    /// Archives the run with a digest.
    Commit(u64, u8),
    /// Releases the run.
    Release(u64),
    /// Deletes the run.
    Delete(u64),
    /// Lists runs page by page.
    List(RunFilter, Order, usize),
    /// Walks open runs.
    Pending(usize),
    /// Enters a device at a second.
    Seen(u8, i64),
    /// Sets the operator's parameter schema.
    Operate(u8, Option<String>),
    /// Lists devices page by page.
    Devices(usize),
    /// Deletes a device.
    DeleteDevice(u8),
    /// Puts an attachment of a content: on a run, or on a device if that is named; as a keeper does, or not.
    Attach(u64, Option<u8>, u8, bool),
    /// Deletes an attachment.
    Detach(u64, Option<u8>),
}

/// Sequences of operations, for `proptest!`.
pub fn operations() -> impl Strategy<Value = Vec<Operation>> {
    vec(operation(), 1..40)
}

/// What is past a limit is left to the cases: where two refusals are right, the
/// law does not say which comes first.
fn operation() -> impl Strategy<Value = Operation> {
    let run = || 1_u64..5;
    let text = || option::of(prop_oneof![Just("1".to_owned()), Just("\"two\"\n".to_owned())]);
    let name = || 0_u8..3;
    let list = |word: fn(u8) -> String| option::of(vec((0_u8..3).prop_map(word), 0..3));
    let words = (list(|n| owner(n.into())), list(|n| device_name(n).to_string()), list(state), list(|n| job(n.into())));
    let second = || option::weighted(0.2, 0_i64..3);
    let label = option::weighted(0.3, vec((0_usize..3).prop_map(|length| "l".repeat(length)), 0..3));
    let related = option::weighted(0.2, vec(1_u64..4, 0..3));
    let filter = (words, label, related, second(), second());
    let filter = filter.prop_map(|((owners, devices, states, jobs), label, related, from, to)| RunFilter {
        labels: label.map(|values| ("label".to_owned(), values)).into_iter().collect(),
        related_to: related.map(|runs| runs.into_iter().map(id).collect()),
        created_from: from.map(at),
        created_to: to.map(at),
        owners,
        devices: devices.map(|names| names.iter().map(|name| device(name)).collect()),
        states: states.map(|words| words.iter().map(|word| RunState::from(word.as_str())).collect()),
        job_types: jobs.map(|words| words.iter().map(|word| JobType::from(word.as_str())).collect()),
        device_types: None,
    });
    let order = prop_oneof![Just(Order::Newest), Just(Order::Oldest)];
    let label = option::of(prop_oneof![0_usize..3, Just(1_024_usize)]);
    prop_oneof![
        4 => (run(), any::<bool>()).prop_map(|(run, other)| Operation::Create { run, other }),
        2 => (run(), label, text(), text())
            .prop_map(|(run, label, output, error)| Operation::Update { run, label, output, error }),
        3 => (run(), 1_usize..5).prop_map(|(run, states)| Operation::Mirror(run, states)),
        4 => (run(), vec((0_u32..3, 0_u64..3, 1_u64..1_025), 0..4), vec((0_u64..3, 1_u64..5), 0..3))
            .prop_map(|(run, samples, lines)| Operation::Checkpoint(run, samples, lines)),
        2 => (run(), 0_u8..2).prop_map(|(run, digest)| Operation::Commit(run, digest)),
        1 => run().prop_map(Operation::Release),
        1 => run().prop_map(Operation::Delete),
        2 => (filter, order, 0_usize..4).prop_map(|(filter, order, limit)| Operation::List(filter, order, limit)),
        1 => (1_usize..4).prop_map(Operation::Pending),
        2 => (name(), 0_i64..4).prop_map(|(name, second)| Operation::Seen(name, second)),
        1 => (name(), text()).prop_map(|(name, schema)| Operation::Operate(name, schema)),
        1 => (0_usize..3).prop_map(Operation::Devices),
        1 => name().prop_map(Operation::DeleteDevice),
        2 => (run(), option::of(name()), 0_u8..3, any::<bool>())
            .prop_map(|(run, device, content, keeper)| Operation::Attach(run, device, content, keeper)),
        1 => (run(), option::of(name())).prop_map(|(run, device)| Operation::Detach(run, device)),
    ]
}

fn owner(n: u64) -> String {
    ["ada", "Ada", "%"][usize::try_from(n % 3).unwrap()].to_owned()
}

fn job(n: u64) -> String {
    ["run", "verify", "a_job"][usize::try_from(n % 3).unwrap()].to_owned()
}

fn state(n: u8) -> String {
    ["queued", "calibrating", "succeeded"][usize::from(n % 3)].to_owned()
}

fn device_name(n: u8) -> DeviceId {
    device(["b", "B", "a_b"][usize::from(n % 3)])
}

/// The head that a run is created with; pairs of runs share their time.
fn content(run: u64, other: bool) -> RunHead {
    let mut head = head(run);
    head.created_at = at(i64::try_from(run / 2).unwrap());
    head.owner = (run != 3).then(|| owner(run));
    head.job_type = JobType::from(job(run).as_str());
    head.device = (run != 2).then(|| device_name(u8::try_from(run).unwrap()));
    head.device_type = head.device.as_ref().map(|_| DeviceType::Redac);
    head.priority = other.then_some(1);
    if run == 3 {
        head.related_to =
            vec![Relation::new(RelationKind::Verifies, id(1)), Relation::new(RelationKind::Verifies, id(2))];
    }
    head
}

/// Performs operations on two stores, each in its turn, and panics at the first
/// answer that differs. After each one, what can be read is compared too.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use std::sync::Arc;
/// use lucihub_testkit::ManualClock;
/// use lucihub_testkit::conformance::cold::compare::{Operation, compare_cold};
/// use lucihub_testkit::reference::cold::ReferenceCold;
///
/// let store = || ReferenceCold::new(Arc::new(ManualClock::new()));
/// let script = [Operation::Create { run: 1, other: false }, Operation::Delete(1), Operation::Delete(1)];
/// compare_cold(&store(), &store(), &script).await;
/// # });
/// ```
pub async fn compare_cold(a: &dyn ColdStore, b: &dyn ColdStore, operations: &[Operation]) {
    for (number, operation) in operations.iter().enumerate() {
        let (left, right) = (perform(a, operation).await, perform(b, operation).await);
        assert_eq!(left, right, "operation {number}: {operation:?}");
    }
    for run in 1..5 {
        assert_eq!(everything(a, run).await, everything(b, run).await, "run {run} after {operations:?}");
    }
}

/// An answer in a form that any two adapters share: errors by their kind.
fn answer<T: std::fmt::Debug>(result: &Result<T>) -> String {
    result.as_ref().map_or_else(|_| refusal(result).to_owned(), |value| format!("{value:?}"))
}

async fn perform(store: &dyn ColdStore, operation: &Operation) -> String {
    match operation {
        Operation::Create { run, other } => answer(&store.create(&content(*run, *other)).await),
        Operation::Update { run, label, output, error } => {
            let labels = label.map(|length| [("label".to_owned(), "l".repeat(length))].into());
            let output = output.as_deref().map(json);
            answer(&store.update(id(*run), &RunUpdate { labels, output, error: error.clone() }).await)
        }
        Operation::Mirror(run, states) => {
            answer(&store.mirror(&after_states(&present(store, *run).await, *states)).await)
        }
        Operation::Checkpoint(run, cells, logs) => {
            let samples = cells.iter().map(|&(channel, cell, count)| {
                let first = cell * 1_024;
                samples(channel, first..first + count)
            });
            let lines = logs.iter().map(|&(cell, count)| lines(4 * cell..4 * cell + count));
            let cells = Checkpoint { lines: lines.collect(), samples: samples.collect(), ..Checkpoint::default() };
            answer(&store.checkpoint(id(*run), &cells).await)
        }
        Operation::Commit(run, digest) => {
            let mut positions = store.get(id(*run)).await.unwrap().map(|run| run.positions).unwrap_or_default();
            (positions.states, positions.phases) = (4, 1);
            let head = after_states(&present(store, *run).await, 4);
            answer(&store.commit(&Commit { head, positions, digest: Digest::of(&[*digest]), at: at(9) }).await)
        }
        Operation::Release(run) => answer(&store.release(id(*run)).await),
        Operation::Delete(run) => answer(&store.delete(id(*run)).await),
        Operation::List(filter, order, limit) => pages(store, filter, *order, *limit).await,
        Operation::Pending(limit) => walk(store, *limit).await,
        Operation::Seen(name, second) => answer(&store.put_seen(&sighting(*name, *second)).await),
        Operation::Operate(name, schema) => {
            let fields = OperatorFields { parameter_schema: schema.as_deref().map(json), ..OperatorFields::default() };
            answer(&store.put_operator(&device_name(*name), &fields).await)
        }
        Operation::Devices(limit) => devices(store, *limit).await,
        Operation::DeleteDevice(name) => answer(&store.delete_device(&device_name(*name)).await),
        Operation::Attach(run, None, content, true) => {
            answer(&store.checkpoint_attachment(id(*run), &attachment(), vec![*content]).await)
        }
        Operation::Attach(run, device, content, _) => {
            let put = store.put_attachment(&subject(*run, *device), &attachment(), whole(vec![*content])).await;
            // The stores have a clock each.
            answer(&put.map(|info| (info.size, info.digest)))
        }
        Operation::Detach(run, device) => {
            answer(&store.delete_attachment(&subject(*run, *device), &attachment().name).await)
        }
    }
}

fn subject(run: u64, device: Option<u8>) -> Subject {
    device.map_or_else(|| id(run).into(), |name| device_name(name).into())
}

fn attachment() -> NewAttachment {
    NewAttachment::new("a".parse().unwrap(), "a/b")
}

/// The run's head as its worker would have got it; as first created, if it is absent.
async fn present(store: &dyn ColdStore, run: u64) -> RunHead {
    store.get(id(run)).await.unwrap().map_or_else(|| content(run, false), |run| run.head)
}

fn sighting(name: u8, second: i64) -> SeenFields {
    SeenFields {
        id: device_name(name),
        device_type: DeviceType::Lucidac,
        firmware: (second != 2).then(|| format!("1.{second}")),
        entity_digest: None,
        seen_at: at(second),
    }
}

/// More pages than there can be: a walk that never ends differs from one that does.
const PAGES: usize = 20;

async fn pages(store: &dyn ColdStore, filter: &RunFilter, order: Order, limit: usize) -> String {
    let (mut all, mut after) = (String::new(), None::<PageCursor>);
    for _ in 0..PAGES {
        let page = store.list(filter, &PageRequest { order, after, limit, offset: 0, total: true }).await;
        all += &answer(&page);
        let Ok(Some(next)) = page.map(|page| page.next) else { break };
        after = Some(next);
    }
    let skipping = PageRequest { order, after: None, limit, offset: 1, total: false };
    all + &answer(&store.list(filter, &skipping).await)
}

async fn walk(store: &dyn ColdStore, limit: usize) -> String {
    let mut all: Vec<PendingRun> = Vec::new();
    for _ in 0..PAGES {
        let some = store.pending(all.last().copied(), limit).await.unwrap();
        if some.is_empty() {
            break;
        }
        all.extend(some);
    }
    format!("{all:?}")
}

async fn devices(store: &dyn ColdStore, limit: usize) -> String {
    let (mut all, mut after) = (String::new(), None::<DeviceId>);
    for _ in 0..PAGES {
        let page = store.devices(after.as_ref(), limit).await;
        all += &answer(&page);
        let Ok(Some(next)) = page.map(|page| page.next) else { break };
        after = Some(next);
    }
    all
}

/// All that can be read of a run. Samples are compared by their hash, which
/// covers every bit.
async fn everything(store: &dyn ColdStore, run: u64) -> String {
    let run = id(run);
    let found = store.get(run).await.unwrap();
    let mut all = found.map_or_else(String::new, |ColdRun { head, positions, archived }| {
        let next: Vec<u64> = (0..3).map(|channel| positions.sample(channel)).collect();
        format!("{head:?} {} {next:?} {archived:?}", positions.lines)
    });
    for cell in store.log_cells(run, 0..4).await.unwrap() {
        all += &format!(" lines {} {}", cell.end(), cell.hash());
    }
    for channel in 0..3 {
        for cell in store.sample_cells(run, channel, 0..4).await.unwrap() {
            all += &format!(" samples {} {}", cell.series.end, cell.hash());
        }
        all += &format!(" {:?}", store.summaries(run, channel, 0..4).await.unwrap());
    }
    for subject in [Subject::from(run), device_name(0).into(), device_name(1).into(), device_name(2).into()] {
        if let Some(found) = store.attachment(&subject, &attachment().name).await.unwrap() {
            all += &format!(" {subject} {:?}", found.into_bytes().await);
        }
    }
    all + if store.stored_bytes(run).await.unwrap().is_some() { " stored" } else { " absent" }
}
