"""The ledger: one database of runs, results, versions and aliases."""

from modelyard.ledger.ledger import INTERRUPTED, Ledger, Minted, Result, StageEntry

__all__ = ["INTERRUPTED", "Ledger", "Minted", "Result", "StageEntry"]
