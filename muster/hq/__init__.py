"""The command post's own desk: who is told of what, and what became of it."""
