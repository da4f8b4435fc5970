"""How the witnesses on the country count in a library: titles that mislead, too few labels, one common country."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier, BrokenBarrierError

import numpy as np
import pytest

from geoclass.bundle.catalogue import installed_bundles
from geoclass.evidence.facts import Facts
from geoclass.evidence.library import CLUE, LibraryEvidence
from geoclass.evidence.opinion import Opinion, opinion
from geoclass.evidence.pool import pool
from geoclass.evidence.registry import Sources, ask
from geoclass.geo.countries import country_codes
from geoclass.learning.bundle import forget, save_learned
from geoclass.learning.page import witnesses
from geoclass.learning.trust import Artist, fit
from geoclass.learning.witnesses import Counsel, consult, gather
from geoclass.storage import data_dir

COUNTRIES = ("TR", "GR", "IR", "IN", "JP", "BR")


def said(country: str, clue: str = "title", probability: float = 0.95) -> Opinion:
    return opinion("language", clue, {country: probability}, f"{clue} says {country}")


def library(n: int, *, truthful: float, seed: int = 0) -> Counsel:
    """Artists with two files each; a share of the titles tells the truth, the others name another country."""
    random = np.random.default_rng(seed)
    opinions: dict[int, Sequence[Opinion]] = {}
    countries, artists = {}, []
    for artist in range(n):
        truth, other = random.permutation(COUNTRIES)[:2].tolist()
        told = truth if random.random() < truthful else other
        for _ in range(2):
            opinions[len(artists)] = [said(told)]
            countries[len(artists)] = truth
            artists.append(f"artist {artist}")
    return consult(gather(opinions, countries, artists))


def test_titles_that_mislead_are_trusted_less() -> None:
    found = library(90, truthful=0.3)
    assert found.evidence is not None
    assert found.evidence.trust["title"] < 0.6
    alone = pool(found.evidence.weigh([said("TR")]))
    assert alone is not None
    assert alone.candidates(1)[0][1] < 0.9, "such a title decided by itself"
    assert (found.before[1] or 0) < 0.5, "the shipped weights would have believed them"


def test_titles_that_tell_the_truth_keep_their_weight() -> None:
    found = library(90, truthful=1.0)
    trust = found.evidence.trust if found.evidence else {}
    assert trust.get("title", 1.0) > 0.9
    assert found.written > 0.9
    assert found.right == 1.0


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("truthful", [0.6, 0.93, 0.97])
def test_what_keeps_the_promise_is_not_exchanged_for_silence(truthful: float, seed: int) -> None:
    found = library(120, truthful=truthful, seed=seed)
    written, right = found.before
    if right is not None and right >= 0.9:
        assert found.written * (found.right or 0) >= written * right
    else:
        assert found.evidence is not None
        assert found.right is None or found.right >= 0.9


@pytest.mark.parametrize("n", [0, 10, 29])
def test_with_few_artists_the_shipped_weights_stay(n: int) -> None:
    assert library(n, truthful=0.0).evidence is None


def of_as_many_countries(n: int, *, misled: int) -> list[Artist]:
    """Artists of n different countries; the titles of the first of them name a wrong one."""
    codes = country_codes()[:n]
    opinions = {place: [said(codes[(place + 1) % n] if place < misled else code)] for place, code in enumerate(codes)}
    return gather(opinions, dict(enumerate(codes)), [f"artist {place}" for place in range(n)])


def test_an_artists_own_country_is_no_evidence_for_itself() -> None:
    """Of artists of as many countries, the countries of the others say nothing, or mislead."""
    assert fit(of_as_many_countries(40, misled=6)).trust[CLUE] < 0.1


def test_a_gain_that_may_be_chance_changes_nothing() -> None:
    assert consult(of_as_many_countries(40, misled=6)).evidence is None
    assert consult(of_as_many_countries(40, misled=8)).evidence is not None


def test_a_clue_of_few_artists_keeps_its_weight() -> None:
    opinions = {index: [said(COUNTRIES[(index + 1) % 6])] for index in range(60)}
    for index in range(5):
        opinions[index] = [*opinions[index], said(COUNTRIES[(index + 2) % 6], "album")]
    countries = {index: COUNTRIES[index % 6] for index in range(60)}
    found = consult(gather(opinions, countries, [f"artist {index}" for index in range(60)]))
    assert found.evidence is not None
    assert "album" not in found.evidence.trust


def test_the_report_names_the_clues_that_mislead_the_worst_first() -> None:
    trust = {"genre words": 0.5, "title": 0.2, "code": 1.0, CLUE: 0.1}
    counsel = Counsel(
        evidence=LibraryEvidence(trust=trust, artists={"TR": 40}), artists=40, files=80,
        written=0.6, right=0.95, before=(0.5, 0.7),
    )  # fmt: skip
    assert witnesses(counsel) == [
        "Title, tags and sound together: 60% of 80 files would get a country, for artists not used in fitting; "
        "95% of them correct.",
        "With the default weights: 50%; 70% of them correct.",
        "Language of the title: 0.2 times the default weight (misleading in this library).",
        "Words of the genre: 0.5 times the default weight (misleading in this library).",
    ]
    (kept,) = witnesses(Counsel(evidence=None, artists=9, files=18))
    assert kept == "The default weights are kept: to estimate others, 30 artists with a country are needed, found 9."


def test_order_plays_no_part_and_counts_are_of_artists() -> None:
    opinions = {index: [said(COUNTRIES[index % 5])] for index in range(120)}
    countries = {index: COUNTRIES[index % 6] for index in range(120)}
    artists = [f"artist {index % 60}" for index in range(120)]
    one = consult(gather(opinions, countries, artists))
    backwards = dict(reversed(opinions.items())), dict(reversed(countries.items()))
    assert consult(gather(*backwards, artists)) == one
    assert one.evidence is not None
    assert dict(one.evidence.artists) == dict.fromkeys(sorted(COUNTRIES), 10)


def test_the_commonest_country_helps_and_never_decides_alone() -> None:
    mostly_turkish = LibraryEvidence(artists={"TR": 1_000})
    assert mostly_turkish.weigh([]) == []
    hint = said("TR", probability=0.3)
    unhelped, helped = pool([hint]), pool(mostly_turkish.weigh([hint]))
    assert unhelped is not None
    assert helped is not None
    assert dict(helped.candidates())["TR"] > dict(unhelped.candidates())["TR"] + 0.1
    nothing = pool(mostly_turkish.weigh([said("TR", probability=0.0)]))
    assert nothing is not None
    assert nothing.candidates(1)[0][1] < 0.9


def test_it_lies_beside_the_model_and_damage_is_no_evidence() -> None:
    folder = data_dir() / "models" / "mine"
    assert LibraryEvidence.open() is None
    found = LibraryEvidence(trust={"title": 0.25, CLUE: 0.5}, artists={"TR": 4})
    found.save(folder)
    assert LibraryEvidence.open() == found
    with_it = ask(Facts(title="Gözlerin gece gibi"), witnesses=("language",), sources=Sources(library=found))
    without = ask(Facts(title="Gözlerin gece gibi"), witnesses=("language",))
    assert [of.clue for of in with_it] == ["title", CLUE]
    np.testing.assert_allclose(with_it[0].log_weights, 0.25 * without[0].log_weights)
    for damage in ("", "{}", '{"format": "geoclass/library-evidence", "version": 1, "trust": [], "artists": {}}'):
        (folder / "evidence.json").write_text(damage)
        assert LibraryEvidence.open() is None
    assert Path(folder).is_dir()


def test_no_clue_is_trusted_more_than_the_shipped_weights_say() -> None:
    folder = data_dir() / "models" / "mine"
    folder.mkdir(parents=True)
    LibraryEvidence(trust={"title": 3.0, "code": -1.0, "lyrics": 0.4}, artists={}).save(folder)
    found = LibraryEvidence.open()
    assert found is not None
    assert found.trust == {"title": 1.0, "code": 0.0, "lyrics": 0.4}


def test_it_is_replaced_and_forgotten_with_the_model_and_needs_none() -> None:
    save_learned(None, "mine", evidence=LibraryEvidence(trust={"title": 0.5}))
    found = LibraryEvidence.open()
    assert found is not None
    assert dict(found.trust) == {"title": 0.5}
    assert "mine" not in installed_bundles()
    save_learned(None, "mine")
    assert LibraryEvidence.open() is None
    assert forget("mine")


def test_of_models_saved_at_once_one_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    save_learned(None, "mine", evidence=LibraryEvidence())
    both_have_looked = Barrier(2)
    readlink = os.readlink

    def slow(path: Path) -> str:
        found = readlink(path)
        with suppress(BrokenBarrierError):
            both_have_looked.wait(timeout=0.3)  # seconds; where only one may look, the other never comes
        return found

    with monkeypatch.context() as patch, ThreadPoolExecutor(2) as threads:
        patch.setattr(os, "readlink", slow)
        list(threads.map(lambda _: save_learned(None, "mine", evidence=LibraryEvidence()), range(2)))
    store = data_dir() / "models" / ".learned"
    assert [path.name for path in store.iterdir()] == [Path(os.readlink(data_dir() / "models" / "mine")).name]
