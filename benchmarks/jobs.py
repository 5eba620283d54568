"""A platform in a folder, and its jobs, each in a process of its own as the daemon starts them.

python -m benchmarks.jobs ROOT JOB FIRST LAST     runs a job on weeks (YYYY-MM-DD) of ROOT/landing
python -m benchmarks.jobs ROOT replay WEEK WEEK   does the work of the last job's stages again, without Dagster
"""

import json
import sys
import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.clock import Span, in_a_process, peak_mb, span
from benchmarks.inputs import landing_files
from nextbasket_assets.resources.spark import LocalSparkResource, StageReport

CALLS = "calls.json"
SHORT_TRAINING = {
    "mission_model": {"config": {"k": 5}},
    "rnn_model": {"config": {"epochs": 1, "trip_steps": 100}},
}


class RecordingSpark(LocalSparkResource):
    """Spark that writes down what it is asked for."""

    record: str

    def run(self, stage: str, inputs: Mapping[str, Any], outputs: Mapping[str, str], **parameters: Any) -> StageReport:
        """Run one stage in this process."""
        path = Path(self.record)
        calls = json.loads(path.read_text()) if path.exists() else []
        plan = {"stage": stage, "inputs": dict(inputs), "outputs": dict(outputs), "parameters": parameters}
        path.write_text(json.dumps([*calls, plan]))
        return super().run(stage, inputs, outputs, **parameters)


def run_job(root: Path, job: str, first: date, last: date) -> dict[str, Any]:
    """A job of the platform on weeks, as one Dagster run; what was written down before is forgotten."""
    import dagster as dg

    from nextbasket_assets.cli.home import prepare
    from nextbasket_assets.definitions import build_definitions
    from nextbasket_assets.settings.reading import settings

    (root / CALLS).unlink(missing_ok=True)
    prepare(str(root / "dagster"))
    chosen = settings({"NEXTBASKET_LANDING": str(root / "landing"), "NEXTBASKET_LAKE": str(root / "lake")})
    spark = RecordingSpark(master="local[2]", record=str(root / CALLS))
    ends = {"start": first, "end": last}
    tags = {f"dagster/asset_partition_range_{end}": week.isoformat() for end, week in ends.items()}
    weeks: dict[str, Any] = {"partition_key": first.isoformat()} if first == last else {"tags": tags}
    quiet = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}
    with dg.DagsterInstance.get() as instance, span() as run:
        definition = build_definitions(chosen, spark=spark).resolve_job_def(job)
        ops = SHORT_TRAINING if "train" in job else {}
        definition.execute_in_process(instance=instance, run_config={**quiet, "ops": ops}, **weeks)
        steps = steps_of(instance)
    jvm: Any = spark.session()._jvm
    return {"run": run.taken(), "steps": steps, "peak_mb": peak_mb(jvm.java.lang.ProcessHandle.current().pid())}


def steps_of(instance: Any) -> dict[str, float]:
    """Wall seconds of each step of the newest run, by their start."""
    newest = instance.get_runs(limit=1)[0].run_id
    stats = [one for one in instance.get_run_step_stats(newest) if one.start_time and one.end_time]
    return {one.step_key: one.end_time - one.start_time for one in sorted(stats, key=lambda one: one.start_time)}


def replay(root: Path, week: date) -> dict[str, Any]:
    """The work of the last job's assets on one week: the same plans, scoring, export and reports, into folders of no table."""
    from nextbasket_assets.assets.profiles import card_pictures, mission_names, pictures, profile_rows
    from nextbasket_assets.catalogue import Catalogue
    from nextbasket_assets.exports.settings import ExportSettings
    from nextbasket_assets.exports.week import export_week
    from nextbasket_assets.lake import registry, reports
    from nextbasket_assets.lake.exports import week_of_scores
    from nextbasket_assets.lake.missions import mission_ids
    from nextbasket_assets.lake.tables import Lake
    from nextbasket_assets.report.weekly.facts import gather
    from nextbasket_assets.report.weekly.inputs import RunFacts
    from nextbasket_assets.report.weekly.page import render

    lake, spark = Lake(str(root / "lake")), LocalSparkResource(master="local[2]")
    with span() as start:
        spark.session()
    seconds: dict[str, Span] = {}
    with tempfile.TemporaryDirectory(dir=root) as folder:
        with span() as seconds["inspection"]:
            landing_files(root / "landing", [week])
        for number, plan in enumerate(json.loads((root / CALLS).read_text())):
            outputs = {table: f"{folder}/{number}/{table}" for table in plan["outputs"]}
            if plan["stage"] == "audit":
                outputs = plan["outputs"]
            with span() as seconds[f"{number} {plan['stage']}"]:
                spark.run(plan["stage"], plan["inputs"], outputs, **plan["parameters"])
        with span() as seconds["pictures"]:
            every, names = profile_rows(lake, week, sections=None), mission_names(lake, week)
            drawn = pictures(every, names, Catalogue()) | card_pictures(every, names, Catalogue())
        champion = registry.promoted(lake, "rnn_model", week)
        artifact = lake.uri(champion.artifact) if champion else None
        files = lake.require("customer_sequences", [week])
        with span() as seconds["score"]:  # torch is loaded here, as by the job
            from nextbasket_assets.recommender import histories, scoring

            scoring.score(files, week, artifact, f"{folder}/scores", 20)
        with span() as seconds["foretell"]:
            missions = mission_ids(lake, histories.mission_model_of(files))
            scoring.foretell(files, week, artifact, f"{folder}/outlook", missions)
        with span() as seconds["export"]:
            export_week(Path(folder), week_of_scores(lake, week, {}), ExportSettings())
        with span() as seconds["reports"]:  # the week's, and the one before again
            for shown in reports.weeks(lake)[-2:]:
                render(gather(lake, shown, Catalogue(), names, RunFacts()))
    assert drawn or not names, "missions have pictures"
    return {"start": start.taken(), "work": {name: one.taken() for name, one in seconds.items()}}


def job_seconds(root: Path, job: str, first: date, last: date) -> tuple[Span, dict[str, Any]]:
    """A job in a fresh process: what it took from the start of the interpreter to its end, and what it says itself."""
    environment = {"DAGSTER_HOME": str(root / "dagster")}
    with span() as whole:
        found = in_a_process("jobs", str(root), job, first.isoformat(), last.isoformat(), **environment)
    return whole, found


def main() -> None:
    root, job, first, last = Path(sys.argv[1]), sys.argv[2], *map(date.fromisoformat, sys.argv[3:])
    print(json.dumps(replay(root, first) if job == "replay" else run_job(root, job, first, last)))


if __name__ == "__main__":
    main()
