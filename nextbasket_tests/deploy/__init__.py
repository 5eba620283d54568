"""What is deployed: the host's files, Dagster's storage, Terraform."""
