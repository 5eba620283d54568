"""The synthetic shop: weekly files in the LGSR format, with planted missions and nobody's data in them."""
