"""Which weeks are behind, as commits and the registry tell it, of tables without a row."""

import os
import shutil
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable, PostCommitHookProperties

from nextbasket_assets.lake import freshness, registry
from nextbasket_assets.lake.freshness import _in_force, _promotions
from nextbasket_assets.lake.publish import Provenance, publish, stage
from nextbasket_assets.lake.registry import PROMOTED, Decision
from nextbasket_assets.lake.tables import Lake

WEEKS = [date(2006, 4, 10) + timedelta(weeks=number) for number in range(6)]
SEQUENCES, PROFILES, TAGS, HISTORY = (
    "customer_sequences",
    "mission_profiles",
    "mission_tagged_baskets",
    "mission_history",
)


def make(lake: Lake, table: str, weeks: Sequence[date], unsaid: Sequence[str] = ()) -> None:
    """Publish these weeks, made from all that the table is made from, at its newest version."""
    reads = {source.table for source in freshness.sources(table)} if table in freshness.SOURCES else set()
    inputs = {read: lake.version(read) for read in reads - {*unsaid}}
    with stage(lake, table, "r") as folder:
        publish(lake, table, folder, weeks, Provenance("r", "c", inputs))


def promote(lake: Lake, week: date, version: str, name: str = "mission_model") -> None:
    registry.record(
        lake, Decision(
            week=week, name=name, version=version, decision=PROMOTED, why="so", metrics={}, artifact="a", digest="d",
            inputs={}, run_id="r",
        ),
    )  # fmt: skip


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Five weeks, of which the second has a mission model; all of them are profiled and scored."""
    lake = Lake(str(tmp_path))
    make(lake, "raw_transactions", WEEKS[:5])
    make(lake, "staged_baskets", WEEKS[:5])
    promote(lake, WEEKS[1], "m1")
    make(lake, HISTORY, [WEEKS[1]])
    for table in (TAGS, PROFILES, SEQUENCES, *freshness.SCORES):
        make(lake, table, WEEKS[:5])
    return lake


def catch_up(lake: Lake) -> list[str]:
    """Make the first table that is behind, again and again; the tables that were made."""
    made: list[str] = []
    while found := freshness.behind(lake):
        table, weeks = next(iter(found.items()))
        make(lake, table, weeks)
        made.append(table)
        assert len(made) <= len(freshness.SOURCES), "the lake never gets up to date"
    return made


def test_a_lake_that_was_made_in_order_is_up_to_date(lake: Lake) -> None:
    """Nothing is behind, and a new recommender leaves it so."""
    assert freshness.behind(lake) == {}
    promote(lake, WEEKS[4], "r1", name="rnn_model")

    assert freshness.behind(lake) == {}


def test_a_corrected_week_is_caught_up_with(lake: Lake) -> None:
    """Tags and history before what reads them, each table once, and then nothing is behind."""
    make(lake, "staged_baskets", [WEEKS[0]])

    assert catch_up(lake) == list(freshness.SOURCES)[1:]


def test_tags_that_are_mended_later_leave_their_readers_behind(lake: Lake) -> None:
    """Sequences and profiles that were made while the tags' own run had failed are made again when it went through."""
    make(lake, "staged_baskets", [WEEKS[2]])
    for table in (HISTORY, PROFILES, SEQUENCES):
        make(lake, table, freshness.behind(lake).get(table, []) or [WEEKS[1]])
    assert SEQUENCES not in freshness.behind(lake)
    make(lake, TAGS, [WEEKS[2]])

    assert freshness.behind(lake)[SEQUENCES] == freshness.behind(lake)[PROFILES] == WEEKS[2:5]


def test_a_history_that_is_mended_later_leaves_the_weeks_of_its_model_behind(lake: Lake) -> None:
    """The weeks in whose terms it is, and none before its model."""
    make(lake, HISTORY, [WEEKS[1]])

    assert freshness.behind(lake) == {PROFILES: WEEKS[1:5], SEQUENCES: WEEKS[1:5]}


def test_tags_that_no_sequence_reads_leave_none_behind(lake: Lake) -> None:
    """Of baskets up to the model's week a sequence has the tags of the history."""
    make(lake, TAGS, [WEEKS[1]])

    assert freshness.behind(lake) == {PROFILES: WEEKS[1:5]}


def test_tags_before_the_first_model_count(tmp_path: Path) -> None:
    """Without a mission model there is no history, and every week's tags are read."""
    lake = Lake(str(tmp_path))
    for table in ("raw_transactions", "staged_baskets", TAGS, SEQUENCES, PROFILES, *freshness.SCORES):
        make(lake, table, WEEKS[:3])
    make(lake, TAGS, [WEEKS[1]])

    assert freshness.behind(lake) == {PROFILES: WEEKS[1:3], SEQUENCES: WEEKS[1:3]}


def test_what_a_commit_does_not_say_leaves_nothing_behind(lake: Lake) -> None:
    """Weeks of code that did not write down all that it read are not all made again: only what it did read counts."""
    make(lake, SEQUENCES, WEEKS[:5], unsaid=[TAGS, HISTORY])
    make(lake, TAGS, WEEKS[:5], unsaid=["model_registry"])
    for table in (PROFILES, *freshness.SCORES):
        make(lake, table, WEEKS[:5])
    promote(lake, WEEKS[3], "m2")
    make(lake, HISTORY, [WEEKS[3]])

    assert freshness.behind(lake) == {PROFILES: WEEKS[3:5]}


def test_a_model_as_of_an_older_week_tags_the_weeks_after_it_again(lake: Lake) -> None:
    """The weeks from its own on are tagged anew, and what was made from their former tags follows; earlier ones stay."""
    promote(lake, WEEKS[2], "m2")
    first = freshness.behind(lake)

    assert first == {TAGS: WEEKS[2:5], HISTORY: [WEEKS[2]]}
    assert catch_up(lake) == [TAGS, HISTORY, PROFILES, SEQUENCES, *freshness.SCORES]


def test_a_model_as_of_a_week_that_is_not_there_has_no_history(lake: Lake) -> None:
    """Without its own baskets no history can be made, and none is asked for at every look."""
    promote(lake, WEEKS[5], "m5")

    assert freshness.behind(lake) == {}


def test_a_model_that_is_in_force_nowhere_tags_nothing(lake: Lake) -> None:
    """Weeks keep the tags of the newest model that they may know, whenever an older one is trained."""
    promote(lake, WEEKS[0], "m0")

    assert freshness.behind(lake) == {TAGS: [WEEKS[0]], HISTORY: [WEEKS[0]]}


def test_the_same_model_again_is_no_news(lake: Lake) -> None:
    """A training that ends with the version that is in force leaves nothing behind; another version of its week does."""
    promote(lake, WEEKS[1], "m1")
    assert freshness.behind(lake) == {}
    promote(lake, WEEKS[1], "m1 of other settings")

    assert freshness.behind(lake) == {TAGS: WEEKS[1:5], HISTORY: [WEEKS[1]]}


def test_the_model_in_force_is_the_registrys(lake: Lake) -> None:
    """Freshness and the registry name the same model for every week, whatever the order of the trainings."""
    for week, version in ((3, "m3"), (2, "m2"), (3, "m3 again"), (2, "m2"), (3, "m3")):
        promote(lake, WEEKS[week], version)
        for asked in WEEKS:
            champion = registry.promoted(lake, "mission_model", asked)
            found = _in_force(_promotions(lake), asked).version
            assert found == (champion.version if champion else None)


def test_what_was_made_from_a_table_whose_place_another_took_is_made_again(lake: Lake) -> None:
    """A table that was moved away and made anew counts its versions from nought: what read the former one is behind."""
    make(lake, "staged_baskets", WEEKS[:5])
    catch_up(lake)
    shutil.rmtree(lake.path("staged_baskets"))
    make(lake, "staged_baskets", WEEKS[:5])
    anew = Lake(lake.root)

    assert freshness.behind(anew) == {TAGS: WEEKS[:5], HISTORY: [WEEKS[1]], PROFILES: WEEKS[:5], SEQUENCES: WEEKS[:5]}
    assert catch_up(anew) == [TAGS, HISTORY, PROFILES, SEQUENCES, *freshness.SCORES]


@pytest.mark.parametrize(
    ("table", "weeks", "reader"), [("next_trip_outlook", WEEKS[4:5], "score_exports"), (HISTORY, WEEKS[1:2], SEQUENCES)]
)
def test_a_table_that_is_read_besides_may_be_made_anew_too(
    lake: Lake, table: str, weeks: list[date], reader: str
) -> None:
    """Also one without which a week could be made: when its own run goes through later, its readers follow."""
    make(lake, table, weeks)
    catch_up(lake)
    shutil.rmtree(lake.path(table))
    make(lake, table, weeks)
    anew = Lake(lake.root)

    assert {*weeks} <= {*freshness.behind(anew)[reader]}
    catch_up(anew)


def test_a_vacuum_of_the_registry_hides_no_model(lake: Lake) -> None:
    """It adds two versions that are no decisions: a model as of an older week is news to the weeks tagged after it."""
    orphan = Path(lake.path("model_registry"), "part-00000-orphan.parquet")
    orphan.write_bytes(b"")
    os.utime(orphan, (1, 1))
    kept = PostCommitHookProperties(cleanup_expired_logs=False)
    DeltaTable(lake.path("model_registry")).vacuum(168, dry_run=False, full=True, post_commithook_properties=kept)
    after = Lake(lake.root)
    assert after.version("model_registry") == 2
    make(after, TAGS, WEEKS[:5])
    catch_up(after)
    promote(after, WEEKS[2], "m2")

    assert freshness.behind(after) == {TAGS: WEEKS[2:5], HISTORY: [WEEKS[2]]}


def test_lists_that_wait_for_an_outlook_are_exported_again(lake: Lake) -> None:
    """An export holds lists and outlooks; when the outlook's own run went through later, it is made again."""
    make(lake, "next_trip_outlook", [WEEKS[4]])

    assert freshness.behind(lake) == {"score_exports": [WEEKS[4]]}
