"""Backups, what is restored from them, and what is not."""
