"""The jobs. Each is one run for one week or for a range of weeks: one process, one Spark session."""

import dagster as dg

from nextbasket_assets.operations.retraining import SCORE, TRAIN

_BASKETS = ("raw_transactions", "rejected_lines", "landed_files", "staged_baskets")
_HISTORY = ("mission_tagged_baskets", "customer_sequences")
_MODELS = (
    *("mission_model", "mission_topics", "mission_identities", "mission_candidates", "mission_history"),
    *("rnn_model", "model_evaluation"),
)
_PROFILES = ("mission_profiles",)
_SCORES = ("next_basket_scores", "next_trip_outlook", "score_exports", "weekly_report")
LONGEST_RUN_HOURS = 8  # deploy/dagster.yaml has the same for runs that no job tagged


def _tags(job: str) -> dict[str, str]:
    """The branch, to filter runs by; and the seconds after which a run that hangs is ended and marked failed."""
    return {"nextbasket/branch": job, "dagster/max_runtime": str(LONGEST_RUN_HOURS * 60 * 60)}


score_week = dg.define_asset_job(
    SCORE,
    selection=dg.AssetSelection.assets(*_BASKETS, *_HISTORY, *_PROFILES, *_SCORES),
    description="An arrived week, from its landing file to scores by the champion there is, and the week's report.",
    tags=_tags(SCORE),
)
train_and_score_week = dg.define_asset_job(
    TRAIN,
    selection=dg.AssetSelection.assets(*_BASKETS, *_HISTORY, *_MODELS, *_PROFILES, *_SCORES),
    description="An arrived week, from its landing file to new models, their evaluation, scores by the champion, and the report.",
    tags=_tags(TRAIN),
)
train_models = dg.define_asset_job(
    "train_models",
    selection=dg.AssetSelection.assets(*_HISTORY, *_MODELS, *_PROFILES),
    description="New models as of a week that is already in the lake, evaluated against the champion.",
    tags=_tags("train_models"),
)
backfill_weeks = dg.define_asset_job(
    "backfill_weeks",
    selection=dg.AssetSelection.assets(*_BASKETS, *_HISTORY),
    description="Many landed weeks to baskets, missions and sequences in one Spark session; no training, no scores.",
    tags=_tags("backfill_weeks"),
)

refresh_weeks = dg.define_asset_job(
    "refresh_weeks",
    selection=dg.AssetSelection.assets("staged_baskets", "mission_history", *_PROFILES, *_HISTORY, *_SCORES),
    description="Tables of weeks whose input was replaced since: what a correction or a late week leaves behind.",
    tags=_tags("refresh_weeks"),
)

JOBS = [score_week, train_and_score_week, train_models, backfill_weeks, refresh_weeks]
