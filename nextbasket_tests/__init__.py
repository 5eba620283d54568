"""Claims about nextbasket; the tree mirrors nextbasket_assets."""
