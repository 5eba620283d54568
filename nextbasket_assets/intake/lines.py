"""Rows of a retailer's files to lines of landing files: every row becomes a line, or is refused for the first fault found."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from nextbasket_assets.intake import values
from nextbasket_assets.intake.items import Items
from nextbasket_assets.intake.mapping import Mapping, When
from nextbasket_assets.landing import FIELDS, JOINT, LABELS, week_code

NOON = str(values.NOON)  # the hour of a line whose time of day is not known
_PLACES = ((0, 6), (6, 14), (14, 16), (16, 17))  # of week, day, hour and weekday in a stamp
DEFAULTS = {"QUANTITY": "1", "SPEND": "0", "STORE_CODE": "S1"}  # of fields that the mapping leaves out

_NEVER_EMPTY = ("PROD_CODE", "BASKET_ID", "STORE_CODE")
_VISIT = ("CUST_CODE", "SHOP_DATE", "SHOP_HOUR", "STORE_CODE")  # what tells a basket that has no id
_LONG_NUMBERS = ("CUST_CODE", "PROD_CODE")  # cards and EANs; baskets of a damaged id are rebuilt when they are staged
_FIRST = ("CUST_CODE", "PROD_CODE", "STORE_CODE")  # other fields are derived from these


class Lines:
    """The lines of one batch.

    Attributes:
        fields: by name, all text, as the landing file writes them.
        reason: why a row is refused; null for a sound one.
    """

    def __init__(self, rows: pa.RecordBatch, mapping: Mapping, items: Items, decimal: str, latest: date) -> None:
        self._rows, self._mapping, self._items, self._decimal = rows, mapping, items, decimal
        self.reason = pa.nulls(rows.num_rows, pa.string())
        self.fields: dict[str, pa.Array] = {}
        self._when(mapping.when, latest)
        for name in dict.fromkeys((*_FIRST, *FIELDS)):
            if name not in self.fields:
                self.fields[name] = self._field(name)
        for name in _NEVER_EMPTY:
            self._refuse(pc.equal(self.fields[name], ""), f"{name} is empty")

    def sound(self) -> pa.Table:
        """The 22 fields of the rows that are not refused, in the order of a landing file."""
        return pa.table([self.fields[name] for name in FIELDS], list(FIELDS)).filter(pc.is_null(self.reason))

    def rounded(self) -> int:
        """How many sound rows had a quantity that was no whole number."""
        if "QUANTITY" not in self._mapping.fields():
            return 0
        broken = pc.match_substring_regex(self._text(self._mapping.fields()["QUANTITY"]), r"[.,]0*[1-9]")
        return int(pc.sum(pc.and_(broken, pc.is_null(self.reason))).as_py() or 0)

    def _when(self, when: When, latest: date) -> None:
        columns = when.timestamp or [str(when.date)]
        zone = ZoneInfo(when.timezone) if when.timezone else None
        read = partial(values.moment, form=when.format, zone=zone, latest=latest)
        stamp = self._translated(self._text(columns), lambda text: _stamp(read(text)), " ".join(columns))
        week, day, hour, weekday = (pc.utf8_slice_codeunits(stamp, *place) for place in _PLACES)
        if when.hour:
            hour = self._translated(self._text([when.hour]), values.hour, when.hour)
        elif when.date:
            hour = self._constant(NOON)
        self.fields = {"SHOP_WEEK": week, "SHOP_DATE": day, "SHOP_WEEKDAY": weekday, "SHOP_HOUR": hour}

    def _field(self, name: str) -> pa.Array:
        columns = self._mapping.fields().get(name)
        if columns and len(columns) > 1:
            parts = [self._recoded(name, self._text([column])) for column in columns]
            return self._joined([self._translated(part, values.escaped, name) for part in parts])
        if columns:
            return self._ruled(name, self._recoded(name, self._text(columns)))
        if name in self._mapping.constants or name in DEFAULTS:
            return self._ruled(name, self._constant(self._mapping.constants.get(name, DEFAULTS.get(name, ""))))
        if name == "BASKET_ID":
            return self._joined([self.fields[part] for part in _VISIT])
        if name.startswith("PROD_CODE_"):
            return self._items.categories(name, self.fields["PROD_CODE"])
        return self._constant("")

    def _ruled(self, name: str, found: pa.Array) -> pa.Array:
        rules: dict[str, Callable[[str], str]] = {
            "QUANTITY": partial(values.quantity, decimal=self._decimal),
            "SPEND": partial(values.spend, decimal=self._decimal),
            **{label: partial(values.label, known=known) for label, known in LABELS.items()},
        }
        return self._translated(found, rules.get(name, values.code), name)

    def _recoded(self, name: str, found: pa.Array) -> pa.Array:
        own, read = self._mapping.codes.get(name, {}), values.intact if name in _LONG_NUMBERS else str
        if not own and name not in _LONG_NUMBERS:
            return found
        return self._translated(found, lambda text: own[text.strip()] if text.strip() in own else read(text), name)

    def _joined(self, parts: list[pa.Array]) -> pa.Array:
        """One code of several; empty where one of them is."""
        together = self._translated(pc.binary_join_element_wise(*parts, JOINT), values.shortened, "")
        for part in parts:
            together = pc.if_else(pc.equal(part, ""), "", together)
        return together

    def _text(self, columns: list[str]) -> pa.Array:
        return pc.binary_join_element_wise(*(pc.fill_null(self._rows[column], "") for column in columns), " ")

    def _constant(self, text: str) -> pa.Array:
        return pa.repeat(pa.scalar(text), self._rows.num_rows)

    def _translated(self, found: pa.Array, rule: Callable[[str], str], name: str) -> pa.Array:
        """Every value by the rule, each different one once; rows whose value breaks it are refused."""
        coded = found.dictionary_encode()
        results: list[str] = []
        faults: list[str | None] = []
        for text in coded.dictionary.to_pylist():
            try:
                results.append(rule(text))
                faults.append(None)
            except ValueError as error:
                results.append("")
                faults.append(f"{name} {'is empty' if not text.strip() else error}")
        self._refuse_for(pa.array(faults, pa.string()).take(coded.indices))
        return pa.array(results, pa.string()).take(coded.indices)

    def _refuse(self, rows: pa.Array, why: str) -> None:
        self._refuse_for(pc.if_else(rows, why, pa.scalar(None, pa.string())))

    def _refuse_for(self, reasons: pa.Array) -> None:
        self.reason = pc.coalesce(self.reason, reasons)  # the first fault stays


def _stamp(moment: datetime) -> str:
    """Week, day, hour and weekday of a moment, at `_PLACES`."""
    day = moment.date()
    return f"{week_code(day - timedelta(days=day.weekday()))}{moment:%Y%m%d%H}{day.isoweekday() % 7 + 1}"
