"""The command line: `nextbasket`."""
