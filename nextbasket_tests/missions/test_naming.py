import numpy as np
import pytest

from nextbasket_assets.missions.naming import lifts, propose, read_names
from nextbasket_assets.missions.topics import Topics


def topics(*counts: list[float]) -> Topics:
    k = len(counts)
    return Topics(np.array(counts), 0.01, np.ones(k))


def test_lift_is_worked_by_hand() -> None:
    """Half of one mission's items against a quarter of all: lift 2. Nobody's item has none."""
    assert lifts(np.array([[50.0, 50.0, 0.0], [0.0, 100.0, 0.0]])) == pytest.approx(
        np.array([[2.0, 2 / 3, 0.0], [0.0, 4 / 3, 0.0]])
    )


def test_names_say_what_sets_a_mission_apart() -> None:
    """Milk is in every basket and names nobody; wine and beer do, by what they tell, most first."""
    named = propose(
        topics([500, 90, 60, 0], [500, 0, 0, 150]), ["M01", "M02"], ["milk", "wine", "beer", "soap"], [""] * 4, {}
    )

    assert named == ["Wine & beer", "Soap"]


def test_a_name_begins_with_what_tells_most() -> None:
    """Milk is bought most and a third more than elsewhere; fewer bottles of wine, two and a quarter times as many, tell more."""
    words = ["milk", "wine", "soap"]

    assert propose(topics([500, 300, 0], [350, 0, 650]), ["M01", "M02"], words, words, {}) == ["Wine & milk", "Soap"]


def test_names_are_unique() -> None:
    """Two missions of one category are told apart by an item."""
    named = propose(
        topics([80, 0, 0], [0, 80, 0], [0, 0, 200]),
        ["M01", "M02", "M03"],
        ["pets", "pets", "soap"],
        ["cat food", "dog food", "s"],
        {},
    )

    assert named == ["Pets", "Pets & dog food", "Soap"]


def test_rare_items_name_nobody() -> None:
    """19 purchases of an item are chance, whatever its lift; nothing else sets the mission apart, and it is its number."""
    words = ["rare", "common"]
    named, twenty = (propose(topics([n, 100], [0, 100]), ["M07", "M12"], words, words, {}) for n in (19, 20))

    assert named == ["Mission 7", "Mission 12"]
    assert twenty == ["Rare", "Mission 12"]


def test_names_that_nothing_tells_apart_get_the_number() -> None:
    """Of three missions that buy the same, words tell two apart, and the third one's id tells it from the second."""
    missions, words = ["M01", "M04", "M05", "M06"], ["pets", "soap"]
    named = propose(topics([80, 0], [80, 0], [80, 0], [0, 200]), missions, words, words, {})

    assert named == ["Pets", "Pets & pets", "Pets & pets (5)", "Soap"]


def test_a_name_that_is_taken_stays_whose_it_is() -> None:
    """A generated name never repeats one that another mission has from before."""
    assert propose(topics([80, 0], [0, 80]), ["M01", "M02"], ["wine", "soap"], ["w", "s"], {"M01": "Soap"}) == [
        "Soap",
        "Soap & s",
    ]


def test_one_mission_is_everything() -> None:
    """Without structure there is nothing to name."""
    assert propose(topics([1, 1]), ["M03"], ["a", "b"], ["a", "b"], {}) == ["Everything"]


def test_names_of_a_person() -> None:
    """A YAML mapping of ids to names; spaces around a name do not count, an empty file names nobody."""
    assert read_names("M01: Sunday roast\nM02: ' Pets '\n") == {"M01": "Sunday roast", "M02": "Pets"}
    assert read_names("M01: '2024-12-24'") == {"M01": "2024-12-24"}
    assert read_names("M10: a\nM123: b\n").keys() == {"M10", "M123"}
    assert read_names("# nothing yet\n") == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- M01", "must map mission ids to names"),
        ("M01: 3", "must map"),
        ("M01: 2024-99-99", "must map .* with quotes around a name that is a number or a date"),
        ("M01: !!int 'x'", "must map"),
        ("M01: !!int ''", "must map"),
        ("M01: !!str [a]", "must map"),
        ("M01: ''", "must map"),
        ("? [a]\n: b", "no mission id"),
        ('M01: "\\U00110000"', "not YAML"),
        ("M01: a\nM02: a", "to two missions"),
        ("M01: &x a\nM02: *x", "to two missions"),
        ("{", "not YAML"),
        ("M3: a", "'M3', which is no mission id"),
        ("m03: a", "'m03', which is no mission id"),
        ("M003: a", "no mission id"),
        ("M03: a\nM03: b", "gives M03 two names"),
    ],
)
def test_a_bad_names_file_is_said(text: str, said: str) -> None:
    """What is wrong with missions.yaml, and what a line looks like."""
    with pytest.raises(ValueError, match=said):
        read_names(text)
