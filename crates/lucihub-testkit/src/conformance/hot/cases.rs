//! The list of cases, and the one line that runs them all on an adapter.

/// Runs the hot conformance suite on an adapter: a module with one test per case.
///
/// Give it a name for the module and an expression that awaits to a new
/// `Arc<dyn HotHarness>`. The calling crate needs tokio with the features
/// `macros` and `rt-multi-thread` as a dev-dependency.
///
/// ```
/// lucihub_testkit::hot_conformance!(reference, lucihub_testkit::reference::hot::harness());
/// ```
#[macro_export]
macro_rules! hot_conformance {
    ($module:ident, $harness:expr) => {
        mod $module {
            #[allow(unused_imports, reason = "the expression may need nothing of the caller's module")]
            use super::*;

            async fn __new_harness() -> ::std::sync::Arc<dyn $crate::HotHarness> {
                $harness.await
            }

            $crate::__hot_cases! {
                runs {
                    opening_twice_changes_nothing,
                    opening_a_run_that_goes_on_changes_nothing,
                    absent_runs_answer_so,
                    cancelling_a_queued_run_seals_it,
                    cancelling_a_held_run_asks_its_worker,
                    cancelling_an_ended_run_tells_its_end,
                    cancelling_looks_at_the_lease,
                    renewing_counts_from_now,
                    renewing_is_for_the_writer_alone,
                    open_runs_never_expire,
                    sealed_runs_expire_in_time,
                    removed_runs_stay_away,
                    held_runs_are_removed_by_force_alone,
                    removing_an_absent_run_leaves_a_tombstone,
                    spans_without_end_end_with_time,
                }
                take_over {
                    the_first_writer_begins,
                    a_living_lease_holds,
                    the_same_writer_takes_over_again,
                    an_ended_lease_gives_way,
                    coming_back_is_a_new_epoch,
                    ended_runs_are_not_taken_over,
                    the_next_writer_learns_of_a_cancel,
                    one_of_many_writers_wins,
                    take_over_and_cancel_exclude_each_other,
                    names_do_not_decide,
                }
                append {
                    repeats_are_duplicates_within_the_window,
                    repeats_are_known_after_the_seal,
                    duplicate_comes_first,
                    fenced_comes_before_the_rest,
                    a_run_without_a_writer_fences_everyone,
                    sealed_comes_before_behind_and_rejected,
                    absent_runs_come_before_behind_and_rejected,
                    a_lost_run_is_no_run,
                    behind_comes_before_rejected,
                    rejected_writes_nothing,
                    the_terminal_batch_is_written_whole,
                    repeated_states_write_nothing,
                    states_follow_the_table,
                    unknown_states_are_kept,
                    an_empty_batch_is_applied,
                    the_head_takes_what_the_worker_knows,
                    runs_are_separate,
                }
                concurrency {
                    one_of_many_repeats_is_applied,
                    batches_in_flight_end_in_order,
                    many_runs_at_once,
                    readers_see_whole_batches,
                }
                logs {
                    lines_keep_every_character,
                    lines_keep_every_field,
                    ranges_are_clipped,
                    no_lines_yet,
                    many_lines_keep_their_order,
                }
                samples {
                    samples_keep_every_bit,
                    windows_are_clipped,
                    channels_without_samples_are_empty,
                    channels_have_their_own_pace,
                    jumps_and_gaps_keep_their_cause,
                    gaps_alike_become_one,
                    a_run_may_end_in_a_gap,
                    windows_of_a_long_channel,
                }
                restore {
                    the_writer_goes_on,
                    nothing_lost_leaves_no_gap,
                    a_run_that_is_there_stays,
                    a_run_placed_anew_gives_way,
                    an_older_copy_gives_way_to_its_writer,
                    others_are_fenced,
                    covered_numbers_are_behind,
                    ended_runs_do_not_come_back,
                    a_restored_run_lives_on,
                }
                secure {
                    what_is_applied_is_secured,
                    an_absent_run_is_missing,
                    no_level_is_given_that_is_not_there,
                }
                trim {
                    confirming_only_grows,
                    trimming_needs_confirmation,
                    reads_begin_at_the_base,
                    the_head_stays,
                    gaps_are_trimmed,
                    take_over_after_trimming,
                }
                attachments {
                    attachments_go_both_ways,
                    attachment_names_are_literal,
                    attachments_are_replaced_whole,
                    results_are_the_workers_alone,
                    attachments_of_closed_runs_are_refused,
                    attachments_have_limits,
                    runs_are_opened_with_attachments,
                    attachments_leave_with_their_run,
                    one_of_many_attachments_stays,
                }
                events {
                    events_come_back_in_order,
                    events_noted_again_are_there_once,
                    the_last_events_are_kept,
                    events_of_many_are_all_there,
                    absent_runs_take_no_events,
                    events_change_no_run,
                    events_leave_with_their_run,
                    events_are_checked_first,
                }
                devices {
                    announced_devices_are_active,
                    since_counts_without_a_break,
                    scanners_renew_their_own,
                    withdrawn_devices_are_free,
                    always_active_devices_stay,
                    the_list_is_in_order,
                    entities_up_to_the_limit,
                    one_of_two_scanners_wins,
                }
                watch {
                    every_change_wakes_followers,
                    all_followers_are_woken,
                    a_slow_follower_is_woken,
                    keepers_are_woken,
                    health_counts_bytes,
                }
                scan {
                    every_run_is_in_some_part,
                    runs_that_left_are_in_no_part,
                    a_place_of_no_part_is_refused,
                }
                limits {
                    long_lines,
                    large_batches,
                    none_and_many_channels,
                    heads_past_a_limit_are_not_opened,
                    long_gaps,
                    far_indices,
                    many_entries,
                    bad_patches,
                    full_stores_go_on_after_trimming,
                }
                hostile {
                    heads_come_back_whole,
                    any_uuid_is_a_run,
                    texts_of_batches_come_back,
                    reasons_come_back,
                    many_small_runs,
                }
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __hot_cases {
    ($($group:ident { $($case:ident,)+ })+) => {
        $(
            mod $group {
                $(
                    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    async fn $case() {
                        $crate::conformance::hot::$group::$case(&*super::__new_harness().await).await;
                    }
                )+
            }
        )+
    };
}
