"""The test bed's S3 is as sound as S3: an object is there whole or not at all."""

from collections.abc import Callable
from pathlib import Path

from nextbasket_tests.emr_bed.spark_submit import Mirror


class Bucket:
    """S3, as far as a mirror uploads to it.

    Attributes:
        objects: what lies in it, by bucket and key.
        meanwhile: done during the next upload, after the file is read.
    """

    def __init__(self) -> None:
        self.objects: dict[str, str] = {}
        self.meanwhile: Callable[[], object] = lambda: None

    def upload_file(self, file: str, bucket: str, key: str) -> None:
        self.objects[f"{bucket}/{key}"] = Path(file).read_text()
        self.meanwhile()


def test_a_line_comes_as_a_whole(tmp_path: Path) -> None:
    """A line that is not written yet, or is written on while it is uploaded, is in the bucket whole after the next look."""
    s3 = Bucket()
    mirror = Mirror(s3, tmp_path)
    folder = tmp_path / "shop/report.json.log"
    folder.mkdir(parents=True)
    (folder / "00000").touch()
    (folder / ".00000.crc").write_text("crc")

    mirror.push_lines(str(folder))
    assert s3.objects == {}

    (folder / "00000").write_text("begun")
    s3.meanwhile = lambda: (folder / "00000").write_text("begun on Spark")
    mirror.push_lines(str(folder))
    s3.meanwhile = lambda: None
    mirror.push_lines(str(folder))
    assert s3.objects == {"shop/report.json.log/00000": "begun on Spark"}
