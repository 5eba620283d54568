"""Who takes a staged folder: the run that publishes it, or whoever removes it; never both, in whatever order they come.

Each writes the folder's name into the log of the table with its commit, and of two such commits Delta refuses the second.
"""

from collections.abc import Collection
from dataclasses import dataclass

from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Transaction
from deltalake.exceptions import CommitFailedError

from nextbasket_assets.columns import TABLES, WEEK
from nextbasket_assets.lake.tables import Lake, Snapshot, delta_schema

# Which weeks are behind is told by the commits (lake.freshness), old ones too; by default they go after thirty days.
KEEP_THE_LOG = PostCommitHookProperties(cleanup_expired_logs=False)
# A reader opens the newest checkpoint and every commit after it, on S3 by two requests each.
CHECKPOINTS = {"delta.checkpointInterval": "10"}
REMOVED = "removed"  # kind of a commit that changes no row: it takes folders that are to be removed
_ATTEMPTS = 5


@dataclass(frozen=True)
class Fates:
    """What became of staged folders; nothing that happens later changes it.

    Attributes:
        needed: files of these folders that the newest version needs, relative to the table.
        published: folders that a version, old ones included, was committed from.
        free: folders that none was committed from, and that no run can publish any more.
    """

    needed: frozenset[str]
    published: frozenset[str]
    free: frozenset[str]


def claim(folder: str) -> Transaction:
    """What the commit that publishes or removes a folder carries."""
    return Transaction(_key(folder), 1)


def is_claimed(table: DeltaTable, folder: str) -> bool:
    """Whether a commit published or removed the folder."""
    return table.transaction_version(_key(folder)) is not None


def settle(lake: Lake, table: str, folders: Collection[str]) -> Fates:
    """Keep every folder that was not published from being published; folders that a run publishes meanwhile are in no group."""
    for _ in range(_ATTEMPTS):
        snapshot = lake.snapshot(table) if folders else None
        if snapshot is None:
            return Fates(frozenset(), frozenset(), frozenset(folders))
        fates = _fates(snapshot, folders)
        open_ones = sorted(folder for folder in fates.free if not is_claimed(snapshot.delta, folder))
        if not open_ones or _claimed_all(snapshot.delta, table, open_ones):
            return fates
    return Fates(fates.needed, fates.published, frozenset())


def _fates(snapshot: Snapshot, folders: Collection[str]) -> Fates:
    needed = frozenset(file.path for file in snapshot.published if _folder(file.path) in folders)
    published = frozenset(_folder(path) for path in needed)
    if unclear := frozenset(folders) - published:  # seldom any; the whole log is read for them
        published |= unclear & {str(commit.get("staged")) for commit in snapshot.commits}
    return Fates(needed, published, frozenset(folders) - published)


def _claimed_all(seen: DeltaTable, table: str, folders: list[str]) -> bool:
    """Whether a commit took the folders; not when another commit took one of them since the table was seen."""
    try:
        seen.create_write_transaction(
            [],
            mode="append",
            schema=delta_schema(TABLES[table]),
            partition_by=[WEEK],
            commit_properties=CommitProperties({"kind": REMOVED}, app_transactions=[claim(name) for name in folders]),
            post_commithook_properties=KEEP_THE_LOG,
        )
    except CommitFailedError:
        return False
    return True


def _folder(path: str) -> str:
    return path.split("/")[0]


def _key(folder: str) -> str:
    return f"staged={folder}"
