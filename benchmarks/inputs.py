"""What the rows read: real data from the folder `shared` beside the repository, or a synthetic shop of the same format.

`shared/data/lgsr/` holds LGSR's weekly files, `shared/benchmarks/NAME/` a packed dataset (packed.py). Neither is shipped.
"""

import sys
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from nextbasket_assets.landing import LandingFile, inspect, week_of
from nextbasket_assets.shop.shop import write_shop

SHARED = Path(__file__).resolve().parents[2] / "shared"
LGSR = SHARED / "data" / "lgsr"
PACKED = SHARED / "benchmarks"


def packed_folder(dataset: str) -> Path:
    """Where a packed dataset lies; ends with what to do when it is not there."""
    folder = PACKED / dataset
    if not all((folder / name).is_file() for name in ("baskets.parquet", "splits.parquet")):
        sys.exit(
            f"{folder}: the packed dataset {dataset} is not there. benchmarks/README.md says what it holds; "
            "run with --small without it."
        )
    return folder


@contextmanager
def landing(small: bool, weeks: int | None = None) -> Iterator[Path]:
    """A folder of weekly files: LGSR's 94, or its last ones; 6 weeks of 120 synthetic customers when small."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        if small:
            write_shop(out, customers=120, weeks=6, seed=1)
        elif not LGSR.is_dir():
            sys.exit(f"{LGSR}: LGSR is not there. Its terms forbid shipping it; run with --small without it.")
        else:
            for path in sorted(LGSR.glob("transactions_*"))[-(weeks or 0) :]:
                (out / path.name).symlink_to(path)
        yield out


def landing_files(folder: Path, weeks: Collection[date] | None = None) -> list[tuple[Path, LandingFile]]:
    """The folder's weekly files, all or those of some weeks, inspected."""
    found = []
    for path in sorted(folder.iterdir()):
        week = week_of(path.name)
        if week and (weeks is None or week in weeks):
            with path.open("rb") as stream:
                found.append((path, inspect(stream, path.name)))
    if not found:
        sys.exit(f"{folder}: no transactions_YYYYWW.csv or .csv.gz there. Name a landing folder.")
    return found
