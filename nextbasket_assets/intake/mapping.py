"""The mapping file: which column of a retailer's files is which field of a landing file. See docs/your-data.md."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from nextbasket_assets.catalogue import LEVELS
from nextbasket_assets.landing import FIELDS, LABELS, LandingError

DERIVED = ("SHOP_WEEK", "SHOP_DATE", "SHOP_WEEKDAY", "SHOP_HOUR")  # from `when`
_A_TIME = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
ONE_COLUMN = ("QUANTITY", "SPEND", *LABELS)  # several make a code, and these are none
MAPPED = tuple(field for field in FIELDS if field not in DERIVED)
PRODUCT_FIELDS = ("PROD_CODE", "PROD_NAME", *(f"PROD_{kind}_{level}" for level in LEVELS for kind in ("CODE", "NAME")))

# One column, or several whose values are joined.
Columns = Annotated[
    list[str], Field(min_length=1), BeforeValidator(lambda value: [value] if isinstance(value, str) else value)
]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class When(_Section):
    """When a line was bought. `timestamp`, or `date` with or without `hour`."""

    timestamp: Columns | None = None  # several are joined by a blank: a date and a time of day
    date: str | None = None
    hour: str | None = None  # 0 to 23, beside `date`
    format: str | None = None  # of Python's strptime; ISO 8601 without it
    timezone: str | None = None  # of the shops, for timestamps that carry an offset

    @model_validator(mode="after")
    def _one_way(self) -> "When":
        if (self.timestamp is None) == (self.date is None) or (self.hour and not self.date):
            raise ValueError("give timestamp, or date with or without hour")
        try:
            _ = self.timezone and ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # Europe is a folder
            raise ValueError(f"timezone {self.timezone!r} is none, expected a name like Europe/London") from error
        return self

    @field_validator("format")
    @classmethod
    def _of_strptime(cls, form: str | None) -> str | None:
        try:
            _ = form and datetime.strptime(_A_TIME.strftime(form), form)
        except (ValueError, re.error) as error:  # a letter that is there twice is a fault of the expression it becomes
            raise ValueError(
                f"format {form!r} reads no time ({error}), expected each of Python's letters once at most, like "
                "%d/%m/%Y %H:%M:%S"
            ) from error
        return form

    def names(self) -> list[str]:
        """The columns that it reads."""
        return [*(self.timestamp or []), *(name for name in (self.date, self.hour) if name)]


class Products(_Section):
    """Names and categories of items, in a file of their own or in the lines."""

    file: str | None = None  # beside the transactions; the lines themselves without it
    columns: dict[str, Columns]

    @model_validator(mode="after")
    def _known(self) -> "Products":
        _only(self.columns, PRODUCT_FIELDS, "products.columns")
        if "PROD_CODE" not in self.columns:
            raise ValueError("products.columns lacks PROD_CODE, the item's code")
        return self


class Csv(_Section):
    """How the text files are written."""

    delimiter: str = Field(default=",", min_length=1, max_length=1)
    decimal: str = Field(default=".", pattern=r"^[.,]$")
    encoding: str = "utf-8"

    @field_validator("delimiter")
    @classmethod
    def _of_one_byte(cls, delimiter: str) -> str:
        if not delimiter.isascii() or delimiter in '\0\r\n"':
            raise ValueError(f"delimiter {delimiter!r} cannot part values, expected a character like , or ; or a tab")
        return delimiter

    @field_validator("encoding")
    @classmethod
    def _of_text(cls, encoding: str) -> str:
        try:
            "a".encode(encoding)
        except (LookupError, ValueError) as error:
            raise ValueError(f"encoding {encoding!r} is none, expected a name like utf-8 or latin-1") from error
        return encoding


class Mapping(_Section):
    """A mapping file, checked."""

    when: When
    columns: dict[str, Columns]
    constants: dict[str, str] = {}  # of fields that no column has
    codes: dict[str, dict[str, str]] = {}  # by field: the retailer's value to ours; to an empty text for none
    products: Products | None = None
    csv: Csv = Csv()

    @model_validator(mode="after")
    def _whole(self) -> "Mapping":
        for section in ("columns", "constants"):
            _only(getattr(self, section), MAPPED, section)
        _only(self.codes, tuple(self.columns), "codes", "a field of columns")
        if "PROD_CODE" not in self.columns:
            raise ValueError("columns lacks PROD_CODE, the item's code")
        if not {"BASKET_ID", "CUST_CODE"} & self.columns.keys():
            raise ValueError("columns has neither BASKET_ID nor CUST_CODE: nothing says which lines are one basket")
        if several := [name for name in ONE_COLUMN if len(self.columns.get(name, ())) > 1]:
            raise ValueError(f"{several[0]} is of several columns, which make a code: name one column")
        if twice := sorted(self.columns.keys() & self.constants.keys()):
            raise ValueError(f"{twice[0]} is in columns and in constants: keep one of them")
        return self

    def fields(self) -> dict[str, list[str]]:
        """By field of a line, the columns that give it: categories may be mapped with the products that are in the lines."""
        own = self.products.columns if self.products and self.products.file is None else {}
        return {name: columns for name, columns in own.items() if name in MAPPED} | self.columns

    def recoded(self, name: str, text: str) -> str:
        """The code that the mapping gives for the retailer's."""
        return self.codes.get(name, {}).get(text.strip(), text)

    def names(self) -> list[str]:
        """Columns of the transactions that are read, each once."""
        own = self.products.columns.values() if self.products and self.products.file is None else ()
        named = [*self.when.names(), *(name for names in (*self.fields().values(), *own) for name in names)]
        return list(dict.fromkeys(named))


def _only(given: Iterable[str], known: tuple[str, ...], section: str, kind: str = "") -> None:
    if unknown := [name for name in given if name not in known]:
        raise ValueError(f"{section} has {unknown[0]}, which is not {kind or 'a field'}: {', '.join(known)}")


def read_mapping(path: Path) -> Mapping:
    """The mapping in a YAML file.

    Raises:
        LandingError: it is no YAML, or not a mapping; every fault is named.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Mapping.model_validate(content)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LandingError(
            f"{path.name}: the mapping is not YAML: {error}. Correct it; see docs/your-data.md."
        ) from error
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}".lstrip(": ") for fault in error.errors()]
        raise LandingError(
            f"{path.name}: no mapping: {'; '.join(faults)}. Correct it; see docs/your-data.md."
        ) from error
