"""Arrivals: what each name in the landing folder asks for, and why."""

from datetime import date

import pytest

from nextbasket_assets.arrivals import Decision, Listed, decide
from nextbasket_assets.landing import LandingError

FIRST, LAST = date(2006, 4, 10), date(2006, 5, 1)  # 200607 to 200610
FILE = Listed("transactions_200607.csv", 10, "t1")


def decided(now: list[Listed], before: list[Listed] | None = None, ingested: dict[date, str] | None = None, **sha: str):
    """Decisions on a folder that did not change since the last look, unless `before` says so; content is the name."""

    def digest(listed: Listed) -> str:
        return sha.get(listed.name.split("_")[1].replace(".", "_"), listed.name)

    return decide(now, now if before is None else before, ingested or {}, FIRST, LAST, digest)


def test_new_week() -> None:
    """A file that two looks agree on, of a week that the lake does not have, is new."""
    assert decided([FILE]) == [
        Decision(
            FILE.name,
            "new",
            "transactions_200607.csv: week 200607 is not in the lake yet",
            date(2006, 4, 10),
            FILE.name,
        )
    ]


def test_both_ends_of_the_weeks_wanted_are_wanted() -> None:
    """The first week and the last one are work, as the calendar has both."""
    files = [FILE, Listed("transactions_200610.csv", 10, "t1")]

    assert [(decision.kind, decision.week) for decision in decided(files)] == [("new", FIRST), ("new", LAST)]


@pytest.mark.parametrize("before", [[], [Listed(FILE.name, 9, "t1")], [Listed(FILE.name, 10, "t0")]])
def test_growing_file_waits(before: list[Listed]) -> None:
    """A file whose size or time changed since the last look is left alone, and not even read."""

    def unread(listed: Listed) -> str:
        raise AssertionError

    (decision,) = decide([FILE], before, {}, FIRST, LAST, unread)

    assert decision.kind == "waiting"
    assert decision.reason == "transactions_200607.csv: new or still growing (10 bytes), waiting"


def test_empty_file_waits() -> None:
    """0 bytes is a file that somebody is about to write."""
    (decision,) = decided([Listed(FILE.name, 0, "t1")])

    assert (decision.kind, decision.reason) == ("waiting", "transactions_200607.csv: 0 bytes, waiting")


def test_same_content_again() -> None:
    """A week whose content the lake has asks for nothing, whatever the file's time says."""
    (decision,) = decided([Listed(FILE.name, 10, "t9")], ingested={date(2006, 4, 10): FILE.name})

    assert decision.kind == "ingested"


def test_corrected_week() -> None:
    """Other content for a week that the lake has replaces it."""
    (decision,) = decided([FILE], ingested={date(2006, 4, 10): "older content"})

    assert decision.kind == "corrected"


def test_duplicate_under_a_second_name() -> None:
    """The same content under two names is accepted once, and the other name says of which it is a duplicate."""
    packed = Listed("transactions_200607.csv.gz", 5, "t1")

    first, second = decided([packed, FILE], **{"200607_csv_gz": FILE.name})

    assert (first.name, first.kind) == (FILE.name, "new")
    assert (second.name, second.kind) == (packed.name, "duplicate")
    assert second.reason.startswith("transactions_200607.csv.gz: duplicate of transactions_200607.csv (sha256 ")


def test_one_weeks_content_under_another_weeks_name() -> None:
    """The later week is no work while the earlier one's file is beside it; what the lake holds of another week is no twin."""
    copied = Listed("transactions_200608.csv", 10, "t2")

    first, second = decided([FILE, copied], **{"200608_csv": FILE.name})
    (alone,) = decided([copied], ingested={FIRST: copied.name})

    assert [first.kind, second.kind, alone.kind] == ["new", "duplicate", "new"]


@pytest.mark.parametrize("held", [{}, {FIRST: FILE.name}, {FIRST: "older content"}])
def test_two_contents_for_one_week(held: dict[date, str]) -> None:
    """Two files with different content for one week are both left alone until one is removed, also when the lake has one."""
    both = [FILE, Listed("transactions_200607.csv.gz", 5, "t1")]

    assert [decision.kind for decision in decided(both, ingested=held)] == ["conflict", "conflict"]


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("transactions_200611.csv", "refused", "week 200611 is after the last week wanted"),
        ("transactions_200606.csv", "refused", "week 200606 is before the first week wanted"),
        ("transactions_200653.csv", "refused", "there is no retail week 200653"),
        ("transactions_200607.csv.bak", "ignored", "the name is not transactions_YYYYWW.csv"),
        ("time.csv", "ignored", "the name is not transactions_YYYYWW.csv"),
    ],
)
def test_names_that_ask_for_nothing(name: str, kind: str, reason: str) -> None:
    """Weeks outside the range are refused, other names ignored, each with its reason."""
    (decision,) = decided([Listed(name, 10, "t1")])

    assert decision.kind == kind
    assert reason in decision.reason


def test_unsound_file() -> None:
    """A file that cannot be read is refused with the reader's sentence, and the other files go on."""

    def digest(listed: Listed) -> str:
        if listed == FILE:
            raise LandingError("transactions_200607.csv: gzip ends early")
        return "content"

    listing = [FILE, Listed("transactions_200608.csv", 3, "t1")]

    first, second = decide(listing, listing, {}, FIRST, LAST, digest)

    assert (first.kind, first.reason) == ("refused", "transactions_200607.csv: gzip ends early")
    assert second.kind == "new"


def test_a_refused_twin_holds_the_sound_file_back() -> None:
    """A run reads every file of its week: beside a damaged one the sound file is no work until that one is gone."""
    packed = Listed(FILE.name + ".gz", 5, "t1")

    def digest(listed: Listed) -> str:
        if listed == packed:
            raise LandingError("transactions_200607.csv.gz: gzip ends early")
        return "content"

    both = [FILE, packed]
    sound, refused = decide(both, both, {}, FIRST, LAST, digest)
    held, _ = decide(both, both, {date(2006, 4, 10): "content"}, FIRST, LAST, digest)
    (alone,) = decide([FILE], [FILE], {}, FIRST, LAST, digest)

    assert [(sound.kind, refused.kind), held.kind, alone.kind] == [("conflict", "refused"), "ingested", "new"]
    assert sound.reason == (
        "transactions_200607.csv: transactions_200607.csv.gz is for week 200607, too, and was refused. Correct or remove it."
    )


def test_a_twin_that_is_not_there_yet_holds_the_sound_file_back() -> None:
    """A second file of the week that is empty or still growing is waited for."""
    growing = Listed(FILE.name + ".gz", 5, "t1")

    sound, twin = decided([FILE, growing], [FILE])

    assert (sound.kind, twin.kind) == ("waiting", "waiting")
    assert (
        sound.reason == "transactions_200607.csv: waiting for transactions_200607.csv.gz, another file for week 200607"
    )


def test_a_file_that_was_not_read_waits() -> None:
    """A look without time left decides nothing about the file, and says so."""
    (decision,) = decide([FILE], [FILE], {}, FIRST, LAST, lambda _: None)

    assert decision.kind == "waiting"
    assert decision.reason == "transactions_200607.csv: this look had no time left to read it, waiting"


def test_a_week_that_the_retailers_calendar_lacks_is_refused() -> None:
    """Where a time.csv says which weeks there are a file of another one is not read, whatever is in it."""
    files = [Listed(f"transactions_{code}.csv", 10, "t1") for code in ("200607", "200608")]
    read: list[str] = []

    def digest(listed: Listed) -> str:
        read.append(listed.name)
        return listed.name

    known, unknown = decide(files, files, {}, FIRST, LAST, digest, calendar={FIRST})

    assert (known.kind, unknown.kind, read) == ("new", "refused", ["transactions_200607.csv"])
    assert "week 200608 is not in time.csv. Deliver the calendar that has it" in unknown.reason
