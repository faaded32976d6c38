"""Pure parts of the command post's desk."""
