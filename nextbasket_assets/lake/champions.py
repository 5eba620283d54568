"""Changing the champion by hand: roll back to the one before, or promote a version. Both are decisions like any other.

Belongs here: the decisions, and which weeks' lists they concern. Making those lists again is a run's part.
"""

from dataclasses import replace
from datetime import date

from nextbasket_assets.columns import WEEK
from nextbasket_assets.lake import artifacts, freshness, registry
from nextbasket_assets.lake.registry import PROMOTED, ROLLED_BACK, TRAINED, Decision
from nextbasket_assets.lake.tables import Lake, LakeError, NotThereError

MODEL = "rnn_model"
_SCORES, _OUTLOOKS = "next_basket_scores", "next_trip_outlook"
MADE_OF_LISTS = ("score_exports", "weekly_report")
_ANY_WEEK = date.max


def roll_back(lake: Lake, reason: str, run_id: str) -> tuple[Decision, Decision | None]:
    """Take the champion out of service; it, and the one that serves from now on (None for the fallback).

    Raises:
        LakeError: there is no champion, or the one before is damaged.
    """
    champion = registry.promoted(lake, MODEL, _ANY_WEEK)
    if champion is None:
        raise NotThereError(f"{MODEL}: no champion to roll back. Train one first (job train_models).")
    before = registry.promoted(lake, MODEL, _ANY_WEEK, besides=champion.version)
    if before:
        artifacts.verify(lake, before.artifact, before.digest)
    _record(lake, champion, ROLLED_BACK, f"rolled back by hand: {reason}", run_id)
    return champion, before


def promote(lake: Lake, version: str, reason: str, run_id: str) -> Decision:
    """Promote a version against the gate's word, or again after a rollback.

    Raises:
        LakeError: there is no such version, it serves already, or it is damaged.
    """
    known = {decision.version: decision for decision in registry.decisions(lake, MODEL)}
    if version not in known:
        some = ", ".join(sorted(known)[-5:]) or "none"
        raise NotThereError(
            f"{MODEL}: no version {version[:80]!r}. Choose one of the registry; the newest are: {some}."
        )
    model = known[version]
    if model.decision == PROMOTED:
        raise LakeError(f"{MODEL}: {version} is promoted already. Nothing was changed. Leave it, or choose another.")
    artifacts.verify(lake, model.artifact, model.digest)
    return _record(lake, model, PROMOTED, f"promoted by hand: {reason}", run_id)


def promoted(lake: Lake, version: str) -> Decision | None:
    """The decision that promoted a version, unless another one took that back."""
    found = _newest(registry.decisions(lake, MODEL)).get(version)
    return found if found and found.decision == PROMOTED else None


def left_by_a_rollback(lake: Lake) -> list[date]:
    """Weeks that still have lists or outlooks of a version that was rolled back, or exports and reports of them."""
    decisions = registry.decisions(lake, MODEL)
    gone = {version for version, one in _newest(decisions).items() if one.decision == ROLLED_BACK}
    if not gone:
        return []
    left = {week for table in (_SCORES, _OUTLOOKS) for week, found in _scorers(lake, table).items() if found & gone}
    if decisions[-1].decision == ROLLED_BACK:
        left |= {week for week in _to_make_of_them(lake) if week >= decisions[-1].week}
    return sorted(left)


def _to_make_of_them(lake: Lake) -> set[date]:
    """Weeks that have an export or a report which is older than their lists."""
    behind = freshness.behind(lake)
    return {week for table in MADE_OF_LISTS for week in {*behind.get(table, ())} & {*lake.weeks(table)}}


def to_make_again(lake: Lake, since: date) -> list[date]:
    """Weeks from this one on that were not scored by the champion in force, or whose exports or reports are older than that."""
    weeks = {*scored_by_another(lake), *_to_make_of_them(lake)}
    return sorted(week for week in weeks if week >= since)


def scored_by_another(lake: Lake) -> list[date]:
    """Weeks whose lists or outlooks were not made by the champion in force, but by a rolled-back version, or a weaker one."""
    decisions = registry.decisions(lake, MODEL)
    versions = {decision.version for decision in decisions}
    return sorted(
        {
            week
            for table in (_SCORES, _OUTLOOKS)
            for week, found in _scorers(lake, table).items()
            if found & versions != _in_force(decisions, week)
        }
    )


def _in_force(decisions: list[Decision], week: date) -> set[str]:
    champion = registry.in_force(decisions, week)
    return {champion.version} if champion else set()


def _newest(decisions: list[Decision]) -> dict[str, Decision]:
    """The newest word about every version; that it was trained, once more, is none."""
    return {decision.version: decision for decision in decisions if decision.decision != TRAINED}


def _scorers(lake: Lake, table: str) -> dict[date, set[str]]:
    """The versions in every week of a table, in week order."""
    weeks = lake.weeks(table)
    found: dict[date, set[str]] = {week: set() for week in weeks}
    for rows in lake.batches(table, weeks, ["model_version"]):
        for row in rows.group_by([WEEK, "model_version"]).aggregate([]).to_pylist():
            found[row[WEEK]].add(row["model_version"])
    return found


def _record(lake: Lake, model: Decision, decision: str, why: str, run_id: str) -> Decision:
    decided = replace(model, decision=decision, why=why, run_id=run_id)
    registry.record(lake, decided)
    return decided
