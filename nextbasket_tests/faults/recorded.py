"""Spark once, then its files again: a stand-in that copies what a stage wrote when the same input went through real Spark.

So a run takes a second instead of ten, and can be killed between any two files. Everything but Spark is the product.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nextbasket_assets.crash_points import reach
from nextbasket_assets.resources.spark import LocalSparkResource, StageReport


class NotRecordedError(AssertionError):
    """A stage was asked for with an input that never went through Spark."""


class RecordedSpark(LocalSparkResource):
    """Runs a stage by copying its recorded files.

    Attributes:
        folder: where the recordings lie.
        record: run what is not recorded on Spark, and record it.
    """

    folder: str
    record: bool = False

    def run(
        self, stage: str, inputs: Mapping[str, Sequence[str]], outputs: Mapping[str, str], **parameters: Any
    ) -> StageReport:
        place = Path(self.folder) / _key(stage, inputs, outputs, parameters)
        if not (place / "report.json").exists():
            if not self.record:
                raise NotRecordedError(f"{stage} {parameters.get('weeks')}: not recorded")
            self._record(place, stage, inputs, outputs, parameters)
            return StageReport(**json.loads((place / "report.json").read_text()))
        if stage != "audit":
            for table, uri in outputs.items():
                _copy(place / table, Path(uri))
        return StageReport(**json.loads((place / "report.json").read_text()))

    def _record(
        self,
        place: Path,
        stage: str,
        inputs: Mapping[str, Sequence[str]],
        outputs: Mapping[str, str],
        parameters: dict[str, Any],
    ) -> None:
        report = super().run(stage, inputs, outputs, **parameters)
        place.mkdir(parents=True, exist_ok=True)
        if stage != "audit":
            for table, uri in outputs.items():
                if Path(uri).is_dir():  # a table without a row has none
                    shutil.copytree(uri, place / table, ignore=shutil.ignore_patterns(".*"))
        (place / "report.json").write_text(json.dumps(asdict(report)))


def _copy(recorded: Path, folder: Path) -> None:
    for path in sorted(path for path in recorded.rglob("*") if path.is_file()):
        target = folder / path.relative_to(recorded)
        target.parent.mkdir(parents=True, exist_ok=True)
        content = path.read_bytes()
        target.write_bytes(content[: len(content) // 2])
        reach("stage file cut in half")
        target.write_bytes(content)


def _key(
    stage: str, inputs: Mapping[str, Sequence[str]], outputs: Mapping[str, str], parameters: Mapping[str, Any]
) -> str:
    """Name of a recording: the stage, its parameters without paths, and the content of every file it reads."""
    facts: dict[str, Any] = {
        name: value for name, value in parameters.items() if name not in ("files", "model", "pseudonym_key")
    }
    read = [path for table in sorted(inputs) for path in inputs[table]]
    read += [file["uri"] for file in parameters.get("files", ())]
    read += [parameters["pseudonym_key"]] if parameters.get("pseudonym_key") else []
    if stage == "audit":
        read += [str(path) for uri in outputs.values() for path in sorted(Path(uri).rglob("*.parquet"))]
    if parameters.get("model"):
        read += [str(path) for path in sorted(Path(parameters["model"]).iterdir())]
    digests = [hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in read]
    text = json.dumps([stage, facts, sorted(outputs), digests], default=str, sort_keys=True)
    return f"{stage}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
