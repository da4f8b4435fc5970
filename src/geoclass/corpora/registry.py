"""Every corpus by name. To add one: write its module, give the class what `base.Corpus` asks for, list it here."""

import inspect
from pathlib import Path
from typing import Any

from geoclass.corpora.base import Corpus
from geoclass.corpora.fma import FMA
from geoclass.corpora.folder import Folder
from geoclass.corpora.gtzan import GTZAN
from geoclass.corpora.mirage import MIRAGE
from geoclass.corpora.uci import UCI
from geoclass.errors import UsageError

CORPORA: dict[str, type[Corpus]] = {
    "fma": FMA,
    "folder": Folder,
    "gtzan": GTZAN,
    "mirage": MIRAGE,
    "uci": UCI,
}


def corpus_options(name: str) -> tuple[str, ...]:
    """The keyword arguments that a corpus takes beside its root.

    Raises:
        UsageError: No such corpus.
    """
    if name not in CORPORA:
        raise UsageError(f"unknown corpus {name!r}", hint=f"expected one of {', '.join(CORPORA)}")
    return tuple(option for option in inspect.signature(CORPORA[name]).parameters if option != "root")


def open_corpus(name: str, root: str | Path, **options: Any) -> Corpus:
    """Open the corpus `name` at `root`; its `options` are the keyword arguments of its class.

    Raises:
        UsageError: No such corpus, or an option that it does not have.
        CorpusError: The root is not laid out as it should be.
    """
    accepted = corpus_options(name)
    if unknown := [option for option in options if option not in accepted]:
        raise UsageError(
            f"the {name} corpus has no option {', '.join(unknown)}", hint=f"its options are {', '.join(accepted)}"
        )
    make: Any = CORPORA[name]
    corpus: Corpus = make(root, **options)
    return corpus
