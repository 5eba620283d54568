"""The limits that checks, the retraining policy and the weekly report share. Standard library only."""

MOST_REJECTED = 0.01  # of a week's lines
SOME_CONFLICTING, MOST_CONFLICTING = 0.02, 0.2  # of a week's lines, under the id of several baskets
LEAST_VOLUME, MOST_VOLUME = 0.2, 4.0  # times the lines of the median recent week
RECENT_WEEKS = 8  # that a week is compared with
MOST_UNASSIGNED = 0.2  # of the baskets, without a mission
MOST_FALLBACK = 0.5  # of the customers, with a list that no model made
SOME_DRIFT, MOST_DRIFT = 0.1, 0.25  # the usual lines of the population stability index: some shift, another population
OLDEST_CHAMPION_WEEKS = 13
