"""A retailer's value as the landing file writes it: text in, text out. A value that has none is a `ValueError` that says why."""

import hashlib
import math
import re
from collections.abc import Collection
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from functools import lru_cache
from zoneinfo import ZoneInfo

from nextbasket_assets.landing import JOINT, monday

NOON = 12  # the hour of what has no time of day

_LONGEST = 64  # of a code, by the rules of a line
_UNSAFE = re.compile(r'[^!-~]|[",%~]')
_DIGEST = 16
_SHORTENED = re.compile(r"\d+[.,]\d*[eE]\+?\d+")  # with a point: 12E5 may be a code
LAST_DAY = date(monday("999952").year - 1, 12, 31)  # of the last year whose weeks have all six digits
_FIRST_YEAR = 1990  # exports write 1900-01-01 and 1970-01-01 for none
_OF_DAY = re.compile("%[HIcX]")  # in a form: an hour
_UNSEPARATED = re.compile("(?:%[dmyYHIMSj]){2,}")  # in a form: numbers side by side
_PARTS = re.compile(f"({_UNSEPARATED.pattern})|%(.)")
_WIDTHS = {"Y": 4, "j": 3}  # digits of numbers that have not two
_CENT = Decimal("0.01")


def escaped(text: str) -> str:
    """Visible ASCII without comma, quote, percent sign or tilde: the others as in a URL. Different texts stay different.

    >>> escaped(" 31198570044"), escaped("FRZN ICE")
    ('31198570044', 'FRZN%20ICE')
    """
    return _UNSAFE.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), text.strip())


def shortened(text: str) -> str:
    """A code of at most 64 characters; a longer one ends in a digest of all of it."""
    if len(text) <= _LONGEST:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]
    return f"{text[: _LONGEST - _DIGEST - len(JOINT) * 2]}{JOINT * 2}{digest}"


def code(text: str) -> str:
    """A code as a line may hold it: a short one of visible ASCII stays as it is, unless it has one of `,"%~`."""
    return shortened(escaped(text))


def intact(text: str) -> str:
    """The text of a code, unless it is a number in which a program kept some digits only: then many codes are one."""
    if _SHORTENED.fullmatch(text.strip()):
        raise ValueError("is a number that a spreadsheet shortened: export it as text")
    return text


def joined(texts: list[str]) -> str:
    """One code of one text or several; empty where one of several is."""
    parts = [escaped(text) for text in texts]
    return shortened(JOINT.join(parts)) if all(parts) else ""


def label(text: str, known: Collection[str]) -> str:
    """One of the documented codes, or none."""
    if text.strip() and text.strip() not in known:
        raise ValueError(f"is none of {', '.join(known)}: give it one under codes in the mapping")
    return text.strip()


def quantity(text: str, decimal: str = ".") -> str:
    """Whole units. A weight counts as the next whole number, at least one, so that half a kilo is bought.

    >>> quantity("2.0"), quantity("0.35"), quantity("-1")
    ('2', '1', '-1')
    """
    units = _number(text, decimal)
    whole = int(math.copysign(math.ceil(abs(units)), units))
    if abs(whole) >= 10**7:
        raise ValueError("has more than 7 digits")
    return str(whole)


def spend(text: str, decimal: str = ".") -> str:
    """An amount with two decimals, rounded half to even.

    >>> spend("3.8600000001"), spend("0,5", ",")
    ('3.86', '0.50')
    """
    amount = _number(text, decimal).quantize(_CENT, ROUND_HALF_EVEN)
    if abs(amount) >= 10**9:
        raise ValueError("has more than 9 digits")
    return str(abs(amount) if amount == 0 else amount)


def _number(text: str, decimal: str) -> Decimal:
    if decimal != "." and "." in text:  # thousands apart, or the other decimal sign: nobody can say which
        raise ValueError("is no number")
    try:
        number = Decimal(text.strip().replace(decimal, "."))
    except InvalidOperation:
        raise ValueError("is no number") from None
    if not number.is_finite() or abs(number) >= 10**15:
        raise ValueError("is no number")
    return number


def moment(text: str, form: str | None = None, zone: ZoneInfo | None = None, latest: date = LAST_DAY) -> datetime:
    """Local time of the shop, noon where only the day is given; no later day than `latest`.

    With an offset it is moved to `zone`; without a zone the clock time stands as written.

    >>> moment("2017-01-28 19:06:53").hour, moment("2017-06-01T22:30:00Z", None, ZoneInfo("Europe/London")).hour
    (19, 23)
    """
    try:
        found = datetime.strptime(text.strip(), form) if form else datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"is no time of the form {form}" if form else "is no ISO 8601 time") from None
    if form and not _digits(form).fullmatch(text.strip()):
        raise ValueError("has lost a leading zero: export it as text")
    if found.year < _FIRST_YEAR:
        raise ValueError(f"is before the year {_FIRST_YEAR}")
    if found.date() > latest:
        raise ValueError("is in the future")
    if not (_OF_DAY.search(form) if form else _has_time(text.strip())):
        found = found.replace(hour=NOON)
    if found.tzinfo and zone:
        found = found.astimezone(zone)
    return found.replace(tzinfo=None)


@lru_cache
def _digits(form: str) -> re.Pattern[str]:
    """As many digits as the numbers of a form have that stand side by side: of 1012024 nobody can say which day it is."""

    def pattern(part: re.Match[str]) -> str:
        if part[1]:
            return rf"\d{{{sum(_WIDTHS.get(letter, 2) for letter in part[1][1::2])}}}"
        return r"\d+" if part[2] in "dmyYHIMSjf" else ".+?"

    if not _UNSEPARATED.search(form):
        return re.compile(".*", re.DOTALL)
    spaced = r"\s+".join(_PARTS.sub(pattern, re.escape(word)) for word in form.split())
    return re.compile(spaced, re.IGNORECASE)


def _has_time(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return True
    return False


def hour(text: str) -> str:
    """An hour of the day, 0 to 23."""
    found = _number(text, ".")
    if found != int(found) or not 0 <= found <= 23:
        raise ValueError("is no hour from 0 to 23")
    return f"{int(found):02d}"
