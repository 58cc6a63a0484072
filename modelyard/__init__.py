"""Modelyard: from raw data to a monitored model in production, and back."""

__version__ = "0.1.0"
