"""The catalogue: every fault, what is injected, and the tests that hold its outcome.

A test is FILE::NAME below nextbasket_tests; a name stands for all of its parameters.
"""

from nextbasket_tests.faults.fault import Fault
from nextbasket_tests.faults.more import MORE

_BAD_FILE = "test_promises.py::test_a_bad_file_leaves_the_last_good_version"
_LANDING = "test_landing.py::test_faults_of_a_file"
_ARRIVALS, _SENSORS = "test_arrivals.py::", "operations/test_sensors.py::"
_RAW, _PUBLISH, _MODELS = "transforms/test_raw.py::", "lake/test_publish.py::", "faults/test_models.py::"
_ARRIVAL, _PRIVACY, _SUPPLY = "faults/test_arrival.py::", "faults/test_privacy.py::", "faults/test_supply.py::"

ARRIVAL = {
    "F1": Fault("0-byte file", (_ARRIVALS + "test_empty_file_waits", _LANDING)),
    "F2": Fault("header only", (_LANDING, _BAD_FILE)),
    "F3": Fault(
        "file still growing",
        (_ARRIVALS + "test_growing_file_waits", _SENSORS + "test_a_file_is_taken_when_two_looks_agree"),
    ),
    "F4": Fault("plain CSV cut inside the last field", (_LANDING, _BAD_FILE)),
    "F5": Fault("half a .csv.gz", (_LANDING, _SUPPLY + "test_f5_spark_never_skips_what_it_cannot_read")),
    "F6": Fault(
        "same bytes under a second name, .bak",
        (_ARRIVALS + "test_duplicate_under_a_second_name", _ARRIVALS + "test_names_that_ask_for_nothing"),
    ),
    "F7": Fault(
        "corrected file, same name",
        (
            _SENSORS + "test_a_corrected_file_runs_its_week_again",
            _ARRIVAL + "test_f7_f9_late_and_corrected_weeks_end_like_an_in_order_run",
            _ARRIVAL + "test_f7_a_correction_keeps_the_old_version_and_tags_the_models_history_again",
            _ARRIVAL + "test_f7_the_sensor_asks_for_what_is_behind",
        ),
    ),
    "F8": Fault(
        "correction removes rows or empties the week",
        (
            "test_promises.py::test_a_correction_replaces_its_week_and_no_other",
            _PUBLISH + "test_an_empty_week_is_published_empty",
            _ARRIVAL + "test_f8_an_empty_correction_needs_a_word",
        ),
    ),
    "F9": Fault("week n after n+1", (_ARRIVAL + "test_f7_f9_late_and_corrected_weeks_end_like_an_in_order_run",)),
    "F12": Fault(
        "sensor twice, daemon killed, cursor reset",
        (
            "operations/test_cursor.py::test_a_lost_cursor_reprocesses_nothing",
            _ARRIVAL + "test_f12_the_same_tick_twice_asks_for_the_same_run",
            "operations/test_requests.py::test_keys_follow_content",
        ),
    ),
    "F13": Fault(
        "week missing from time.csv, future week",
        (
            _ARRIVAL + "test_f13_a_week_that_the_calendar_lacks_is_skipped",
            _ARRIVAL + "test_f13_a_calendar_that_contradicts_the_weeks_stops_nothing",
            _SENSORS + "test_weeks_outside_the_calendar_are_refused",
        ),
    ),
    "F14": Fault(
        "names and partition keys with paths in them",
        (
            "test_landing.py::test_names_outside_the_grammar",
            _ARRIVAL + "test_f14_partition_keys_that_are_none",
            _ARRIVAL + "test_f14_landing_names_that_are_none",
            _ARRIVAL + "test_f14_tables_have_names",
        ),
    ),
}
CONTENT = {
    "C1": Fault("column missing or renamed", ("test_landing.py::test_missing_column_names_the_nearest", _BAD_FILE)),
    "C2": Fault(
        "extra column",
        (
            "test_landing.py::test_extra_columns_are_reported",
            "faults/test_content.py::test_c2_an_extra_column_is_a_warning",
        ),
    ),
    "C3": Fault("columns reordered", (_RAW + "test_dialects_give_one_table",)),
    "C4": Fault("short and long rows", (_RAW + "test_short_long_and_quoted_lines",)),
    "C5": Fault("letters in numbers, overflow, NaN, Infinity", (_RAW + "test_rejected_lines",)),
    "C6": Fault("one stray quote", (_RAW + "test_short_long_and_quoted_lines",)),
    "C9": Fault(
        "exact duplicates; one basket id with two customers",
        ("faults/test_content.py::test_c9_c10_c11_what_is_no_sequence_is_counted",),
    ),
    "C10": Fault("returns", ("faults/test_content.py::test_c9_c10_c11_what_is_no_sequence_is_counted",)),
    "C11": Fault("empty customer code", ("faults/test_content.py::test_c9_c10_c11_what_is_no_sequence_is_counted",)),
    "C12": Fault("codes like 00123, NA, 18 digits", (_RAW + "test_what_is_odd_but_sound",)),
    "C13": Fault(
        "2 % bad rows; a week at -80 % or +300 %",
        (
            "assets/test_audit.py::test_more_than_one_percent_rejected_stops",
            "assets/test_audit.py::test_volume_is_compared_with_the_median_of_recent_weeks",
            _PRIVACY + "test_s3_canaries_stay_out_of_what_runs_leave",
        ),
    ),
}
CRASH = {
    "P1": Fault("kill -9 during a week's write", ("faults/test_crashes.py::test_p1_killed_during_a_job",)),
    "P2": Fault("kill -9 during a model's save", ("faults/test_crashes.py::test_p3_killed_while_publishing",)),
    "P3": Fault("kill -9 around the commit", ("faults/test_crashes.py::test_p3_killed_while_publishing",)),
    "P4": Fault(
        "no space left",
        (
            "faults/test_space.py::test_p4_a_full_disk_leaves_the_last_good_version",
            "faults/test_space.py::test_p4_spark_and_torch_say_it_too",
        ),
    ),
    "P6": Fault("two runs for one week at once", ("lake/test_races.py::test_two_runs_on_one_week_do_not_mix",)),
    "P7": Fault(
        "S3 and EMR throttled, expired credentials",
        (
            "resources/emr/test_cluster.py::test_a_throttled_quarter_of_an_hour_is_survived",
            "resources/emr/test_cluster.py::test_throttling_without_an_end_fails_and_still_ends_the_cluster",
            "resources/emr/test_cluster.py::test_credentials_that_stay_expired_leave_the_cluster_to_itself",
            "resources/emr/test_cluster.py::test_no_secret_is_written_anywhere",
        ),
    ),
    "P8": Fault(
        "EMR step fails", ("resources/emr/test_cluster.py::test_a_failing_step_is_shown_with_the_end_of_its_stderr",)
    ),
    "P9": Fault("EMR job of 31 minutes and more", ("resources/emr/test_cluster.py::test_a_long_step_is_waited_for",)),
    "P10": Fault(
        "orchestrator killed while EMR runs",
        (
            "resources/emr/test_cluster.py::test_the_request_says_what_must_hold_when_nobody_is_left",
            "resources/emr/test_reaper.py::test_only_clusters_whose_run_is_over_are_ended",
            "emr/test_ends.py::test_sigkill_to_the_run",
        ),
    ),
    "P11": Fault("run hangs", ("faults/test_space.py::test_p11_a_run_that_hangs_is_ended",)),
}
MODEL = {
    "M1": Fault("malicious checkpoint", (_MODELS + "test_m1_a_hostile_checkpoint_runs_nothing",)),
    "M2": Fault(
        "one flipped byte, truncated, 0 bytes",
        (
            _MODELS + "test_m2_a_damaged_champion_scores_nobody",
            "recommender/test_artifact.py::test_a_damaged_file_is_named_and_nothing_is_read",
        ),
    ),
    "M3": Fault(
        "NaN in loss, weights or scores",
        (
            "recommender/test_training.py::test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_model",
            "recommender/test_artifact.py::test_a_model_that_can_only_answer_nonsense_is_refused",
        ),
    ),
    "M5": Fault(
        "challenger worse than the champion",
        (_MODELS + "test_m5_a_forced_promotion_is_recorded", _MODELS + "test_m5_a_challenger_does_not_meet_itself"),
    ),
    "M6": Fault("rollback", (_MODELS + "test_m6_rolling_back_publishes_the_former_lists_again",)),
    "M7": Fault(
        "customers with nothing known",
        ("recommender/test_scoring.py::test_everybody_gets_exactly_k_rows_and_fallbacks_say_so",),
    ),
    "M9": Fault("same seed, other cores and file order", ("transforms/test_cores.py",)),
    "M10": Fault("other data after the week", ("test_promises.py::test_nothing_made_for_a_week_knows_a_later_one",)),
    "M11": Fault("baskets with no known product", ("transforms/test_missions.py",)),
    "M12": Fault(
        "refit swaps topic numbers",
        (
            "missions/test_learning.py::test_a_refit_keeps_ids_retires_and_adds",
            "missions/test_learning.py::test_baskets_keep_their_mission_over_a_refit",
        ),
    ),
}
SECURITY = {
    "S1": Fault(
        "product name =HYPERLINK(...)",
        (
            "faults/test_exports.py::test_s1_a_spreadsheet_runs_no_product_name",
            "exports/test_csv_files.py::test_what_a_spreadsheet_would_run_gets_an_apostrophe",
        ),
    ),
    "S3": Fault("canary secret and customer", (_PRIVACY + "test_s3_canaries_stay_out_of_what_runs_leave",)),
    "S4": Fault(
        "erase one customer",
        (
            _PRIVACY + "test_s4_an_erased_customer_is_nowhere",
            _PRIVACY + "test_s4_erasing_again_does_nothing",
            _PRIVACY + "test_s4_the_command_prints_a_receipt",
            "faults/test_exports.py::test_s4_an_erased_customer_leaves_the_exports",
        ),
    ),
    "S6": Fault("the UI from the shipped files", (_SUPPLY + "test_s6_the_ui_listens_to_this_machine",)),
    "S7": Fault(
        "known holes, version floors, pickles",
        (
            _SUPPLY + "test_s7_versions_are_above_their_floors",
            _SUPPLY + "test_s7_nothing_unpickles_or_evaluates",
            "faults/test_audit.py",
        ),
    ),
    "S8": Fault("bucket policy", ("deploy/test_deploy.py::test_terraform_holds_what_the_page_promises",)),
}
FAULTS = {**ARRIVAL, **CONTENT, **CRASH, **MODEL, **SECURITY, **MORE}
