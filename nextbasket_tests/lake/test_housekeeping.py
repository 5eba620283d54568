"""Collecting what is nobody's takes nothing that a version needs, also beside an erasure, which is no run."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import ModuleType

import pyarrow as pa
import pytest

from nextbasket_assets.lake import claims, housekeeping, registry
from nextbasket_assets.lake import publish as publishing
from nextbasket_assets.lake.housekeeping import collect_models, collect_scratch, collect_staged
from nextbasket_assets.lake.publish import ERASED, Provenance, publish, stage
from nextbasket_assets.lake.staged_files import write_staged
from nextbasket_assets.lake.tables import Lake, LakeError

TABLE, ONE, TWO = "model_evaluation", date(2006, 4, 10), date(2006, 4, 17)
ERASURE = "eeeeeeee"  # no run of the orchestrator


def rows(*values: float) -> pa.Table:
    plain = {"model_version": "v", "method": "m", "metric": "recall", "k": 10, "customers": 1, "decile": None}
    return pa.Table.from_pylist([plain | {"value": value} for value in values])


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """One week of two rows is published."""
    lake = Lake(str(tmp_path / "lake"))
    with stage(lake, TABLE, "aaaaaaaa") as folder:
        write_staged(lake, TABLE, folder, ONE, rows(1, 2))
        publish(lake, TABLE, folder, [ONE], Provenance("aaaaaaaa", "code", {}))
    return lake


def once(monkeypatch: pytest.MonkeyPatch, module: ModuleType, point: str, act: Callable[[], object]) -> None:
    left = [act]
    monkeypatch.setattr(module, "reach", lambda name: left.pop()() if left and name == point else None)


@contextmanager
def erasing(lake: Lake) -> Iterator[Callable[[], int]]:
    """An erasure that has staged the week without a row, and what publishes it."""
    with stage(lake, TABLE, ERASURE) as folder:
        write_staged(lake, TABLE, folder, ONE, rows(1))
        yield lambda: publish(lake, TABLE, folder, [ONE], Provenance(ERASURE, "code", {}, ERASED), {ONE: 1})


def collect(lake: Lake) -> list[str]:
    return collect_staged(lake, TABLE, ["bbbbbbbb"])


def test_an_erasure_does_not_commit_what_a_run_is_about_to_delete(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run takes an erasure's folder for nobody's, and before it is deleted the erasure fails instead of committing it."""
    errors: list[object] = []

    def erase() -> None:
        with pytest.raises(LakeError, match="was removed before it was published") as error:
            published()
        errors.append(error)

    with erasing(lake) as published:
        once(monkeypatch, housekeeping, "collect", erase)
        collect(lake)

    assert len(errors) == 1
    assert lake.read(TABLE, [ONE])["value"].to_pylist() == [1, 2]


def test_an_erasure_does_not_commit_what_a_run_deleted(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that deletes an erasure's folder between its last look and its commit makes the commit fail."""
    with pytest.raises(LakeError, match="was removed before it was published"), erasing(lake) as published:
        once(monkeypatch, publishing, "commit", lambda: collect(lake))
        published()

    assert lake.read(TABLE, [ONE])["value"].to_pylist() == [1, 2]


def test_an_erasure_that_committed_is_left_alone(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is published after a run listed it, and before the run claims it, is not removed."""
    with erasing(lake) as published:
        looked = Lake.snapshot

        def late(self: Lake, table: str, version: int | None = None) -> object:
            found = looked(self, table, version)
            monkeypatch.setattr(Lake, "snapshot", looked)
            published()
            return found

        monkeypatch.setattr(Lake, "snapshot", late)
        assert collect(lake) == []

    assert lake.read(TABLE, [ONE])["value"].to_pylist() == [1]


def test_a_dead_runs_folder_is_collected_beside_one_that_works(lake: Lake) -> None:
    """Taking a dead run's folder disturbs no run that works on the table."""
    write_staged(lake, TABLE, lake.uri(TABLE, "dddddddd-1"), TWO, rows(5))
    with stage(lake, TABLE, "bbbbbbbb") as folder:
        write_staged(lake, TABLE, folder, TWO, rows(3))
        assert collect_staged(lake, TABLE, ["bbbbbbbb"]) == ["dddddddd-1"]
        publish(lake, TABLE, folder, [TWO], Provenance("bbbbbbbb", "code", {}))

    assert lake.read(TABLE, [ONE, TWO])["value"].to_pylist() == [1, 2, 3]


def test_a_folder_that_could_not_be_claimed_is_not_free(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where others commit each time that a run wants to claim a folder, the folder stays: its owner may still publish it."""
    write_staged(lake, TABLE, lake.uri(TABLE, "dddddddd-1"), TWO, rows(5))
    monkeypatch.setattr(claims, "_claimed_all", lambda *_: False)

    assert collect(lake) == []
    assert Path(lake.uri(TABLE, "dddddddd-1")).exists()


def folders(lake: Lake, place: str) -> list[str]:
    return sorted(path.name for path in Path(lake.uri(place)).iterdir())


def test_models_that_a_decision_names_or_a_run_writes_stay(lake: Lake) -> None:
    """A refused model is kept as a promoted one is; what a killed training left goes, and no hidden folder of others."""
    for name in ("2006-04-10-known", "2006-04-10-new-dddddddd", "2006-04-17-new-bbbbbbbb", ".snapshot"):
        lake.storage.put(lake.path("models", "rnn_model", name, "weights"), b"x")
    decided = {"week": ONE, "name": "rnn_model", "version": "v", "decision": registry.REFUSED, "why": "", "run_id": "r"}
    made = {"metrics": {}, "inputs": {}, "artifact": "models/rnn_model/2006-04-10-known", "digest": "d"}
    registry.record(lake, registry.Decision(**decided, **made))  # type: ignore[arg-type]

    assert collect_models(lake, "rnn_model", ["bbbbbbbb-and-more"]) == ["2006-04-10-new-dddddddd"]
    assert folders(lake, "models/rnn_model") == [".snapshot", "2006-04-10-known", "2006-04-17-new-bbbbbbbb"]


def test_what_a_living_run_hands_on_stays(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two folders between steps the dead run's goes; that somebody else removes it at the same moment is no error."""
    for name in ("bbbbbbbb-1", "dddddddd-1"):
        lake.storage.put(lake.path("scratch", name, "part.parquet"), b"x")
    once(monkeypatch, housekeeping, "collect", lambda: shutil.rmtree(lake.uri("scratch/dddddddd-1")))

    assert collect_scratch(lake, ["bbbbbbbb-and-more"]) == ["dddddddd-1"]
    assert folders(lake, "scratch") == ["bbbbbbbb-1"]
