"""Where the tables and models live."""

import dagster as dg

from nextbasket_assets.lake.tables import Lake


class LakeResource(dg.ConfigurableResource):
    """The lake below one root: an absolute local folder or an s3://bucket/prefix.

    Attributes:
        root: that place.
        kms_key: key that encrypts what is written to a bucket; None leaves it to the bucket's default.
    """

    root: str
    kms_key: str | None = None

    def open(self) -> Lake:
        """The lake itself, a plain object."""
        return Lake(self.root, self.kms_key)
