"""Ratios of speed, measured side by side: ``python -m bench.NAME`` prints and records a table."""
