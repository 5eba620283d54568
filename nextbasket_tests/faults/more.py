"""Faults of the same kinds that the list of the catalogue does not name."""

from nextbasket_tests.faults.fault import Fault

_FILES, _DAMAGE, _KEYED = "faults/test_hostile_files.py::", "faults/test_damage.py::", "faults/test_pseudonyms.py::"
MORE = {
    "A1": Fault(
        "no header, Mac line ends, UTF-16, ';', endless line",
        (_FILES + "test_what_is_no_weekly_file_is_refused_with_its_reason",),
    ),
    "A2": Fault(
        "folder, pipe, broken link, no permission",
        (_FILES + "test_what_only_bears_the_name_is_refused", _FILES + "test_a_file_that_may_not_be_read_is_refused"),
    ),
    "A3": Fault(
        "file replaced while it is read, same size and time",
        (_FILES + "test_a_file_replaced_while_it_is_read_is_noticed",),
    ),
    "A4": Fault(
        "gzip bomb, members, trailing garbage",
        (
            _FILES + "test_a_gzip_bomb_is_left_early",
            _FILES + "test_members_of_a_gzip_are_one_text_and_garbage_is_refused",
        ),
    ),
    "A5": Fault(
        "time.csv, products.csv, missions.yaml in other encodings",
        (_FILES + "test_companions_in_another_encoding_are_one_sentence", _DAMAGE + "test_odd_companions_stop_no_tick"),
    ),
    "A6": Fault("cursor edited by hand", (_DAMAGE + "test_an_edited_cursor_is_a_lost_one",)),
    "D1": Fault("data file of the lake gone, cut, empty", (_DAMAGE + "test_a_data_file_that_is_gone_or_cut_is_named",)),
    "D6": Fault(
        "a flipped bit in a data file of the lake",
        (
            _DAMAGE + "test_a_flipped_bit_is_an_error_and_no_other_number",
            _DAMAGE + "test_spark_says_which_file_is_damaged",
        ),
    ),
    "D2": Fault(
        "commit cut, overwritten, emptied by a power cut",
        (_DAMAGE + "test_a_damaged_commit_stops_readers_and_writers",),
    ),
    "D3": Fault("a hundred commits, months old", (_DAMAGE + "test_old_commits_are_kept",)),
    "D4": Fault(
        "lake that may not be written",
        (
            _DAMAGE + "test_a_place_that_may_not_be_written_is_one_sentence",
            _DAMAGE + "test_somebody_else_may_read_the_lake_and_not_write_it",
        ),
    ),
    "D5": Fault("model registry lost", (_DAMAGE + "test_a_lost_registry_is_noticed_and_no_model_is_removed",)),
    "K1": Fault(
        "pseudonyms: a plain code or the key written anywhere", (_KEYED + "test_no_plain_code_is_written_anywhere",)
    ),
    "K2": Fault(
        "pseudonyms: another key, no key, a key too late",
        (_KEYED + "test_another_key_and_no_key_are_refused", _KEYED + "test_a_lake_of_plain_codes_stays_one"),
    ),
    "K3": Fault(
        "lock: a package with other bytes", ("faults/test_lock.py::test_another_file_of_the_same_version_is_refused",)
    ),
}
