"""What Dagster shows of a table's columns: type, meaning, and the columns they are made of."""

import dagster as dg

from nextbasket_assets.columns import TABLES, Column
from nextbasket_assets.lineage import LINEAGE


def column_schema(table: str) -> dg.TableSchema:
    """The columns with their meanings; where a column comes from stands there too, for a UI that draws no column lineage."""
    return dg.TableSchema(
        [
            dg.TableColumn(
                column.name,
                column.type if isinstance(column.type, str) else str(column.type["type"]),
                description=_described(table, column),
                constraints=dg.TableColumnConstraints(nullable=column.nullable),
            )
            for column in TABLES[table]
        ]
    )


def column_lineage(table: str) -> dict[str, dg.TableColumnLineage]:
    """The lineage as metadata of a table or of its materialisations."""
    deps = {
        column: [dg.TableColumnDep(*source.split(".")) for source in sources]
        for column, sources in LINEAGE[table].items()
        if sources
    }
    return {"dagster/column_lineage": dg.TableColumnLineage(deps)} if deps else {}


def _described(table: str, column: Column) -> str:
    sources = LINEAGE[table].get(column.name)
    return f"{column.meaning}. From {', '.join(sources)}." if sources else column.meaning
