"""Options that mean nothing are said, with what would."""

import hashlib
from typing import Any

import pytest

from nextbasket_assets.exports.settings import ExportError, ExportSettings, read_items, read_settings


def test_a_list_is_one_code_a_line() -> None:
    """Empty lines and comments say nothing; spaces around a code and a byte order mark are not part of it."""
    content = b"\xef\xbb\xbf# alcohol\n 00123 \n\nNA\r\n00123\n"
    found = read_items("x.txt", content)

    assert found.items == {"00123", "NA"}
    assert (found.name, found.sha256) == ("x.txt", hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe0", "x.txt: not UTF-8 near byte 0"),
        (b"# nothing\n", "x.txt: no item code in it"),
        (b"PRD1\nPRD2, PRD3\n", "x.txt: line 2 holds more than one word"),
    ],
)
def test_a_list_that_is_none_is_refused(content: bytes, message: str) -> None:
    """A spreadsheet under the wrong name does not silently exclude nothing."""
    with pytest.raises(ExportError, match=message):
        read_items("x.txt", content)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"length": "long"}, "length is 'long'"),
        ({"k": 0}, "numbers from 1 up"),
        ({"k": 1001}, "no list is longer than 1000 items"),
        ({"shortest": 0}, "numbers from 1 up"),
        ({"holdout_share": 1.0, "campaign": "x"}, "holdout_share is 1.0"),
        ({"holdout_share": -0.1, "campaign": "x"}, "holdout_share is -0.1"),
        ({"holdout_share": 0.1}, "Name the campaign"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], message: str) -> None:
    """Each option says what it can be."""
    with pytest.raises(ExportError, match=message):
        ExportSettings(**options)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("length: [", "is not YAML in UTF-8"),
        ("allow: caf\u00e9.txt".encode("latin-1"), "is not YAML in UTF-8"),
        ("- own", "something else than options"),
        ("lenght: own", "Choose from length"),
        ("k: ten", "k is 'ten', and no int"),
        ("k: true", "k is True, and no int"),
        ("csv_guard: 0", "csv_guard is 0, and no bool"),
    ],
)
def test_a_wrong_export_yaml_is_refused(text: str | bytes, message: str) -> None:
    """A misspelt option does not silently fall back to its default."""
    with pytest.raises(ExportError, match=message):
        read_settings(text)


def test_an_export_yaml_gives_options() -> None:
    """Only what is written is given; a whole number is a share, too."""
    assert read_settings("length: own\nk: 10\nholdout_share: 0\n") == {"length": "own", "k": 10, "holdout_share": 0}
    assert read_settings("") == {}
