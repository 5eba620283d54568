"""What the landing sensor remembers: enough to read nothing twice, and nothing that cannot be lost."""

import itertools
import json
from types import SimpleNamespace

import pytest

from nextbasket_assets.arrivals import Listed
from nextbasket_assets.landing import EmptyWeekError
from nextbasket_assets.operations import cursor
from nextbasket_assets.resources.landing_folders import LocalFolder
from nextbasket_tests.operations.ticking import HEADER, LINE, Shop


def test_a_lost_cursor_reprocesses_nothing(shop: Shop) -> None:
    """Without its cursor the sensor looks twice again and finds the lake as it is."""
    shop.deliver("200607")
    shop.ingest("200607")
    shop.cursor = None

    assert [shop.launched() for _ in range(3)] == [[], [], []]


def test_the_cursor_stays_small(shop: Shop) -> None:
    """The cursor holds what the folder holds, and forgets files that are gone."""
    shop.deliver("200607")
    shop.deliver("200608", lines=2)
    shop.tick()
    shop.tick()
    (shop.folder / "transactions_200608.csv").unlink()
    shop.tick()

    remembered = json.loads(str(shop.cursor))
    assert [name for name, _, _ in remembered["listed"]] == ["transactions_200607.csv"]
    assert list(remembered["digests"]) == ["transactions_200607.csv"]


def test_a_look_ends_in_time_and_the_next_one_goes_on(shop: Shop) -> None:
    """Half a minute of reading is one look; what it read is remembered, and no week is run before all are read."""
    for number in (7, 8, 9):
        shop.deliver(f"20060{number}", text=HEADER + LINE * number)
    shop.clock = itertools.count(0, 31).__next__  # every look at it finds half a minute gone
    shop.tick()

    assert "2 more file(s) to read at the next look" in str(shop.tick().skip_message)
    assert "transactions_200609.csv: this look had no time left" in str(shop.tick().skip_message)
    assert [week for _, week in shop.launched()] == ["2006-04-10", "2006-04-17", "2006-04-24"]


def test_a_refusal_lasts_as_long_as_the_code(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an upgrade a refused file is read again: what refused it may be gone."""
    shop.deliver("200607", text=HEADER + LINE[:-1])
    shop.tick()
    assert "last line has no newline" in str(shop.tick().skip_message)
    monkeypatch.setattr(cursor, "code_version", lambda: "next")
    monkeypatch.setattr(cursor, "inspect_file", lambda *_, **__: SimpleNamespace(sha256="taken", week=None, lines=1))

    assert shop.launched() == [("score_week", "2006-04-10")]


def test_a_refused_file_is_read_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is in the cursor until the file changes; what could not even be opened is tried again."""
    shop.deliver("200607", text=HEADER + LINE[:-1])
    (shop.folder / "transactions_200608.csv").mkdir()
    shop.tick()
    first = str(shop.tick().skip_message)
    opened: list[str] = []
    read = cursor.inspect_file
    monkeypatch.setattr(
        cursor, "inspect_file", lambda folder, name, **how: (opened.append(name), read(folder, name, **how))[1]
    )

    assert "last line has no newline at byte" in first
    assert shop.tick().skip_message == first
    assert opened == ["transactions_200608.csv"]
    assert list(json.loads(str(shop.cursor))["refused"]) == ["transactions_200607.csv"]

    shop.deliver("200607")
    shop.tick()
    assert shop.launched() == [("score_week", "2006-04-10")]


def test_a_week_that_was_emptied_on_purpose_is_in_the_lake(shop: Shop) -> None:
    """A file without rows is refused until the lake has its week without rows, whatever other weeks are like."""
    shop.deliver("200607", lines=0)
    shop.tick()
    first = str(shop.tick().skip_message)
    shop.ingest("200607", allow_empty=True)
    second = str(shop.tick().skip_message)
    shop.deliver("200608", lines=0)
    shop.tick()

    lost = cursor.Digests(LocalFolder(shop.folder), json.loads(str(shop.cursor))["digests"], {}, {})
    assert "transactions_200607.csv: 0 rows, only a header" in first
    assert second == "all 1 file(s) of the landing folder are in the lake as they are"
    assert "transactions_200608.csv: 0 rows, only a header" in str(shop.tick().skip_message)
    with pytest.raises(EmptyWeekError):  # in a lake begun anew nobody has allowed it
        lost(LocalFolder(shop.folder).list()[0])


def test_a_file_of_another_size_is_read_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of a file system may be coarse: two contents of one moment differ in their size at least."""
    contents = iter(["first", "second"])
    monkeypatch.setattr(
        cursor, "inspect_file", lambda *_, **__: SimpleNamespace(sha256=next(contents), week=None, lines=1)
    )
    digests = cursor.Digests(LocalFolder(shop.folder), {}, {}, {})
    states = [Listed("transactions_200607.csv", size, "a moment") for size in (1, 1, 2)]

    assert [digests(state) for state in states] == ["first", "first", "second"]


@pytest.mark.parametrize("written", ["", "yesterday", "[]", "{}"])
def test_what_is_no_cursor_is_a_lost_one(shop: Shop, written: str) -> None:
    """Whatever somebody wrote in its place costs a look and no tick."""
    shop.deliver("200607")
    shop.cursor = written

    assert "waiting" in str(shop.tick().skip_message)
    assert shop.launched() == [("score_week", "2006-04-10")]


@pytest.mark.parametrize(
    ("word", "entry"),
    [
        ("digests", {"transactions_200607.csv": None}),
        ("digests", {"transactions_200607.csv": ["1 2"]}),
        ("refused", {"transactions_200607.csv": 3}),
        ("listed", [["a", [], "1"]]),
        ("listed", [["a", 1, 1]]),
        ("table", ["t"]),
        ("former", 3),
        ("behind", ["staged_baskets"]),
    ],
)
def test_a_cursor_with_a_wrong_entry_is_a_lost_one(shop: Shop, word: str, entry: object) -> None:
    """A hand-edited entry of any part costs a look: the file waits once more, then its week is run."""
    shop.deliver("200607")
    shop.tick()
    shop.cursor = json.dumps(json.loads(str(shop.cursor)) | {word: entry})

    assert "waiting" in str(shop.tick().skip_message)
    assert shop.launched() == [("score_week", "2006-04-10")]
