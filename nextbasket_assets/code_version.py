"""Digest of the code that decides what a table holds: the columns, the transforms and the recommender."""

import hashlib
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).parent
_PARTS = ("columns.py", "landing.py", "transforms", "recommender")


@cache
def code_version() -> str:
    """Twelve hexadecimal digits; they change when a line of that code does."""
    hashed = hashlib.sha256()
    for path in sorted(path for part in _PARTS for path in _sources(_ROOT / part)):
        hashed.update(path.relative_to(_ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return hashed.hexdigest()[:12]


def _sources(path: Path) -> list[Path]:
    return [path] if path.is_file() else list(path.rglob("*.py"))
