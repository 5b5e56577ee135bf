"""Attention Lab: four studies of small attention models in one tracked pipeline."""
