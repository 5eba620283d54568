"""The model registry: one row per decision about a model, and the answer to "which model, as of this week?".

A model's version carries its as-of week. Nothing is ever overwritten: a promotion, a refusal and a rollback are rows.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
from deltalake import CommitProperties, Transaction, write_deltalake
from deltalake.exceptions import DeltaError

from nextbasket_assets.columns import REGISTRY
from nextbasket_assets.crash_points import reach
from nextbasket_assets.lake.space import room
from nextbasket_assets.lake.tables import Lake, LakeError, arrow_schema

_EVIDENCE = {"mission_model": "mission_history", "rnn_model": "model_evaluation"}  # published after a decision

TRAINED, PROMOTED, REFUSED, ROLLED_BACK = "trained", "promoted", "refused", "rolled_back"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One decision about one model version.

    Attributes:
        week: as-of week; the model saw weeks up to this one.
        name: `mission_model` or `rnn_model`.
        version: unique per content.
        decision: `trained`, `promoted`, `refused` or `rolled_back`.
        why: the numbers that decided, in one sentence.
        metrics: metric name to number.
        artifact: folder of the artifact, relative to the lake's root.
        digest: sha256 of the artifact's SHA256SUMS.
        inputs: table name to the version that was read.
        run_id: the orchestrator's run.
    """

    week: date
    name: str
    version: str
    decision: str
    why: str
    metrics: Mapping[str, float]
    artifact: str
    digest: str
    inputs: Mapping[str, int]
    run_id: str


def record(lake: Lake, decision: Decision) -> None:
    """Append a decision.

    Raises:
        LakeError: another decision was recorded at the same moment, or the registry takes no writing.
    """
    before = lake.snapshot("model_registry", lake.version("model_registry"))  # not the shared one: writing moves it on
    number = before.delta.count() + 1 if before else 1
    row = {**vars(decision), "number": number}
    row["metrics"] = json.dumps(dict(sorted(decision.metrics.items())))
    row["inputs"] = json.dumps(dict(sorted(decision.inputs.items())))
    reach("record")
    try:
        with room(lake.uri("model_registry"), 0):
            write_deltalake(
                before.delta if before else lake.uri("model_registry"),  # the state that the number was counted in
                pa.Table.from_pylist([row], schema=arrow_schema(REGISTRY)),
                mode="append" if before else "error",
                storage_options=lake.storage_options,
                commit_properties=CommitProperties(
                    app_transactions=[Transaction("number", number)], max_commit_retries=0
                ),
            )
    except DeltaError as error:
        if lake.version("model_registry") == (before.version if before else -1):
            raise
        raise LakeError(
            f"model_registry: another decision was recorded while {decision.name} {decision.version} was being "
            f"{decision.decision}. Nothing was written. Run this again."
        ) from error
    reach("recorded")


def decisions(lake: Lake, name: str) -> list[Decision]:
    """Every decision about a model, oldest first."""
    rows = [row for row in lake.registry().to_pylist() if row.pop("name") == name]
    return [_decision(name, row) for row in rows]


def _decision(name: str, row: dict[str, object]) -> Decision:
    fields = {key: value for key, value in row.items() if key not in ("number", "metrics", "inputs")}
    return Decision(
        name=name,
        metrics=json.loads(str(row["metrics"])),
        inputs=json.loads(str(row["inputs"])),
        **fields,  # type: ignore[arg-type]  # the row has exactly the remaining fields
    )


def judged(decided: Sequence[Decision], as_of: date) -> Decision | None:
    """Of the decisions about one model, the newest one about the newest version up to this week that is more than trained."""
    told = [one for one in decided if one.week <= as_of and one.decision != TRAINED]
    newest = max((one.week for one in told), default=None)
    return [one for one in told if one.week == newest][-1] if told else None


def trained(lake: Lake, name: str, week: date) -> Decision | None:
    """The latest model trained as of exactly this week; None when none was."""
    found = [decision for decision in decisions(lake, name) if (decision.week, decision.decision) == (week, TRAINED)]
    return found[-1] if found else None


def lost(lake: Lake, name: str, as_of: date = date.max) -> date | None:
    """The newest week up to this one whose model the lake was made with and no decision knows; None when all is well."""
    return _unknown(lake.weeks(_EVIDENCE[name]), decisions(lake, name), as_of)


def _unknown(made: Sequence[date], decided: Sequence[Decision], as_of: date) -> date | None:
    """`lost`, of the weeks that have evidence and of the decisions."""
    newest = max((week for week in made if week <= as_of), default=None)
    return None if newest in {decision.week for decision in decided} else newest


def champion(lake: Lake, name: str, as_of: date) -> Decision | None:
    """The model that a week is made with: `promoted`, of a registry that is whole.

    Raises:
        LakeError: the registry was lost or is an older copy: without it every list would silently be the fallback's.
    """
    return champions(lake, name, [as_of])[as_of]


def champions(lake: Lake, name: str, weeks: Sequence[date]) -> dict[date, Decision | None]:
    """The `champion` of every week, of one state of the registry.

    Raises:
        LakeError: the registry was lost or is an older copy.
    """
    made, decided = lake.weeks(_EVIDENCE[name]), decisions(lake, name)
    for week in weeks:
        if unknown := _unknown(made, decided, week):
            raise LakeError(
                f"model_registry: no decision about {name} as of {unknown}, although {_EVIDENCE[name]} has that week: the "
                "registry was lost or is an older copy. Restore it from a copy of the lake, or train as of that week again."
            )
    return {week: in_force(decided, week) for week in weeks}


def promoted(lake: Lake, name: str, as_of: date, *, besides: str | None = None) -> Decision | None:
    """The champion for a week: the newest promoted model whose as-of week is not later; None when there is none.

    Args:
        besides: a version that does not count: a challenger must not meet itself, also when its week is run again.
    """
    return in_force(decisions(lake, name), as_of, besides=besides)


def in_force(decided: Sequence[Decision], as_of: date, *, besides: str | None = None) -> Decision | None:
    """`promoted`, of the decisions about one model, oldest first."""
    newest: dict[str, Decision] = {}
    for decision in decided:
        if decision.week <= as_of and decision.decision != TRAINED:
            newest.pop(decision.version, None)
            newest[decision.version] = decision
    newest.pop(besides or "", None)
    candidates = [decision for decision in newest.values() if decision.decision == PROMOTED]
    return max(enumerate(candidates), key=lambda pair: (pair[1].week, pair[0]))[1] if candidates else None
