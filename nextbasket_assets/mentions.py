"""Whether a text, a CSV file above all, holds a code: what an erasure looks for. Standard library only."""

import re
from typing import Any

_BLOCK = 1 << 20
_OTHERS = rb"[^0-9A-Za-z_]"


def mentions(stream: Any, code: str) -> bool:
    """Whether the code stands by itself somewhere in a text; a code that only starts with it is another one.

    The text is read in blocks, because what a bucket gives by lines is none.
    """
    plain, quoted = code.encode(), code.replace('"', '""').encode()  # as CSV writes it
    alone = re.compile(_OTHERS + b"(" + re.escape(plain) + b"|" + re.escape(quoted) + b")" + _OTHERS)
    text = b"\n"
    while block := stream.read(_BLOCK):
        text = text[-len(quoted) - 2 :] + block
        if alone.search(text):
            return True
    return alone.search(text + b"\n") is not None
