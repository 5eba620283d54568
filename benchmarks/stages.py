"""This project's Spark stages on plain folders: what the assets do, without Dagster and without a commit."""

from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.clock import Span, span
from benchmarks.inputs import landing_files
from nextbasket_assets.assets.baskets import planned
from nextbasket_assets.assets.run_config import StagingConfig
from nextbasket_assets.resources.spark import LocalSparkResource


class Stages:
    """Stages into folders below `out`, each with what it took."""

    def __init__(self, out: Path) -> None:
        """Starts Spark, and says what that took."""
        self.out, self.spark, self.spans = out, LocalSparkResource(master="local[2]"), dict[str, Span]()
        self.reports: dict[str, Any] = {}
        with span() as self.start:
            self.spark.session()

    def run(self, stage: str, inputs: dict[str, list[str]], outputs: tuple[str, ...], **parameters: Any) -> None:
        """One stage into fresh folders."""
        folders = {table: str(self.out / table) for table in outputs}
        with span() as self.spans[stage]:
            self.reports[stage] = self.spark.run(stage, inputs, folders, **parameters)

    def ingest(self, landing: Path) -> list[date]:
        """The landing folder's weeks to baskets; the weeks. The inspection of the files counts as part of the first stage."""
        with span() as inspection:
            files = landing_files(landing)
        weeks = sorted({file.week for _, file in files})
        plan = [planned(file, str(path)) for path, file in files]
        self.run("raw_transactions", {}, ("raw_transactions", "rejected_lines"), weeks=_iso(weeks), files=plan)
        self.spans["raw_transactions"].add(inspection)
        bags = StagingConfig().non_merchandise
        self.run(
            "staged_baskets",
            self.files("raw_transactions"),
            ("staged_baskets",),
            weeks=_iso(weeks),
            non_merchandise=bags,
        )
        return weeks

    def sequences(self, weeks: list[date]) -> None:
        """Customers' baskets as of these weeks."""
        self.run("customer_sequences", self.files("staged_baskets"), ("customer_sequences",), weeks=_iso(weeks))

    def files(self, table: str) -> dict[str, list[str]]:
        """A table as the input of a stage."""
        return {table: sorted(map(str, (self.out / table).glob("week=*/*.parquet")))}

    def rows(self) -> dict[str, int]:
        """Rows of every table that was written."""
        tables = {name: weeks for report in self.reports.values() for name, weeks in report.tables.items()}
        return {name: sum(week["rows"] for week in weeks.values()) for name, weeks in tables.items()}

    def jvm(self) -> int:
        """Process id of the JVM."""
        jvm: Any = self.spark.session()._jvm
        return int(jvm.java.lang.ProcessHandle.current().pid())


def _iso(weeks: list[date]) -> list[str]:
    return [week.isoformat() for week in weeks]
