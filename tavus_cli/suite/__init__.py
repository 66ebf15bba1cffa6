"""Suites: many scripts, on many targets, many times, and one verdict."""
