"""Claims about landing a retailer's own files."""
