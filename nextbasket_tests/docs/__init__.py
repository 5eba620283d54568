"""Claims about the pages: their commands work, their links lead somewhere."""
