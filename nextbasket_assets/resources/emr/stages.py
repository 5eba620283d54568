"""One stage far away: write its plan, submit it, show what it says, and come back with its report or its failure."""

import json
import uuid
from collections.abc import Callable
from typing import Any, Protocol

import dagster as dg

from nextbasket_assets.lake.storage import encryption
from nextbasket_assets.resources.emr.calls import Aws, Clock, location
from nextbasket_assets.resources.emr.failures import Job, State, failure, is_capacity, stderr_tail
from nextbasket_assets.resources.emr.settings import EmrSettings
from nextbasket_assets.resources.spark import StageReport

_AGAIN = "Nothing was published. Correct what the error names, then run again."
_FAILED = "failed: "  # begins the line with the error of a stage (transforms.progress, which needs Spark)


class Place(Protocol):
    """What runs a stage: a cluster, or EMR Serverless."""

    def submit(self, stage: str, plan: str, report: str) -> Job:
        """Start a stage."""

    def state(self, job: Job) -> State:
        """How it is."""

    def cancel(self, job: Job) -> None:
        """Stop it."""

    def lose(self) -> None:
        """Give up the machines, so that the next stage gets others."""

    def end(self) -> None:
        """Leave nothing behind."""

    def facts(self) -> dict[str, Any]:
        """Where it ran and what it cost, for metadata."""


class FarStages:
    """The stages of one run.

    Args:
        place: what runs them.
        settings: how long they may take, and where plans and reports lie.
        aws: how S3 is reached.
        run_id: whose they are.
        tell: takes a line of the run's log.
        clock: time.
    """

    def __init__(
        self, place: Place, settings: EmrSettings, aws: Aws, run_id: str, tell: Callable[[str], None], clock: Clock
    ) -> None:
        self.place = place
        self._settings, self._aws, self._tell, self._clock = settings, aws, tell, clock
        self._folder = f"{settings.work}/runs/{run_id}"
        self._used = 0.0  # seconds that this run's stages have taken

    def run(self, plan: dict[str, Any]) -> StageReport:
        """Run one stage.

        Raises:
            dagster.Failure: it failed, said nothing, or took too long.
            dagster.RetryRequested: its machines went away.
        """
        stage, folder = plan["stage"], f"{self._folder}/{plan['stage']}-{uuid.uuid4().hex[:8]}"
        limit = self._settings.max_hours * 3600 - self._used
        self._put(f"{folder}/plan.json", json.dumps({**plan, "limit_seconds": max(limit, 1.0)}, indent=1))
        began = self._clock.now()
        job = self.place.submit(stage, f"{folder}/plan.json", f"{folder}/report.json")
        said: list[str] = []
        try:
            state = self._watch(stage, job, folder, began + limit, said)
        except BaseException:  # a cancelled run must not leave its step running, and cancelling is no Exception
            self._cancel(stage, job)
            raise
        finally:
            self._used += self._clock.now() - began
        if not state.good:
            raise self._failed(stage, job, state, said)
        report = self._read(f"{folder}/report.json")
        if report is None:
            raise failure(stage, job, state, "It wrote no report, so nothing is known of what it did. " + _AGAIN, "")
        return StageReport(**json.loads(report), place=self.place.facts())

    def _cancel(self, stage: str, job: Job) -> None:
        """Stop a job; why the run stops stays the news when that fails."""
        try:
            self.place.cancel(job)
        except Exception as error:
            self._tell(f"{stage}: {job.where} could not be cancelled ({error})")

    def _watch(self, stage: str, job: Job, folder: str, deadline: float, said: list[str]) -> State:
        """Wait for the end of a job, telling its states and its own lines, which `said` gathers."""
        seen = ""
        while True:
            state = self.place.state(job)
            self._tell_progress(stage, folder, said)
            if f"{state.name} {state.reason}" != seen:
                seen = f"{state.name} {state.reason}"
                self._tell(f"{stage}: {job.where} is {state.name}{f' ({state.reason})' if state.reason else ''}")
            if state.over:
                self._tell_progress(stage, folder, said)
                return state
            if self._clock.now() > deadline:
                why = (
                    f"The run's stages have taken {self._settings.max_hours:g} hours, as long as they may (max_hours)."
                )
                raise failure(stage, job, state, why, stderr_tail(self._aws, job.logs))
            self._clock.sleep(self._settings.poll_seconds)

    def _tell_progress(self, stage: str, folder: str, said: list[str]) -> None:
        """Tell the stage's lines after those that it has `said`, and gather them there."""
        while (line := self._read(f"{folder}/report.json.log/{len(said):05d}")) is not None:
            self._tell(f"{stage}: {line}")
            said.append(line)

    def _failed(self, stage: str, job: Job, state: State, said: list[str]) -> Exception:
        """The failure, or the wish to try again when machines were missing."""
        if is_capacity(state.reason):
            why = "Machines were missing or taken away; the next try gets them on demand."
            self.place.lose()
            failed = failure(stage, job, state, why, "")
            settings = self._settings
            again = dg.RetryRequested(settings.capacity_retries, settings.capacity_wait_seconds)
            again.__cause__ = failed
            self._tell(str(failed.description))
            return again
        return failure(stage, job, state, _why(state, said) + _AGAIN, stderr_tail(self._aws, job.logs))

    def _put(self, uri: str, text: str) -> None:
        key = self._settings.kms_key or None
        self._aws.call("s3", "put_object", **location(uri), Body=text.encode(), **encryption(key))

    def _read(self, uri: str) -> str | None:
        """The object's text; None when it is not there."""
        from botocore.exceptions import ClientError

        try:
            return self._aws.read(uri).decode()
        except ClientError as error:
            if error.response["Error"]["Code"] in {"NoSuchKey", "404"}:
                return None
            raise


def _why(state: State, said: list[str]) -> str:
    """What the stage's own lines say about its end, as the start of a sentence for people."""
    if said:
        last = [line.removeprefix(_FAILED) for line in said if line.startswith(_FAILED)]
        return f"Its error is {last[-1].rstrip('.')}. " if last else ""
    return "" if state.gone else "It ended before it said a word: the code, the plan or Python was not there for it. "
