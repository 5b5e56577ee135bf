"""Cells of work over processes or a cluster: on how many cores, and how far they are."""
