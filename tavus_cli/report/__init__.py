"""Reports over recordings: what happened, how fast, and whether that is good enough (docs/report.md)."""
