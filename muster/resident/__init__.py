"""Residents' own pages, without an app or an account: listing oneself, one's code, one's result."""
