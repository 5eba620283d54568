"""Tests of the benchmarks: that they run and say what they promise, not what the numbers are."""
