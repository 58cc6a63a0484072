"""A Model or Package that Modelyard made: nothing to adopt, taken as it is."""

from __future__ import annotations

import shutil
from pathlib import Path

from modelyard.errors import BadConfig
from modelyard.run import Run
from modelyard.stages.adopt.config import AdoptConfig
from modelyard.stages.adopt.foreign_files import held, hold_size
from modelyard.store import Model, Package
from modelyard.store.digests import PROVENANCE
from modelyard.tasks import is_own


def take(folder: Path, kind: type[Model] | type[Package], config: AdoptConfig, run: Run) -> Model | Package:
    """A copy with the same digest. Raises BadInput for a link that leads out of the folder, or settings for what only a
    foreign model may be told."""
    told = [name for name in ("task", "tokenizer", "labels", "max_length") if getattr(config, name) is not None]
    made = kind.open(folder)
    if config.task is not None and (config.task == made.task or is_own(config.task)):
        told.remove("task")
    if told:
        raise BadConfig(
            f"{folder.name} is a {kind.kind} of Modelyard's and says its {told[0]} itself",
            where=f"--{told[0].replace('_', '-')}",
            next=f"leave it out; what it says stands in {folder / kind.index}",
        )
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())
    files = held(folder, names)
    hold_size(files, config.max_bytes)
    provenance = made.provenance or {"stage": "adopt", "source": folder.name}
    with run.store.new_directory() as into:
        for path in files:
            target = into / path.relative_to(folder)
            if target.name == PROVENANCE and target.parent == into:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        return run.store.add(kind, into, provenance)
