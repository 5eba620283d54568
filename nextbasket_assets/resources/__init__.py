"""WHERE it runs and lives: Spark, the lake, the landing folder. Resources hand plain objects to assets."""
