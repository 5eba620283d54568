"""Places that the platform reads and writes: each a folder or prefix of its own, whose name every engine takes alike."""

import re
from collections.abc import Mapping
from pathlib import Path

from nextbasket_assets.errors import BAD_INPUT, NextbasketError

_PATTERNS = frozenset("*?[]{}%\\")  # characters of a path
_ENDS_A_URI = frozenset("?#")  # what follows them is no part of an object's key


class SettingsError(NextbasketError):
    """The environment asks for something that does not exist; the message says what there is."""

    exit_code = BAD_INPUT


def location(place: str) -> str:
    """A folder as an absolute path, an s3:// prefix without slashes at its end."""
    return place.rstrip("/") if "://" in place else str(Path(place).resolve())


def refuse_other_schemes(places: Mapping[str, str]) -> None:
    """Neither Google's storage nor a file:// URI: the platform knows folders and S3."""
    for name, place in places.items():
        if "://" in place.removeprefix("s3://"):
            raise SettingsError(
                f"{name} is {place}: a place is an absolute folder or an s3:// prefix. Name one of the two."
            )


def refuse_unreachable(deployment: str, places: Mapping[str, str]) -> None:
    """Clusters read S3, and this machine its folders."""
    for name, place in places.items():
        if place.startswith("s3://") != (deployment == "emr"):
            needed = "an s3:// prefix, which its clusters read" if deployment == "emr" else "a folder of this machine"
            raise SettingsError(
                f"{name} is {place}: the deployment {deployment!r} needs {needed}. Change the one or the other."
            )


def refuse_whole_bucket(lake: str) -> None:
    """Beside the lake other things lie in its bucket."""
    if re.fullmatch("s3://[^/]*", lake):
        raise SettingsError(
            f"NEXTBASKET_LAKE is {lake}: a whole bucket, beside which there is no room for the landing files and the "
            f"work of EMR. Name a prefix in it, such as {lake}/lake."
        )


def refuse_patterns(name: str, place: str) -> None:
    """A place that Spark reads holds no character that it takes for a pattern."""
    _refuse(name, place, _PATTERNS)


def refuse_cut(name: str, place: str) -> None:
    """A place in a bucket has no name that would be cut off at a # or a ?."""
    _refuse(name, place, frozenset())


def _refuse(name: str, place: str, patterns: frozenset[str]) -> None:
    wrong = patterns | _ENDS_A_URI if place.startswith("s3://") else patterns
    if odd := sorted(set(place) & wrong):
        raise SettingsError(
            f"{name} is {place}: Spark and Delta Lake take {' '.join(odd)} in a path for a pattern or an escape, and "
            "would read other files. Use a path without it."
        )


def refuse_shared(places: Mapping[str, str]) -> None:
    """Landing files, tables and work files each have a place of their own, written without a double slash."""
    for name, place in places.items():
        if "//" in place.removeprefix("s3://"):
            raise SettingsError(
                f"{name} is {place}: S3 keeps both slashes of // and Hadoop one, so each would read other objects. "
                "Write one slash."
            )
        if same := [other for other in places if other != name and places[other] == place]:
            raise SettingsError(
                f"{name} and {same[0]} are both {place}: what arrives and what is made would mix. "
                "Give each a folder of its own."
            )


def refuse_key_inside(key: str | None, places: Mapping[str, str]) -> None:
    """The key of the pseudonyms lies apart from what it protects."""
    for place in places.values():
        if f"{key}/".startswith(f"{place}/"):
            raise SettingsError(
                f"NEXTBASKET_PSEUDONYM_KEY is inside {place}: keep the key apart from what it protects."
            )
