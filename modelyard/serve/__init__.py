"""Packages behind the Open Inference Protocol (V2), over REST and gRPC from one handler.

Loads no torch, transformers, pandas, pyarrow or SQLAlchemy: a test looks at the running process.
"""

from __future__ import annotations

from modelyard.serve.settings import ServeSettings, read_token

__all__ = ["ServeSettings", "read_token"]
