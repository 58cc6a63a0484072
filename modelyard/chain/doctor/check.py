"""One line of the doctor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

State = Literal["ok", "warn", "missing"]


@dataclass(frozen=True)
class Check:
    """state: ok, warn (works, with a loss) or missing (what is asked for cannot work). next: what mends it."""

    name: str
    state: State
    said: str
    next: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "state": self.state, "said": self.said, "next": self.next}
