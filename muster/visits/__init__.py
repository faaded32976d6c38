"""Going from door to door: who lives behind it, what they say, and whose way it is."""
