"""Variants that only the Model can give, beside the float graphs: those of engines that convert its directory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modelyard.errors import ModelyardError
from modelyard.run import Run
from modelyard.runtimes.tolerances import replay_whole, tolerance
from modelyard.store import Package
from modelyard.store.artifacts import write_index
from modelyard.tasks import Pipeline

# Another engine's search may write another text where two are worth nearly the same; what that costs is judged by
# optimize, and what it answers is not to be another model's.
LEAST_AGREEMENT = 0.9


def add_further(
    folder: Path, offered: Sequence[Mapping[str, Any]], pipeline: Pipeline, max_abs: float, run: Run
) -> None:
    """Enter those behind float that pass the whole golden set; of the others the files go, and the reason is said.

    offered: each {"name", "runtime", "requires", "graphs"}, its files alone in variants/NAME.
    """
    for variant in offered:
        draft = Package.open(folder)
        reason = ""
        try:
            found = replay_whole(draft, dict(variant), pipeline, run.threads)
            reason = found.reason
            if not reason and found.max_abs > max_abs:
                reason = f"it differs from the model by {found.max_abs:.3g}, the bar is {max_abs:g}"
            elif not reason and found.agreement < LEAST_AGREEMENT:
                reason = f"{1 - found.agreement:.0%} of its golden answers are not the model's"
        except ModelyardError as error:
            reason = error.message
        if reason:
            for graph in variant["graphs"].values():
                for file in graph["files"]:
                    (folder / file).unlink()
            (folder / "variants" / variant["name"]).rmdir()
            run.say(f"variant {variant['name']} is left out: {reason}")
            continue
        entered = {**variant, "tolerance": tolerance(found)}
        write_index(Package, folder, {**draft.info, "variants": [*draft.variants, entered]})
        run.record(
            f"agreement_{variant['name']}",
            found.agreement,
            how=f"{found.checked} golden inputs, the share whose answers by {variant['runtime']} are those of the model"
            " in PyTorch",
            unit="share",
        )
