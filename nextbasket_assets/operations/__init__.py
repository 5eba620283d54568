"""WHEN it runs and WHETHER it held: jobs, sensors, the retraining policy, checks on published tables."""
