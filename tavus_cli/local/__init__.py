"""Tavus on this machine: API, Daily's signalling, webhooks. Needs the extra `local`: imported late."""
