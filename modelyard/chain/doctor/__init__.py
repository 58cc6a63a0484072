"""The doctor: what this machine and this workspace have, what is missing, and the command that mends it."""

from modelyard.chain.doctor.check import Check
from modelyard.chain.doctor.examine import examine

__all__ = ["Check", "examine"]
