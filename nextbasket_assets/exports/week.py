"""A week's export from the lake's tables: what the asset `score_exports` and the command `nextbasket export` both call."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from nextbasket_assets.code_version import code_version
from nextbasket_assets.exports.folder import write_export
from nextbasket_assets.exports.lists import lists
from nextbasket_assets.exports.settings import ExportSettings
from nextbasket_assets.landing import week_code

_SHOWN = 20  # unknown codes that the manifest spells out


@dataclass(frozen=True, kw_only=True)
class WeekOfScores:
    """What an export is made from.

    Attributes:
        week: its Monday.
        scores: rows of next_basket_scores of the week.
        outlook: rows of next_trip_outlook of the week.
        tables: version of each table that was read.
        names: the retailer's names of items.
        known: items that the models know, beside those on the lists and those with a name.
    """

    week: date
    scores: pa.Table
    outlook: pa.Table
    tables: Mapping[str, int]
    names: Mapping[str, str]
    known: frozenset[str]


def export_week(folder: Path, made: WeekOfScores, settings: ExportSettings) -> dict[str, Any]:
    """Write the export of a week into a folder that exists; its manifest.

    Raises:
        ExportError: the week has no scores, or its scores and outlooks do not belong together.
    """
    about = {
        "week": made.week.isoformat(),
        "retail_week": week_code(made.week),
        "tables": dict(made.tables),
        "code_version": code_version(),
        "settings": settings.as_json(),
        "unknown_items": _unknown(made, settings),
    }
    return write_export(folder, lists(made.week, made.scores, made.outlook, settings, made.names), about)


def _unknown(made: WeekOfScores, settings: ExportSettings) -> dict[str, dict[str, Any]]:
    """Codes of the lists that nobody has heard of: misspelt, or of another shop."""
    heard_of = made.known | made.names.keys() | set(made.scores["item"].unique().to_pylist())
    listed = {"allow": settings.allow, "exclude": settings.exclude}
    strange = {name: sorted(one.items - heard_of) for name, one in listed.items() if one}
    return {name: {"count": len(codes), "first": codes[:_SHOWN]} for name, codes in strange.items()}
