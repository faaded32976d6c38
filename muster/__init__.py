"""Muster (集结): runs a mass-testing campaign and the neighbourhood response around it."""

__version__ = "0.1.0"
