"""A landing folder and a lake that the sensor watches, on an ephemeral instance."""

import os
import uuid
from collections.abc import Callable
from datetime import date
from pathlib import Path

import dagster as dg
import pyarrow as pa

from nextbasket_assets.definitions import build_definitions
from nextbasket_assets.lake.publish import Provenance, publish, stage
from nextbasket_assets.lake.staged_files import write_staged
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.landing import FIELDS, inspect, monday
from nextbasket_assets.operations.sensors import NAME, landing_sensor
from nextbasket_assets.partitions import LGSR_WEEKS
from nextbasket_assets.settings.reading import settings

HEADER = ",".join(FIELDS) + "\n"
LINE = ",".join(["x"] * len(FIELDS)) + "\n"
LAST = monday("200652")


class Shop:
    """A landing folder and a lake, watched by the sensor."""

    def __init__(self, root: Path, instance: dg.DagsterInstance) -> None:
        self.folder, self.lake, self.instance = root / "landing", Lake(str(root / "lake")), instance
        self.folder.mkdir()
        self.cursor: str | None = None
        self.clock: Callable[[], float] | None = None  # of the sensor; None for the machine's
        self.last = LAST  # week of the calendar

    def deliver(self, week: str, lines: int = 1, text: str | None = None) -> None:
        path = self.folder / f"transactions_{week}.csv"
        path.write_text(HEADER + LINE * lines if text is None else text)
        os.utime(path, ns=(lines, lines))  # the clock of the machine plays no part

    def ingest(self, week: str, *, allow_empty: bool = False) -> None:
        """What a successful run leaves behind."""
        name = f"transactions_{week}.csv"
        with (self.folder / name).open("rb") as stream:
            file = inspect(stream, name, allow_empty=allow_empty)
        row = {"source_file": name, "sha256": file.sha256, "bytes": 1, "lines": 1, "accepted": 1, "rejected": 0}
        with stage(self.lake, "landed_files", "run") as folder:
            write_staged(self.lake, "landed_files", folder, file.week, pa.Table.from_pylist([row]))
            publish(self.lake, "landed_files", folder, [file.week], Provenance("run", "code", {}))

    def hold(self, weeks: list[date], table: str = "staged_baskets") -> None:
        """Weeks of another table, without a row."""
        with stage(self.lake, table, "run") as folder:
            publish(self.lake, table, folder, weeks, Provenance("run", "code", {}))

    def tick(self) -> dg.SensorResult:
        places = {"NEXTBASKET_LANDING": str(self.folder), "NEXTBASKET_LAKE": self.lake.root}
        definitions = build_definitions(settings(places | {"NEXTBASKET_LAST_WEEK": self.last.isoformat()}))
        context = dg.build_sensor_context(
            instance=self.instance,
            cursor=self.cursor,
            definitions=definitions,
            resources=dict(definitions.resources or {}),
        )
        sensor = definitions.get_repository_def().get_sensor_def(NAME)
        if self.clock:
            sensor = landing_sensor(LGSR_WEEKS, clock=self.clock)
        result = sensor.evaluate_tick(context)
        self.cursor = result.cursor
        return result  # type: ignore[return-value]

    def has_run(self, status: dg.DagsterRunStatus, **tags: str) -> None:
        """A run that the sensor asked for is in this state."""
        tags = {f"dagster/{name}": value for name, value in tags.items()}
        run = dg.DagsterRun("score_week", str(uuid.uuid4()), status=status, tags={"dagster/sensor_name": NAME, **tags})
        self.instance.add_run(run)

    def launched(self) -> list[tuple[str | None, str | None]]:
        return [(request.job_name, request.partition_key) for request in self.tick().run_requests or []]
