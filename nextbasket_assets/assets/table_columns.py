"""What Dagster shows of a table's columns: type, meaning, and the columns they are made of."""

import dagster as dg

from nextbasket_assets.columns import TABLES, Column, Type
from nextbasket_assets.lineage import LINEAGE

_SHOWN = {"long": "bigint"}  # the UI draws no sign beside a number that it does not know by name


def column_schema(table: str) -> dg.TableSchema:
    """The columns with their meanings; where a column comes from stands there too, for a UI that draws no column lineage."""
    return dg.TableSchema(
        [
            dg.TableColumn(
                column.name,
                _SHOWN.get(_name(column.type), _name(column.type)),
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
    more = (_fields(column.type), f"From {', '.join(sources)}" if sources else "")
    return ". ".join(filter(None, [column.meaning, *more])) + ("." if any(more) else "")


def _fields(type_: Type) -> str:
    """What each entry of an array of records holds; nothing for another type."""
    element = "" if isinstance(type_, str) else type_.get("elementType", "")
    if isinstance(element, str):
        return ""
    fields = ((field["name"], field["type"]) for field in element["fields"])
    return "Each has " + ", ".join(f"{name} ({_name(kind)})" for name, kind in fields)


def _name(type_: Type) -> str:
    """What a type is called, without what it is made of."""
    return type_ if isinstance(type_, str) else str(type_["type"])
