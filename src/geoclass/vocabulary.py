"""The words that data sets, models and commands share: splits and tasks, each stated once."""

from collections.abc import Sequence

from geoclass.errors import UsageError

SPLITS = ("train", "valid", "test")
TASKS = ("country", "genre")


def parse_tasks(text: str, *, accepted: Sequence[str] = TASKS, source: str = "task") -> tuple[str, ...]:
    """The parts of "country,genre", in order, each once.

    Args:
        text: Names separated by commas.
        accepted: The names accepted.
        source: Where the text comes from, for the message: an option ("--fields"), a corpus, a setting.

    Raises:
        UsageError: None, or a name that is not accepted.
    """
    tasks = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not tasks or not set(tasks) <= set(accepted):
        raise UsageError(
            f"{source}: expected {' or '.join(accepted)}, found {text!r}",
            hint=f"separate several with a comma: {','.join(accepted)}",
        )
    return tasks
