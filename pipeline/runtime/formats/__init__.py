"""The files that stages exchange: arrays, tables, JSON, models, drawings; checked when read."""
