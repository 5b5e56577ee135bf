"""Cells of work that are kept: what was computed once is taken, not computed again."""
