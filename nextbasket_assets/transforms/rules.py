"""The rules that a transaction line must keep, in the order they are tried, and the types its fields get.

Expressions are Spark SQL over the fields of a line, all text, under their documented header names. A rule is
(what holds, what to say when it does not); it says what was found and wanted, never what the line contains.
"""

from pyspark.sql import Column
from pyspark.sql import functions as F

from nextbasket_assets.landing import LABELS, LIFESTAGE_CODES, PRICE_CODES

_DATE = "make_date(int(int(SHOP_DATE) div 10000), int(int(SHOP_DATE) div 100 % 100), int(int(SHOP_DATE) % 100))"
LONGEST_LINE = 4096  # characters; the split into fields takes time with the square of it
_LETTERS = {*PRICE_CODES, *LIFESTAGE_CODES}
_CODE_PATTERN = r"^[!-~]{1,64}\\z"  # visible ASCII


def _says(text: str) -> str:
    return f"'{text}'"


def _matches(field: str, pattern: str) -> str:
    return f"{field} rlike '{pattern}'"


def _code(field: str) -> tuple[str, str]:
    return _matches(field, _CODE_PATTERN), _says(f"{field} is empty or no code of at most 64 visible characters")


def _code_or_null(field: str) -> tuple[str, str]:
    said = _says(f"{field} is no code of at most 64 visible characters")
    return f"{field} = '' or {_matches(field, _CODE_PATTERN)}", said


def _one_of(field: str) -> tuple[str, str]:
    codes = LABELS[field]
    listed = ", ".join(_says(code) for code in codes)
    written = " ".join(code for code in codes if code not in _LETTERS)
    return f"{field} in ('', {listed})", _says(f"{field} is none of the documented codes: {written}")


RULES: dict[str, tuple[str, str]] = {
    "length": (
        f"length(raw_text) <= {LONGEST_LINE}",
        f"concat(length(raw_text), ' characters, expected at most {LONGEST_LINE}')",
    ),
    "quotes": ("fields is not null", _says("a quote is not closed or stands inside a field")),
    "field_count": ("size(fields) = width", "concat(size(fields), ' fields, expected ', width)"),
    "week": ("SHOP_WEEK = week_code", "concat('SHOP_WEEK is not the week of the file, ', week_code)"),
    "date": (
        _matches("SHOP_DATE", r"^\\d{8}\\z") + f" and {_DATE} is not null",
        _says("SHOP_DATE is no date, expected yyyymmdd"),
    ),
    "date_in_week": (
        f"{_DATE} between week and date_add(week, 6)",
        "concat('SHOP_DATE is outside the week, expected ', week, ' to ', date_add(week, 6))",
    ),
    "weekday": (
        f"SHOP_WEEKDAY = cast(dayofweek({_DATE}) as string)",
        _says("SHOP_WEEKDAY is not the day of SHOP_DATE, 1 for Sunday"),
    ),
    "hour": (_matches("SHOP_HOUR", r"^([01]?\\d|2[0-3])\\z"), _says("SHOP_HOUR is no hour, expected 0 to 23")),
    "quantity": (
        _matches("QUANTITY", r"^-?\\d{1,7}\\z"),
        _says("QUANTITY is no whole number of at most 7 digits"),
    ),
    "spend": (
        _matches("SPEND", r"^-?\\d{1,9}(\\.\\d{1,2}0*)?\\z"),
        _says("SPEND is no amount of at most 9 digits and 2 decimals"),
    ),
    "item": _code("PROD_CODE"),
    **{f"category_{level}": _code_or_null(f"PROD_CODE_{level}") for level in (10, 20, 30, 40)},
    "basket": _code("BASKET_ID"),
    "store": _code("STORE_CODE"),
    "customer": _code_or_null("CUST_CODE"),
    "price_sensitivity": _one_of("CUST_PRICE_SENSITIVITY"),
    "lifestage": _one_of("CUST_LIFESTAGE"),
    "basket_size": _one_of("BASKET_SIZE"),
    "basket_price_sensitivity": _one_of("BASKET_PRICE_SENSITIVITY"),
    "basket_type": _one_of("BASKET_TYPE"),
    "basket_dominant_mission": _one_of("BASKET_DOMINANT_MISSION"),
    "store_format": _one_of("STORE_FORMAT"),
}

# Nearly every line keeps every rule, and to match each field by itself costs more than the rest of the parsing. So the
# fields that have patterns are matched at once; a line that fails here is tried rule by rule. It must imply every rule.
_CODE = r"[!-{}~]{1,64}"  # without the bar that joins the fields
_PATTERNS = {
    "SHOP_DATE": r"\\d{8}",
    "SHOP_HOUR": r"([01]?\\d|2[0-3])",
    "QUANTITY": r"-?\\d{1,7}",
    "SPEND": r"-?\\d{1,9}(\\.\\d{1,2}0*)?",
    **dict.fromkeys(("PROD_CODE", "BASKET_ID", "STORE_CODE"), _CODE),
    **dict.fromkeys(("CUST_CODE", *(f"PROD_CODE_{level}" for level in (10, 20, 30, 40))), f"({_CODE})?"),
}
_PATTERNED = (
    *("date", "hour", "quantity", "spend", "item", "basket", "store", "customer"),
    *(f"category_{level}" for level in (10, 20, 30, 40)),
)
_IMPLIED = ("length",)  # a line that is too long is not split into fields
SOUND_LINE = " and ".join(
    (
        *(f"({RULES[rule][0]})" for rule in RULES if rule not in (*_PATTERNED, *_IMPLIED)),
        f"concat_ws('|', {', '.join(_PATTERNS)}) rlike '^{'[|]'.join(_PATTERNS.values())}\\\\z'",
    )
)


def typed() -> dict[str, Column]:
    """Columns of raw_transactions that come from the line's fields; right where every rule holds, null or odd elsewhere."""
    return {
        "date": F.expr(_DATE),
        "hour": F.col("SHOP_HOUR").cast("int"),
        "quantity": F.col("QUANTITY").cast("int"),
        "spend": F.col("SPEND").cast("decimal(14,2)"),
        "item": F.col("PROD_CODE"),
        **{f"category_{level}": _or_null(f"PROD_CODE_{level}") for level in (10, 20, 30, 40)},
        "customer": _or_null("CUST_CODE"),
        "basket": F.col("BASKET_ID"),
        "price_sensitivity": _recoded("CUST_PRICE_SENSITIVITY", PRICE_CODES),
        "lifestage": _recoded("CUST_LIFESTAGE", LIFESTAGE_CODES),
        "basket_size": _or_null("BASKET_SIZE"),
        "basket_price_sensitivity": _or_null("BASKET_PRICE_SENSITIVITY"),
        "basket_type": _or_null("BASKET_TYPE"),
        # The user guide spells it "Non Food", the data "Nonfood".
        "basket_dominant_mission": _recoded("BASKET_DOMINANT_MISSION", {"Non Food": "Nonfood"}),
        "store": F.col("STORE_CODE"),
        "store_format": _or_null("STORE_FORMAT"),
        "store_region": _or_null("STORE_REGION"),
    }


def _or_null(field: str) -> Column:
    return F.when(F.col(field) != "", F.col(field))


def _recoded(field: str, letters: dict[str, str]) -> Column:
    column = _or_null(field)
    for code, letter in letters.items():
        column = F.when(F.col(field) == code, F.lit(letter)).otherwise(column)
    return column
