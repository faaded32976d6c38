"""Pure: which role may do what, and where."""
