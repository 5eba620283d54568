"""Where Spark and torch meet."""
