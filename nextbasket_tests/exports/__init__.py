"""Claims about `nextbasket_assets.exports`."""
