"""Percentiles and logs of a running server."""
