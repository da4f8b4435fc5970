"""Write docs/commands.md from the commands' own help; `--check` only says whether it is up to date."""

import os
import subprocess
import sys
from pathlib import Path

TARGET = Path(__file__).parents[1] / "docs" / "commands.md"


def command_docs() -> str:
    """What `geoclass --help` and all its sub-commands say, as Markdown."""
    line = [sys.executable, "-m", "typer", "geoclass.cli.app", "utils", "docs", "--name", "geoclass"]
    plain = os.environ | {"COLUMNS": "200", "NO_COLOR": "1"}
    return subprocess.run(line, capture_output=True, text=True, check=True, env=plain).stdout.strip() + "\n"


def main() -> None:
    text = command_docs()
    if "--check" not in sys.argv:
        TARGET.write_text(text, encoding="utf-8")
    elif not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text:
        sys.exit("docs/commands.md is out of date: python tools/write_command_docs.py")


if __name__ == "__main__":
    main()
