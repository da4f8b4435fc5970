"""Write docs/settings.md from the dataclasses of `geoclass.config`; `--check` only says whether it is up to date."""

import ast
import inspect
import io
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from geoclass.config import frontends, settings

TARGET = Path(__file__).parents[1] / "docs" / "settings.md"
SECTIONS = {
    "config.toml": (settings.RunConfig, "a configuration file (`train --config`) or `--set`"),
    "training": (settings.TrainingConfig, "`train --set training.KEY=VALUE`, the common ones also by options"),
    "model": (settings.ModelConfig, "`train --model NAME --set model.KEY=VALUE`"),
    "build-dataset": (settings.BuildConfig, "options of `build-dataset`, or its `--set KEY=VALUE`"),
}
HEAD = """# Settings

All settings with their defaults, generated from the code. A run saves its settings to `config.toml`, which
`train --config` reads; `--set` overrides a single one. Data sets and models store theirs in `dataset.json` and
`bundle.json`.

    geoclass train DATASET --set training.early_stopping=5 --set training.monitor=loss --set training.label_smoothing=0

Invalid settings are reported all at once, before any work is done.
"""


def fields_of(module: ModuleType, name: str) -> Iterator[tuple[str, str, str, str]]:
    """Name, type, default and comment of each field of a dataclass, from its source."""
    source = inspect.getsource(module)
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    (found,) = (node for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and node.name == name)
    for node in found.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            default = ast.unparse(node.value) if node.value else ""
            if default.startswith("field(default_factory="):
                default = default.removeprefix("field(default_factory=").removesuffix(")")
            default = {"dict": "{}", "()": "none", "''": '""'}.get(default, default)
            yield node.target.id, ast.unparse(node.annotation), default, comments.get(node.end_lineno or 0, "")


def table(module: ModuleType, name: str) -> str:
    """A dataclass as a Markdown table."""
    lines = ["| setting | type | default | |", "|---|---|---|---|"]
    for field, kind, default, comment in fields_of(module, name):
        cells = (f"`{field}`", f"`{kind}`", f"`{default}`", comment)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def settings_docs() -> str:
    """The whole page."""
    parts = [HEAD]
    for title, (kind, where) in SECTIONS.items():
        about = f"{inspect.getdoc(kind)} Set by {where}."
        parts.append(f"## {title}\n\n{about}\n\n{table(settings, kind.__name__)}\n")
    parts.append("## front_end\n\nThe input features of a model: `build-dataset --set front_end.KEY=VALUE`.\n")
    for node in ast.parse(inspect.getsource(frontends)).body:
        if isinstance(node, ast.ClassDef) and node.name.endswith("Config"):
            kind = getattr(frontends, node.name)
            parts.append(f"### {kind.kind}\n\n{inspect.getdoc(kind)}\n\n{table(frontends, node.name)}\n")
    return "\n".join(parts)


def main() -> None:
    text = settings_docs()
    if "--check" not in sys.argv:
        TARGET.write_text(text, encoding="utf-8")
    elif not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text:
        sys.exit("docs/settings.md is out of date: python tools/write_settings_docs.py")


if __name__ == "__main__":
    main()
