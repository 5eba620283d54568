"""Whether a text, a CSV file above all, holds a code: what an erasure looks for. Standard library only."""

import re
from typing import Any

_BLOCK = 1 << 20
_EDGE, _AROUND, _MOST_AROUND = r"[,;|\t\r\n]", "[ \"']", 3
_BEFORE, _AFTER = (
    rf'(?:{_EDGE}|": ")',
    r"[,;|\t\r\n}]",
)  # the text of a JSON object is a field, too: so a refused row is kept


def field_pattern(code: str) -> str:
    """What finds a code that is a whole field, plain or as CSV quotes it; an edge, like a line end, stands on both sides.

    A number that is part of a price, a day or an hour is no code. Python's `re` and Arrow's RE2 both read the pattern.

    >>> bool(re.search(field_pattern("1"), "\\n2006,1,0.99\\n")), bool(re.search(field_pattern("1"), "\\n2006,1.50\\n"))
    (True, False)
    """
    around = f"{_AROUND}{{0,{_MOST_AROUND}}}"
    quoted = code.replace('"', '""')
    return f"{_BEFORE}{around}(?:{re.escape(code)}|{re.escape(quoted)}){around}{_AFTER}"


def mentions(stream: Any, code: str) -> bool:
    """Whether the code is a field somewhere in a text; a code that only starts with it is another one.

    The text is read in blocks, because what a bucket gives by lines is none.

    Raises:
        ValueError: it is no text, so that nobody can tell.
    """
    field = re.compile(field_pattern(code).encode())
    longest = 2 * len(code.encode()) + 2 * _MOST_AROUND + len('": "') + 1
    text = b"\n"
    while block := stream.read(_BLOCK):
        text = text[-longest:] + block
        if field.search(text):
            return True
        if b"\0" in block:
            raise ValueError
    return field.search(text + b"\n") is not None
