"""The registry: who lives where, kept apart from what happened to them."""
