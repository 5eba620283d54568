"""Small files through Spark's own file systems, so that a local path and an s3:// one are read alike."""

from typing import Any

from pyspark.sql import SparkSession


def read_text(spark: SparkSession, uri: str) -> str:
    """The whole file as text; for plans and configurations, not for data."""
    return _content(spark, *_open(spark, uri)).decode()


def read_folder(spark: SparkSession, uri: str) -> dict[str, bytes]:
    """The files of a folder by name, folders in it left out; for a model, not for data."""
    system, path = _open(spark, uri)
    found = [status.getPath() for status in system.listStatus(path) if status.isFile()]
    return {file.getName(): _content(spark, system, file) for file in found}


def _content(spark: SparkSession, system: Any, path: Any) -> bytes:
    stream = system.open(path)
    try:
        # Hadoop's own copy: the shaded commons-io of the pip package is not on a cluster.
        content = _jvm(spark).java.io.ByteArrayOutputStream()
        _jvm(spark).org.apache.hadoop.io.IOUtils.copyBytes(stream, content, 4096, False)
        return bytes(content.toByteArray())
    finally:
        stream.close()


def write_text(spark: SparkSession, uri: str, text: str) -> None:
    """Write a file that must not exist yet."""
    system, path = _open(spark, uri)
    stream = system.create(path, False)
    try:
        stream.write(bytearray(text.encode()))
    finally:
        stream.close()


def _open(spark: SparkSession, uri: str) -> tuple[Any, Any]:
    path = _jvm(spark).org.apache.hadoop.fs.Path(uri)
    return path.getFileSystem(spark._jsc.hadoopConfiguration()), path


def _jvm(spark: SparkSession) -> Any:
    return spark._jvm
