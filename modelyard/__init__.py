"""Modelyard: from raw data to a monitored model in production, and back."""

import os

# OpenMP reads it once, when torch is loaded: waiting threads sleep instead of spinning. On cores that others use too,
# two spinning threads made a training step 7 times slower than two sleeping ones.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"
