"""Modelyard: from raw data to a monitored model in production, and back."""

import os

# OpenMP reads it once, when torch is loaded: waiting threads sleep instead of spinning. With other work on the cores,
# a training step on two spinning threads took 3 to 7 times as long as on two sleeping ones; on quiet cores it was no
# faster.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"
