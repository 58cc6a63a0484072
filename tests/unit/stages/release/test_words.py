from __future__ import annotations

import re
from pathlib import Path

import modelyard.stages.release
from modelyard.stages.release.rules import OF_METRIC, RULES
from modelyard.stages.release.words import LANGUAGES

FOLDER = Path(modelyard.stages.release.__file__).parent
EN = LANGUAGES["en"].table


def _sources() -> str:
    files = [path for path in FOLDER.rglob("*") if path.suffix in (".py", ".html") and path.parent.name != "languages"]
    return "\n".join(path.read_text(encoding="utf-8") for path in files).replace("'", '"')


def test_every_sentence_that_is_asked_for_exists():
    asked = set(re.findall(r'words(?:\.tally)?\(\s*f?"([a-z0-9_.]+)"', _sources()))
    assert len(asked) > 100
    missing = {key for key in asked if key not in EN and f"{key}.one" not in EN}
    assert {key for key in missing if not key.endswith(".")} == set()


def test_every_figure_has_a_name():
    assert {f"figure.{rule.name}" for rule in RULES} <= set(EN)
    assert {f"figure.{name}.metric" for name in OF_METRIC} <= set(EN)


def test_every_language_says_the_same_things_with_the_same_values():
    for language in LANGUAGES.values():
        table = language.table
        assert set(table) == set(EN)
        for key, sentence in table.items():
            assert set(re.findall(r"{(\w+)}", sentence)) == set(re.findall(r"{(\w+)}", EN[key]))


def test_no_sentence_is_left_unused():
    source = _sources()
    composed = re.findall(r'words(?:\.tally|\.has)?\(\s*f"([^"]+)"', source) + re.findall(r'"([a-z_.]+)" if ', source)
    # Where another metric than accuracy has a sentence of its own.
    of = re.findall(r'words\.of\(\s*[\w.]+,\s*f?"([^"]+)"', source)
    composed += [*of, *(f"{key}.metric" for key in of), "figure.{}.metric", "metric.{}"]
    composed += ["section.{}", "separator.{}", "mend.{}", "mend_section.{}", "absent.{}"]
    patterns = [re.compile(re.sub(r"\\{.*?\\}", ".+", re.escape(one)) + r"(\.one|\.other)?") for one in composed]
    unused = {
        key
        for key in EN
        if f'"{key}"' not in source
        and f'"{key.rpartition(".")[0]}"' not in source
        and not any(pattern.fullmatch(key) for pattern in patterns)
    }
    assert unused == set()
