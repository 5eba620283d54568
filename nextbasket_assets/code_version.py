"""The code that decides what a table holds: which files it is, and their digest."""

import hashlib
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).parent
_PARTS = (
    *("__init__.py", "columns.py", "crash_points.py", "errors.py", "landing.py", "landing_text.py"),
    *("transforms", "missions", "recommender", "distributed"),
)


def sources() -> dict[str, bytes]:
    """Those files by their path below the package's parent folder, in order: what is hashed, and what a cluster gets."""
    paths = sorted(path for part in _PARTS for path in _files(_ROOT / part))
    return {path.relative_to(_ROOT.parent).as_posix(): path.read_bytes() for path in paths}


@cache
def code_version() -> str:
    """Twelve hexadecimal digits; they change when a line of that code does."""
    hashed = hashlib.sha256()
    for name, content in sources().items():
        hashed.update(name.encode() + b"\0" + content)
    return hashed.hexdigest()[:12]


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else list(path.rglob("*.py"))
