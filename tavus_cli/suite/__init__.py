"""Suites: many scripts on many targets, many times, with one result."""
