"""MLflow, and nothing else knows of MLflow: one run for each execution of a stage.

A run is logged from the stage's files on disk alone, after they are complete, so a failure to log
costs no result and ``python -m pipeline track`` makes the same run later. Reading order: ``runs``
(what a run holds), ``record`` (log one), ``process`` (beside a stage), ``backfill`` (what is
missing), ``store``, ``registry``, ``ui``.
"""
