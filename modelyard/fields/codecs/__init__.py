"""Boxes as other tools write them, one format a file: pure functions, both ways. Raises ValueError in words."""
