"""Afterword: the open-source, self-hosted platform for win-loss and customer interviews."""

__version__ = "0.1.0"
