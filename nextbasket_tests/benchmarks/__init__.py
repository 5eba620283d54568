"""Tests of the benchmarks: that they run, reckon by hand-made numbers as they say and see no target; not what they measure."""
