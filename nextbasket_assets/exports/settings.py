"""What an export may be told: how long the lists are, which items may be on them, who is held out."""

import hashlib
from dataclasses import dataclass, fields
from typing import Any

import yaml

from nextbasket_assets.errors import BAD_INPUT, NextbasketError

FILE_NAME = "export.yaml"  # beside the landing files: the retailer's settings for every export
FIXED, OWN = "fixed", "own"
MOST_ITEMS = 1000  # on a list: the wide form has three columns for each
_TYPES: dict[str, type] = {
    **{"length": str, "k": int, "shortest": int, "allow": str, "exclude": str},
    **{"campaign": str, "holdout_share": float, "csv_guard": bool},
}


class ExportError(NextbasketError):
    """An export that cannot be made as asked; the message says what, why, and what to do."""

    exit_code = BAD_INPUT


@dataclass(frozen=True)
class ItemList:
    """Item codes that somebody wrote down.

    Attributes:
        name: of the file they came from.
        sha256: of its bytes.
        items: the codes.
    """

    name: str
    sha256: str
    items: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class ExportSettings:
    """The options of an export.

    Attributes:
        length: `fixed`, `k` items for everybody; `own`, as many as the customer's next basket is expected to hold.
        k: items on a list, at most, up to MOST_ITEMS; None for all that were scored.
        shortest: items on a list of its own length, at least.
        allow: the only items that may be on a list; None for all.
        exclude: items that may not be on a list.
        campaign: what the hold-out is drawn for; another name draws another group.
        holdout_share: share of the customers who are to be left alone, from 0 to below 1.
        csv_guard: whether a CSV cell that a spreadsheet would run as a formula gets a leading apostrophe.
    """

    length: str = FIXED
    k: int | None = None
    shortest: int = 3
    allow: ItemList | None = None
    exclude: ItemList | None = None
    campaign: str = ""
    holdout_share: float = 0.0
    csv_guard: bool = True

    def __post_init__(self) -> None:
        if self.length not in (FIXED, OWN):
            raise ExportError(f"length is {self.length!r}. Choose {FIXED!r} or {OWN!r}.")
        if (self.k is not None and self.k < 1) or self.shortest < 1:
            raise ExportError("k and shortest count items. Choose numbers from 1 up.")
        if self.k is not None and self.k > MOST_ITEMS:
            raise ExportError(f"k is {self.k}, and no list is longer than {MOST_ITEMS} items. Choose a smaller k.")
        if not 0 <= self.holdout_share < 1:
            raise ExportError(f"holdout_share is {self.holdout_share}. Choose a share from 0 to below 1.")
        if self.holdout_share and not self.campaign:
            raise ExportError("a hold-out is drawn for a campaign, and none is named. Name the campaign.")

    def as_json(self) -> dict[str, Any]:
        """The options as the manifest shows them; of lists, which file they were."""
        shown = {field.name: getattr(self, field.name) for field in fields(self)}
        return shown | {name: _as_json(shown[name]) for name in ("allow", "exclude")}


def _as_json(listed: ItemList | None) -> dict[str, Any] | None:
    if listed is None:
        return None
    return {"file": listed.name, "sha256": listed.sha256, "items": len(listed.items)}


def read_items(name: str, content: bytes) -> ItemList:
    """A file of item codes, one a line; empty lines and lines that start with # say nothing.

    Raises:
        ExportError: it is no UTF-8 text, a line is no code, or there is no code in it.
    """
    try:
        lines = [line.strip() for line in content.decode("utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        raise ExportError(f"{name}: not UTF-8 near byte {error.start}. Save it as UTF-8 text.") from error
    codes = {number: line for number, line in enumerate(lines, 1) if line and not line.startswith("#")}
    broken = next((number for number, code in codes.items() if len(code.split()) > 1), None)
    if broken:
        raise ExportError(f"{name}: line {broken} holds more than one word. Write one item code a line.")
    if not codes:
        raise ExportError(f"{name}: no item code in it. Write one item code a line, or leave the list out.")
    return ItemList(name, hashlib.sha256(content).hexdigest(), frozenset(codes.values()))


def read_settings(text: str | bytes) -> dict[str, Any]:
    """The options that an export.yaml gives: a mapping of option to value; lists are names of files beside it.

    Raises:
        ExportError: it is no such mapping, or an option is unknown.
    """
    try:
        given = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise ExportError(
            f"{FILE_NAME} is not YAML in UTF-8: {error}. Write one option a line, like 'length: own'."
        ) from error
    if not isinstance(given, dict) or not given.keys() <= _TYPES.keys():
        raise ExportError(f"{FILE_NAME} gives something else than options. Choose from {', '.join(_TYPES)}.")
    wrong = next((name for name, value in given.items() if not _is(value, _TYPES[name])), None)
    if wrong:
        wanted = _TYPES[wrong].__name__
        raise ExportError(
            f"{FILE_NAME}: {wrong} is {given[wrong]!r}, and no {wanted}. Correct the line, or leave it out."
        )
    return given


def _is(value: Any, wanted: type) -> bool:
    """A whole number is a number, too; true and false are none."""
    return type(value) is wanted or (wanted is float and type(value) is int)
