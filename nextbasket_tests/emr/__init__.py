"""The deployment `emr`, end to end on the test bed: real Spark, real S3 and EMR calls, no AWS."""
