"""tavus-console: the terminal for live Tavus conversations."""

__version__ = "0.1.0"
