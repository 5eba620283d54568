"""Where the tables and models live."""

import dagster as dg

from nextbasket_assets.lake.tables import Lake


class LakeResource(dg.ConfigurableResource):
    """The lake below one root: an absolute local folder or an object store prefix."""

    root: str

    def open(self) -> Lake:
        """The lake itself, a plain object."""
        return Lake(self.root)
