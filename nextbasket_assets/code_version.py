"""The code that decides what a table holds: which files it is, and their digest."""

import hashlib
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).parent
_PACKAGES = ("transforms", "missions", "recommender", "distributed")
_OURS = re.compile(
    r"^\s*(?:from|import) nextbasket_assets\.(\w+)|^\s*from nextbasket_assets import (\w+)", re.MULTILINE
)


def sources() -> dict[str, bytes]:
    """Those files by their path below the package's parent folder, in order: what is hashed, and what a cluster gets.

    They are the packages whose code makes tables, and the modules of the ground that these import, directly or not.
    """
    found = {_ROOT / "__init__.py", *(path for package in _PACKAGES for path in (_ROOT / package).rglob("*.py"))}
    new = set(found)
    while new:
        new = _imported(new) - found
        found |= new
    return {path.relative_to(_ROOT.parent).as_posix(): path.read_bytes() for path in sorted(found)}


@cache
def code_version() -> str:
    """Twelve hexadecimal digits; they change when a line of that code does."""
    hashed = hashlib.sha256()
    for name, content in sources().items():
        hashed.update(name.encode() + b"\0" + content)
    return hashed.hexdigest()[:12]


def _imported(paths: Iterable[Path]) -> set[Path]:
    """Single modules of ours that these files import."""
    names = {name for path in paths for pair in _OURS.findall(path.read_text()) for name in pair if name}
    return {path for name in names if (path := _ROOT / f"{name}.py").is_file()}
