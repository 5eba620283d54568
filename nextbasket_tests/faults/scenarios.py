"""What the crash loop kills: publishing, models and whole jobs. Each prepares a folder, acts on it, and is looked at."""

import shutil
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa

from nextbasket_assets.columns import TABLES
from nextbasket_assets.lake import artifacts, registry
from nextbasket_assets.lake.housekeeping import collect_models, collect_staged, fresh_model
from nextbasket_assets.lake.publish import Provenance, publish, stage
from nextbasket_assets.lake.registry import PROMOTED, Decision
from nextbasket_assets.lake.staged_files import write_staged
from nextbasket_assets.lake.tables import Lake, arrow_schema
from nextbasket_tests.faults import shop
from nextbasket_tests.platforms import failure

ONE, TWO, THREE = date(2006, 4, 10), date(2006, 4, 17), date(2006, 4, 24)
TABLE = "model_evaluation"


@dataclass(frozen=True)
class Scenario:
    """A change of the lake.

    Attributes:
        name: of the scenario.
        prepare: makes the lake that is changed, in the folder `before` of the one given; may be slow.
        act: changes it; this is what is killed, and what runs again.
        look: what the lake holds, and what lies about in it.
        readable: reads what a reader would read between the kill and the second run; raises when it cannot.
    """

    name: str
    prepare: Callable[[Path], None]
    act: Callable[[Path], None]
    look: Callable[[Path], dict[str, object]]
    readable: Callable[[Path], dict[str, object]]


def _lake(folder: Path) -> Lake:
    return Lake(str(folder / "lake"))


def _look(folder: Path) -> dict[str, object]:
    lake = _lake(folder)
    return {**shop.contents(lake), "leftovers": shop.leftovers(lake)}


def _contents(folder: Path) -> dict[str, object]:
    return dict(shop.contents(_lake(folder)))


def put(folder: Path, weeks: dict[date, int], running: Sequence[str] = (), *, tidy: bool = True) -> None:
    """Publish weeks with so many rows each, as a run of its own beside those that are running.

    Without an instance that knows all runs nobody may tidy: `tidy` is for runs that know each other.
    """
    lake, run = _lake(folder), uuid.uuid4().hex
    if tidy:
        collect_staged(lake, TABLE, [run, *running])
    with stage(lake, TABLE, run) as place:
        for week, count in weeks.items():
            names = {"model_version": "v", "method": "m", "metric": "recall", "k": 10, "customers": 1}
            values = [names | {"week": week, "value": float(value)} for value in range(count)]
            rows = pa.Table.from_pylist(values, schema=arrow_schema(TABLES[TABLE]))
            write_staged(lake, TABLE, place, week, rows)
        publish(lake, TABLE, place, list(weeks), Provenance(run, "code", {}))


def _nothing(folder: Path) -> None:
    (folder / "before" / "lake").mkdir(parents=True)


def _two_weeks(folder: Path) -> None:
    put(folder / "before", {ONE: 2, TWO: 3})


def _model(folder: Path) -> None:
    """What a training does: write, seal, record."""
    lake = _lake(folder)
    collect_models(lake, "rnn_model", [])
    place = f"models/rnn_model/2006-04-10-{uuid.uuid4().hex[:8]}"
    if registry.promoted(lake, "rnn_model", ONE):
        return
    with fresh_model(lake, place):
        lake.filesystem.create_dir(lake.path(place))
        for name in ("weights", "config"):
            Path(lake.uri(place, name)).write_bytes(name.encode() * 1000)
        digest = artifacts.seal(lake, place)
    artifacts.verify(lake, place, digest)
    registry.record(
        lake,
        Decision(
            week=ONE,
            name="rnn_model",
            version="v",
            decision=PROMOTED,
            why="w",
            metrics={},
            artifact=place,
            digest=digest,
            inputs={},
            run_id="aaaaaaaa",
        ),
    )


def trained_shop(folder: Path) -> None:
    """Four weeks, models as of the fourth; then the fifth week lands, and a correction of the second."""
    if (folder / "before").exists():
        return
    one = shop.platform(folder / "before", folder / "recordings", record=True)
    for week in shop.WEEKS[:4]:
        one.deliver(week, shop.lines(week))
    assert one.run("backfill_weeks", shop.WEEKS[0], shop.WEEKS[2]).success
    trained = one.run("train_and_score_week", shop.AS_OF, config=shop.SMALL)
    assert trained.success, failure(trained)
    one.deliver(shop.WEEKS[4], shop.lines(shop.WEEKS[4]))
    one.deliver(shop.WEEKS[1], shop.lines(shop.WEEKS[1], seed=1))


def _job(name: str, job: str, first: date, last: date | None = None) -> Scenario:
    """A job of the platform, its Spark recorded on a copy of the prepared shop."""
    config = shop.SMALL if job == "train_and_score_week" else None

    def prepare(folder: Path) -> None:
        trained_shop(folder)
        calm = folder / f"calm {name}"
        shutil.copytree(folder / "before", calm)
        one = shop.platform(calm, folder / "recordings", record=True)
        assert one.run(job, first, last, config=config).success

    def act(folder: Path) -> None:
        one = shop.platform(folder, folder.parent.parent / "recordings")
        assert one.run(job, first, last, config=config).success

    return Scenario(name, prepare, act, _look, _contents)


PUBLICATIONS = [
    Scenario("first publication", _nothing, lambda folder: put(folder, {ONE: 2}), _look, _contents),
    Scenario(
        "corrected range",
        _two_weeks,
        lambda folder: put(folder, {ONE: 4, TWO: 0, THREE: 1}),
        _look,
        _contents,
    ),
    Scenario("model", _nothing, _model, _look, _contents),
]
JOBS = [
    _job("a new week is scored", "score_week", shop.WEEKS[4]),
    _job("a week is trained again", "train_and_score_week", shop.AS_OF),
    _job("a range with a correction", "backfill_weeks", shop.WEEKS[0], shop.WEEKS[2]),
]
SCENARIOS = {scenario.name: scenario for scenario in [*PUBLICATIONS, *JOBS]}
