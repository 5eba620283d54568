"""A retailer's parquet file, in batches of text columns."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nextbasket_assets.intake.batch import Batch, require_columns
from nextbasket_assets.landing import LandingError

_BATCH_ROWS = 1 << 16


def parquet_batches(path: Path, columns: list[str]) -> Iterator[Batch]:
    """A parquet file's rows.

    Raises:
        LandingError: it is broken, lacks a column, or one cannot be read as text.
    """
    size, done = path.stat().st_size, 0
    try:
        file = pq.ParquetFile(path)
        require_columns(path, columns, file.schema_arrow.names)
        for batch in file.iter_batches(_BATCH_ROWS, columns=columns):
            numbers = np.arange(done + 2, done + 2 + batch.num_rows)  # as in a text file with a header
            done += batch.num_rows
            rows = pa.RecordBatch.from_arrays([_text(path, name, batch.column(name)) for name in columns], columns)
            yield Batch(rows, numbers, {}, size * done // file.metadata.num_rows, ".")
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno:  # of the disk, not of what the file holds
            raise
        said = " ".join(str(error).split()).removesuffix(".")
        raise LandingError(f"{path.name}: cannot be read as parquet: {said}. Export it again.") from error


def _text(path: Path, name: str, values: pa.Array) -> pa.Array:
    """Any column as text; NaN, which pandas writes for a gap, is one."""
    try:
        if pa.types.is_floating(values.type):
            return _float_text(values)
        return _decimal_text(values) if pa.types.is_decimal(values.type) else values.cast(pa.string())
    except pa.ArrowException as error:
        raise LandingError(
            f"{path.name}: column {name!r} holds {values.type}, which cannot be read as text. Export it as text, or as "
            "plain numbers or times."
        ) from error


def _float_text(values: pa.Array) -> pa.Array:
    """Whole numbers, which pandas makes floats of in a column with gaps, without the `.0`.

    Beyond what the type holds exactly two ids may be one already: these stand as a spreadsheet shortens them, `4.0e+16`.
    """
    values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
    exact = 2.0 ** (np.finfo(values.type.to_pandas_dtype()).nmant + 1)
    whole = pc.and_(pc.less(pc.abs(values), exact), pc.equal(values, pc.floor(values)))
    integers = pc.if_else(whole, values, pa.scalar(0, values.type)).cast(pa.int64())
    text = pc.if_else(whole, integers.cast(pa.string()), values.cast(pa.string()))
    beyond = pc.fill_null(pc.greater_equal(pc.abs(values), exact), False)
    return pc.replace_with_mask(
        text, beyond, pa.array([f"{n:.16e}" for n in values.filter(beyond).to_pylist()], pa.string())
    )


def _decimal_text(values: pa.Array) -> pa.Array:
    """Fixed point, without the zeros that the type's scale adds: Arrow writes `0E-10`, and a code with them is another code."""
    coded = values.dictionary_encode()
    plain = [f"{number:f}" for number in coded.dictionary.to_pylist()]
    short = [text.rstrip("0").rstrip(".") if "." in text else text for text in plain]
    return pa.array(short, pa.string()).take(coded.indices)
