"""The ledger: one database of runs, results, versions and aliases."""

from modelyard.ledger.ledger import Ledger, Minted, Result, StageEntry

__all__ = ["Ledger", "Minted", "Result", "StageEntry"]
