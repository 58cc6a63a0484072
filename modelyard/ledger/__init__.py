"""The ledger: one database of runs, results, versions and aliases."""

from modelyard.ledger.ledger import INTERRUPTED, Ledger, Minted, Result, StageEntry
from modelyard.ledger.moves import Move

__all__ = ["INTERRUPTED", "Ledger", "Minted", "Move", "Result", "StageEntry"]
