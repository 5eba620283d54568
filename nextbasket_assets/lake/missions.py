"""Which missions the weights of a basket are of."""

from nextbasket_assets.lake import registry
from nextbasket_assets.lake.tables import Lake

MODEL = "mission_model"


def mission_ids(lake: Lake, version: str | None) -> list[str]:
    """Ids of a mission model's missions in the order of the weights; none without a model."""
    weeks = {decision.week for decision in registry.decisions(lake, MODEL) if decision.version == version}
    rows = lake.read("mission_identities", sorted(weeks)).to_pylist() if weeks else []
    ids = {row["mission"] for row in rows if row["mission_model"] == version and row["status"] != "retired"}
    return sorted(ids, key=lambda mission: int(mission[1:]))
