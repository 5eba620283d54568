"""Where Spark and torch meet: the recommender's work, dealt out to many machines."""
