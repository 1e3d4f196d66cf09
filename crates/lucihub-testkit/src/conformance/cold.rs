//! Cases for adapters of the cold ports: one line per adapter runs them all.
//!
//! | file | what its cases check |
//! | --- | --- |
//! | `runs` | create, get, update, delete |
//! | `lists`, `pages` | filters and summaries; pages and the keepers' walk |
//! | `search`, `usage` | labels, relations, windows, totals, offsets; counters and quotas |
//! | `archive` | mirror, checkpoint, commit, release |
//! | `begun` | cells encoded ahead are the cells that they would be |
//! | `samples`, `logs` | cells come back as they were written |
//! | `devices` | the registry |
//! | `watch` | how the store is |
//! | `attachments` | named bytes, whole or not there |
//! | `events` | what happened to a run, each event once, the last ones |
//! | `hostile` | texts, documents, numbers and times that break careless adapters |
//! | `races` | many keepers and many API servers at once |
//! | `compare` | any sequence of operations, beside another store |
//!
//! To add a case, write a `pub async fn` in one of these files and name it in
//! [`cold_conformance!`](crate::cold_conformance).

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "cases are tests: they fail by panicking")]

pub mod archive;
pub mod attachments;
pub mod begun;
pub mod compare;
pub mod devices;
pub mod events;
mod given;
pub mod hostile;
pub mod lists;
pub mod logs;
pub mod pages;
pub mod races;
pub mod runs;
pub mod samples;
pub mod search;
pub mod usage;
pub mod watch;

use std::sync::Arc;

use lucihub_models_core::cold::ColdStore;

/// The store that a case runs on: fresh, with the documented limits.
pub type Store = Arc<dyn ColdStore>;

/// What the expression in [`cold_conformance!`](crate::cold_conformance) gives:
/// a store, or a store and what it lives in (a folder, a server), which is
/// dropped when the case has ended.
pub trait Harness {
    /// The store.
    fn store(&self) -> Store;
}

impl Harness for Store {
    fn store(&self) -> Store {
        self.clone()
    }
}

impl<S: ColdStore + 'static> Harness for Arc<S> {
    fn store(&self) -> Store {
        self.clone()
    }
}

impl<H: Harness, G> Harness for (H, G) {
    fn store(&self) -> Store {
        self.0.store()
    }
}

/// Makes a module with one test per case, each on a fresh store.
///
/// The expression gives a [`Harness`](crate::conformance::cold::Harness). It is
/// evaluated for every case and may await: `fresh().await`. The crate needs
/// `tokio` with `macros` and `rt-multi-thread` among its development
/// dependencies.
///
/// ```
/// use std::sync::Arc;
/// use lucihub_testkit::{ManualClock, cold_conformance, reference::cold::ReferenceCold};
///
/// cold_conformance!(reference, Arc::new(ReferenceCold::new(Arc::new(ManualClock::new()))));
/// ```
#[macro_export]
macro_rules! cold_conformance {
    ($module:ident, $harness:expr $(,)?) => {
        mod $module {
            #[allow(unused_imports, reason = "the expression may name nothing from outside")]
            use super::*;

            $crate::cold_conformance! { @cases ($harness)
                runs {
                    a_new_run_reads_back_whole, create_is_idempotent, create_with_other_content_is_refused,
                    create_refuses_what_a_new_run_may_not_have, a_run_at_every_limit_is_taken,
                    labels_change_at_any_time, output_and_error_change_once_archived, updates_are_checked_first,
                    delete_is_complete,
                }
                lists {
                    items_of_one_field_are_joined_by_or, fields_are_joined_by_and, an_empty_list_matches_nothing,
                    a_filter_may_name_many, states_are_those_of_the_mirror, a_summary_shows_the_run,
                }
                pages {
                    pages_give_each_run_once, pages_stand_while_runs_come_and_go, a_page_has_limits,
                    a_cursor_goes_through_text, ids_are_found_by_their_beginning, pending_walks_what_is_not_released,
                }
                search {
                    labels_are_fields, changed_labels_are_found, relations_are_found, as_many_relations_as_are_allowed,
                    windows_hold_their_ends,
                    totals_agree_with_rows, a_cursor_is_of_one_search,
                }
                usage { created_runs_are_counted, quotas_are_kept, quotas_hold_in_races }
                archive {
                    the_mirror_goes_forward_only, the_mirror_renews_within_a_state, a_checkpoint_brings_its_head,
                    labels_stay_through_mirror_and_commit, an_archived_run_stands_still,
                    an_absent_run_takes_nothing, the_longer_cell_stays, a_loss_takes_nothing_away, positions_rise_and_never_fall,
                    commit_is_whole_and_idempotent, repair_replaces_cells_of_one_digest,
                    stored_bytes_grow_with_what_is_stored,
                }
                begun {
                    a_cell_begun_ahead_is_the_whole_cell, a_beginning_is_written_more_than_once,
                    parts_that_do_not_fit_are_refused,
                    what_is_given_back_is_what_was_written,
                }
                samples {
                    every_bit_of_a_sample_survives, gaps_stay_gaps, ranges_of_cells_read_exactly,
                    cells_join_into_one_series,
                    channels_are_kept_apart, large_cells_come_back_whole,
                }
                logs {
                    a_line_stays_one_line, ranges_of_log_cells_read_exactly, a_large_log_cell_comes_back_whole,
                }
                devices {
                    sightings_renew_and_never_go_back, scanner_and_operator_keep_apart,
                    operator_fields_are_checked_first, devices_are_paged_by_name, delete_device_is_complete,
                    hostile_fields_of_a_device_survive,
                }
                watch { health_tells_what_waits, versions_in_use_are_counted }
                attachments {
                    attachments_come_back_whole, the_same_attachment_again_changes_nothing,
                    attachment_names_are_literal, attachments_are_checked_first, a_subject_has_so_many_attachments,
                    an_attachment_has_a_limit, a_reader_meets_no_mix, a_slow_upload_keeps_nobody_waiting,
                    an_upload_broken_off_leaves_the_old_one, attachments_go_with_their_subject,
                    one_of_many_attachments_stays, an_archived_run_keeps_peoples_attachments,
                }
                events {
                    events_come_back_in_order_and_once, the_last_events_are_kept, events_go_with_their_run_alone,
                    events_of_many_are_all_there, events_are_checked_first,
                }
                hostile {
                    texts_are_literal, filters_compare_every_byte, documents_keep_their_bytes,
                    odd_documents_are_faithful_or_refused,
                    unknown_fields_survive, what_is_taken_reads_back, far_times_are_kept_and_ordered, any_uuid_is_an_id,
                    device_names_are_literal,
                }
                races {
                    one_create_creates, one_content_is_created, keepers_converge, one_digest_is_committed,
                    the_furthest_mirror_stays, cells_never_outlive_their_run,
                }
            }
        }
    };
    (@cases ($harness:expr) $($file:ident { $($case:ident),+ $(,)? })+) => {
        $($(
            #[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                let harness = $harness;
                $crate::conformance::cold::$file::$case($crate::conformance::cold::Harness::store(&harness)).await;
            }
        )+)+
    };
}
