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


def open_corpus(name: str, root: str | Path, **options: Any) -> Corpus:
    """Open the corpus `name` at `root`; its `options` are the keyword arguments of its class.

    Raises:
        UsageError: No such corpus, or an option that it does not have.
        CorpusError: The root is not laid out as it should be.
    """
    if name not in CORPORA:
        raise UsageError(f"no corpus {name!r}", hint=f"one of {', '.join(CORPORA)}")
    accepted = [option for option in inspect.signature(CORPORA[name]).parameters if option != "root"]
    unknown = [option for option in options if option not in accepted]
    if unknown:
        raise UsageError(f"the {name} corpus has no option {', '.join(unknown)}", hint=f"it has {', '.join(accepted)}")
    make: Any = CORPORA[name]
    corpus: Corpus = make(root, **options)
    return corpus
