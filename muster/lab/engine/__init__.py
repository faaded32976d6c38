"""Pure: what follows from results."""
