"""Where the tables and models live."""

import dagster as dg
from pydantic import PrivateAttr

from nextbasket_assets.lake.tables import Lake


class LakeResource(dg.ConfigurableResource):
    """The lake below one root: an absolute local folder or an s3://bucket/prefix.

    Attributes:
        root: that place.
        kms_key: key that encrypts what is written to a bucket; None leaves it to the bucket's default.
    """

    root: str
    kms_key: str | None = None

    _lake: Lake | None = PrivateAttr(default=None)

    def open(self) -> Lake:
        """The lake itself, a plain object: one for the life of the resource, as it knows the tables that it has opened."""
        if self._lake is None:
            self._lake = Lake(self.root, self.kms_key)
        return self._lake
