//! Cells that are encoded ahead: the same cells as those that are written whole.

use std::ops::Range;

use lucihub_models_core::cold::{Begun, Checkpoint, ColdStore, GrownCell};
use lucihub_models_core::{Gap, GapCause, RunId, SampleCell, Series};

use super::Store;
use super::given::{cells, checkpoint, create, gap, head, id, refusal, value};

/// A cell of 4,096 samples as odd as samples may be, with a gap over the edge of a part and one that fills a part.
fn odd_cell(channel: u32, end: u64) -> SampleCell {
    let mut series = Series::starting_at(4_096);
    let values = |range: Range<u64>| range.map(|index| value(channel, index)).collect::<Vec<_>>();
    series.push_values(&values(4_096..5_000));
    series.push_gap(gap(5_000..5_200));
    series.push_values(&[f64::NAN, -0.0, 0.0, f64::from_bits(0x7ff0_0000_0000_0001), f64::INFINITY]);
    series.push_values(&values(5_205..6_000));
    series.push_gap(Gap::new(6_000..7_300, GapCause::Overflow).inferred());
    series.push_values(&values(7_300..8_192));
    SampleCell { channel, cell: 1, series: series.slice(4_096..end) }
}

/// Encodes the parts of a cell that end at these indices ahead, and leaves the rest.
async fn grown(store: &dyn ColdStore, cell: &SampleCell, ends: &[u64]) -> Option<GrownCell> {
    let mut begun: Option<Begun> = None;
    let mut at = cell.series.first;
    for end in ends {
        let part = SampleCell { series: cell.series.slice(at..*end), ..cell.clone() };
        begun = Some(store.begin_cell(begun.as_ref(), part).await.unwrap()?);
        at = *end;
    }
    let rest = cell.series.slice(at..cell.series.end);
    begun.map(|begun| GrownCell { begun, rest })
}

async fn write(store: &dyn ColdStore, run: RunId, cell: GrownCell) {
    checkpoint(store, run, &Checkpoint { grown: vec![cell], ..Checkpoint::default() }).await;
}

/// A cell that was begun reads back as the whole one does, samples, gaps and summary, wherever its parts end. A store may
/// encode nothing ahead; then there is nothing to write.
pub async fn a_cell_begun_ahead_is_the_whole_cell(store: Store) {
    let ends: [&[u64]; 6] =
        [&[5_120], &[6_144], &[5_120, 6_144, 7_168], &[5_120, 8_192], &[6_144, 7_168], &[6_144, u64::MAX]];
    for (n, (ends, end)) in (1..).zip(ends.into_iter().flat_map(|ends| [(ends, 8_192), (ends, 8_191)])) {
        // The last one may be all of the rest.
        let ends: Vec<u64> =
            ends.iter().map(|at| if *at == u64::MAX { end } else { *at }).filter(|at| *at <= end).collect();
        let (whole, queued, beside) = (odd_cell(2, end), head(n), head(n + 100));
        create(&*store, &queued).await;
        create(&*store, &beside).await;
        let Some(cell) = grown(&*store, &whole, &ends).await else { return };
        assert_eq!((cell.begun.channel(), cell.begun.cell(), cell.begun.range().start), (2, 1, 4_096));
        write(&*store, queued.id, cell).await;
        checkpoint(&*store, beside.id, &cells([], [whole.clone()])).await;
        assert_eq!(store.sample_cells(queued.id, 2, 0..9).await.unwrap(), [whole], "{ends:?}, {end}");
        let summaries = [queued.id, beside.id].map(|run| store.summaries(run, 2, 0..9));
        let [ours, theirs] = futures_util::future::join_all(summaries).await.try_into().unwrap();
        assert_eq!(format!("{:?}", ours.unwrap()), format!("{:?}", theirs.unwrap()), "{ends:?}, {end}");
        let positions = store.get(queued.id).await.unwrap().unwrap().positions;
        assert_eq!(positions.samples, [0, 0, end]);
    }
}

/// What was begun stays as it is: it may be written more than once, each time with another rest, and the longer cell
/// stays, as always.
pub async fn a_beginning_is_written_more_than_once(store: Store) {
    let queued = head(1);
    create(&*store, &queued).await;
    for (end, longest) in [(6_500, 6_500), (5_500, 6_500), (8_192, 8_192), (7_000, 8_192)] {
        let Some(cell) = grown(&*store, &odd_cell(0, end), &[5_120]).await else { return };
        write(&*store, queued.id, cell.clone()).await;
        write(&*store, queued.id, cell).await;
        assert_eq!(store.sample_cells(queued.id, 0, 0..9).await.unwrap(), [odd_cell(0, longest)]);
    }
}

/// A store gives a cell back as it was written, and none that it has not, or has otherwise; it says so of each in turn. It
/// need not recognise bytes that it stored for a cell begun otherwise, but no cell with other content is taken for it.
pub async fn what_is_given_back_is_what_was_written(store: Store) {
    let (queued, other) = (head(1), head(2));
    create(&*store, &queued).await;
    create(&*store, &other).await;
    let Some(cell) = grown(&*store, &odd_cell(0, 7_000), &[5_120]).await else { return };
    let Some(beside) = grown(&*store, &odd_cell(3, 8_192), &[8_192]).await else { return };
    let Some(longer) = grown(&*store, &odd_cell(0, 8_192), &[5_120]).await else { return };
    let given = async |cells: &[&GrownCell]| {
        let cells: Vec<GrownCell> = cells.iter().map(|cell| (*cell).clone()).collect();
        store.gives_back(queued.id, &cells).await.unwrap()
    };
    assert_eq!(given(&[]).await, [false; 0]);
    assert_eq!(given(&[&cell, &beside]).await, [false, false], "nothing is there");
    write(&*store, queued.id, cell.clone()).await;
    assert_eq!(given(&[&beside, &cell, &cell]).await, [false, true, true]);
    assert_eq!(given(&[&longer]).await, [false], "what is there is shorter");
    assert_eq!(store.gives_back(other.id, std::slice::from_ref(&cell)).await.unwrap(), [false], "of another run");
    assert_eq!(store.gives_back(id(99), std::slice::from_ref(&cell)).await.unwrap(), [false], "of no run");
    write(&*store, queued.id, beside.clone()).await;
    write(&*store, queued.id, longer.clone()).await;
    assert_eq!(given(&[&cell, &longer, &beside]).await, [false, true, true], "what is there is longer");

    // Every bit counts, those of a gap and of a sign, too.
    let mut series = odd_cell(0, 8_192).series;
    let zero = series.values.iter().position(|value| value.to_bits() == 0).unwrap();
    series.values[zero] = -0.0;
    let signed = SampleCell { series, ..odd_cell(0, 8_192) };
    let mut series = odd_cell(0, 8_192).series;
    series.gaps[0].cause = GapCause::Overflow;
    let blamed = SampleCell { series, ..odd_cell(0, 8_192) };
    for odd in [signed, blamed] {
        let Some(odd) = grown(&*store, &odd, &[5_120]).await else { return };
        assert_eq!(given(&[&odd]).await, [false]);
    }
}

/// Parts that do not follow each other are refused, and so are rests that do not; nothing is written then.
pub async fn parts_that_do_not_fit_are_refused(store: Store) {
    let queued = head(1);
    create(&*store, &queued).await;
    let cell = odd_cell(0, 8_192);
    let part = |range: Range<u64>| SampleCell { series: cell.series.slice(range), ..cell.clone() };
    let Some(begun) = store.begin_cell(None, part(4_096..5_120)).await.unwrap() else { return };
    let Some(last) = store.begin_cell(Some(&begun), part(5_120..5_600)).await.unwrap() else { return };
    let torn = SampleCell { series: Series { end: 6_144, ..cell.series.slice(4_096..5_120) }, ..cell.clone() };
    for (before, part) in [
        (None, part(4_096..4_096)),
        (Some(&begun), part(5_120..5_120)),
        (Some(&last), part(5_600..6_144)),
        (None, torn),
        (Some(&begun), part(6_144..7_168)),
        (Some(&begun), part(4_096..5_120)),
        (Some(&begun), SampleCell { channel: 1, ..part(5_120..6_144) }),
        (Some(&begun), SampleCell { cell: 2, ..part(5_120..6_144) }),
    ] {
        assert_eq!(refusal(&store.begin_cell(before, part.clone()).await), "Invalid", "{part:?}");
    }
    let foreign = Begun::new((0, 1), 4_096..5_120, 1_024, 0, "what no store makes");
    for cell in [
        GrownCell { begun: begun.clone(), rest: cell.series.slice(6_144..7_168) },
        GrownCell { begun: begun.clone(), rest: cell.series.slice(4_096..5_120) },
        GrownCell { begun: last, rest: cell.series.slice(5_600..6_144) },
        GrownCell { begun: foreign, rest: cell.series.slice(5_120..6_144) },
    ] {
        let cells = Checkpoint { grown: vec![cell], ..cells([], [odd_cell(3, 5_000)]) };
        assert_eq!(refusal(&store.checkpoint(queued.id, &cells).await), "Invalid");
    }
    assert_eq!(store.sample_cells(queued.id, 3, 0..9).await.unwrap(), []);
    let absent = Checkpoint { grown: vec![GrownCell { begun, rest: Series::starting_at(5_120) }], ..cells([], []) };
    assert_eq!(refusal(&store.checkpoint(id(99), &absent).await), "NotFound");
}
