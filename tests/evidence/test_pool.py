"""Opinions and their pool, by laws of probability."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoclass.evidence import pool as pool_module
from geoclass.evidence.facts import Facts
from geoclass.evidence.library import LibraryEvidence
from geoclass.evidence.opinion import CLUES, Opinion, background, best, country_index, opinion
from geoclass.evidence.pool import pool, pool_files
from geoclass.evidence.sound import opinions as of_sound
from geoclass.geo.countries import country_codes
from geoclass.inference.prediction import OUTSIDE, FieldPrediction

UNIT = "owner"  # a clue whose weight in the pool is 1


def said(clue: str = UNIT, because: str = "x", **probabilities: float) -> Opinion:
    return opinion("artists", clue, probabilities, because)


@given(st.floats(0.05, 0.99), st.sampled_from(country_codes()))
def test_a_witness_that_stands_alone_is_believed_as_it_speaks(probability: float, code: str) -> None:
    verdict = pool([said(**{code: probability})])
    assert verdict is not None
    rest = (1 - probability) * background()[country_index()[code]]
    assert dict(verdict.candidates(300))[code] == pytest.approx(probability + rest)
    assert verdict.probabilities.sum() == pytest.approx(1)


def test_two_that_agree_are_surer_than_each_by_the_product_of_their_odds() -> None:
    both = pool([said(TR=0.6), said("artist id", TR=0.5)])
    assert both is not None
    place = country_index()["TR"]
    prior = background()

    def ratios(p: float) -> np.ndarray:
        distribution = (1 - p) * prior
        distribution[place] += p
        return distribution / prior

    product = prior * ratios(0.6) * ratios(0.5)
    assert both.probabilities == pytest.approx(product / product.sum())
    assert both.candidates(1)[0][0] == "TR"
    assert both.candidates(1)[0][1] > 0.9


def test_contradiction_leaves_doubt() -> None:
    verdict = pool([said(TR=0.9), said("artist id", GR=0.9)])
    assert verdict is not None
    assert {code for code, _ in verdict.candidates(2)} == {"TR", "GR"}
    assert len(verdict.candidates()) == 10
    assert verdict.candidates(1)[0][1] < 0.9


def test_the_three_likeliest_are_told_and_ties_go_by_code() -> None:
    one = said(TR=0.3, GR=0.3, DE=0.3)
    assert [code for code, _ in one.says(2)] != [code for code, _ in one.says()]
    assert len(one.says()) == 3
    assert [code for code, _ in best(np.array([0.1, 0.4, 0.1, 0.4]), 4)] == [country_codes()[n] for n in (1, 3, 0, 2)]
    many = np.tile([1.0, 2.0], 100)  # an unstable sort puts so many equals into disorder
    assert [code for code, _ in best(many, 200)] == [*country_codes()[1:200:2], *country_codes()[0:200:2]]


def test_nobody_speaks() -> None:
    assert pool([]) is None
    assert pool_files([[], []]) is None


@given(st.permutations([("TR", 0.9), ("GR", 0.4), ("TR", 0.2), ("DE", 0.7), ("TR", 0.9)]))
def test_the_order_of_an_artists_files_plays_no_part(files: list[tuple[str, float]]) -> None:
    verdict = pool_files([[said(because=code + str(p), **{code: p})] for code, p in files])
    expected = pool_files([[said(because=code + str(p), **{code: p})] for code, p in sorted(files)])
    assert verdict is not None
    assert expected is not None
    assert (verdict.probabilities == expected.probabilities).all()


def test_an_artists_files_are_not_independent() -> None:
    one, two, many = (pool_files([[said("title", TR=0.5)]] * n) for n in (1, 2, 10_000))
    assert one is not None
    assert two is not None
    assert many is not None
    odds = [math.log(dict(v.candidates(1))["TR"]) for v in (one, two, many)]
    assert odds[0] < odds[1] < odds[2]
    # Never more than two independent ones say together.
    independent = pool(
        [
            said("title", TR=0.5),
            Opinion(witness="x", clue="title", because="", log_weights=said("title", TR=0.5).log_weights),
        ]
    )
    assert independent is not None
    assert many.candidates(1)[0][1] <= independent.candidates(1)[0][1] + 1e-9


def test_every_clue_has_a_name_and_a_weight_also_that_of_the_library() -> None:
    shipped = json.loads(Path(pool_module.__file__).with_name("data").joinpath("weights.json").read_text("utf-8"))
    assert set(shipped["pool"]) == set(CLUES)
    learned = LibraryEvidence(artists={"TR": 30, "GR": 2})
    (_, own) = learned.weigh([said(TR=0.5)])
    alone = pool([own])
    assert alone is not None
    assert alone.candidates(1) == own.says(1), "it counts as it speaks: `learn` has fitted how far it is trusted"


def test_each_clue_weighs_what_was_fitted_for_it() -> None:
    """An album's title is trusted less than a song's: its log odds count by the weight in the shipped table."""
    shipped = json.loads(Path(pool_module.__file__).with_name("data").joinpath("weights.json").read_text("utf-8"))[
        "pool"
    ]
    assert 0 < shipped["album"] < 1
    for clue in ("album", "comment", "title"):
        verdict = pool([said(clue, TR=0.8)])
        assert verdict is not None
        distribution = 0.2 * background()
        distribution[country_index()["TR"]] += 0.8
        expected = background() * (distribution / background()) ** shipped[clue]
        assert verdict.probabilities == pytest.approx(expected / expected.sum())


def test_one_clue_of_two_witnesses_is_two_opinions() -> None:
    """They know it from different places: what both say is surer than what one says twice."""
    (first, second) = (opinion(witness, "title", {"TR": 0.5}, "x") for witness in ("language", "artists"))
    two, twice = pool([first, second]), pool_files([[first], [first]])
    assert two is not None
    assert twice is not None
    assert len(two.opinions) == 2
    assert len(twice.opinions) == 1
    assert two.candidates(1)[0][1] > twice.candidates(1)[0][1] + 0.01


def test_who_speaks_for_a_country_doubles_its_odds_and_the_strongest_comes_first() -> None:
    place = country_index()["TR"]

    def raising(by: float, clue: str) -> Opinion:
        weights = 0 * background()
        weights[place] = math.log(by)
        return Opinion(witness=clue, clue=clue, log_weights=weights, because=f"by {by}")

    opinions = [raising(2.1, "title"), raising(50.0, "code"), raising(1.9, "folder"), raising(7.0, "lyrics")]
    opinions += [raising(0.1, "genre words"), raising(2.1, "album")]  # an album's weighs less than it says
    verdict = pool(opinions)
    assert verdict is not None
    assert [of.because for of in verdict.speaking_for(place)] == ["by 50.0", "by 7.0", "by 2.1"]
    assert verdict.speaking_for(country_index()["GR"]) == ()


def test_an_artists_files_are_worth_more_the_more_there_are_up_to_a_ceiling() -> None:
    """n files are worth n c / (n + c - 1) independent ones, where c is the ceiling: 1.5 for titles, 1 for a table."""
    prior, place = background(), country_index()["TR"]
    one = 0.5 * prior
    one[place] += 0.5
    for clue, ceiling in (("title", 1.5), ("sound", 2.0), ("artist id", 1.0)):
        for n in (2, 3, 10):
            verdict = pool_files([[said(clue, TR=0.5)]] * n)
            assert verdict is not None
            worth = n * ceiling / (n + ceiling - 1)
            expected = prior * (one / prior) ** worth
            assert verdict.probabilities == pytest.approx(expected / expected.sum())


def test_of_several_files_the_one_that_says_most_gives_the_reason() -> None:
    files = [[said("title", "a", TR=0.3)], [said("title", "b", TR=0.9)], [said("title", "c", TR=0.5)]]
    verdict = pool_files(files)
    assert verdict is not None
    (together,) = verdict.opinions
    assert together.because == "b (one of 3 files)"
    assert (together.witness, together.clue) == ("artists", "title")
    two = pool_files(files[:2])
    assert two is not None
    assert two.opinions[0].because == "b (one of 2 files)"
    alone = pool_files([files[1], []])
    assert alone is not None
    assert alone.opinions[0].because == "b"


def test_files_that_say_nothing_do_not_dilute_what_another_says() -> None:
    flat = Opinion(witness="x", clue="title", because="", log_weights=0 * background())
    alone, among = pool_files([[said("title", TR=0.9)]]), pool_files([[said("title", TR=0.9)], *[[flat]] * 50])
    assert alone is not None
    assert among is not None
    assert among.candidates(1)[0][0] == "TR"
    assert among.candidates(1)[0][1] >= alone.candidates(1)[0][1] - 0.01
    # Nor does one that says less: the mean of two leans to the one that says more.
    (together,) = (
        pool_files([[said("sound", TR=0.9)], [said("sound", GR=0.02)]]) or pytest.fail("no verdict")
    ).opinions
    place = country_index()["TR"]
    plain = (said(TR=0.9).log_weights[place] + said(GR=0.02).log_weights[place]) / 2
    assert together.log_weights[place] > 1.2 * (4 / 3) * plain


def test_weak_codes_never_reach_nine_of_ten_however_many_files_repeat_them() -> None:
    from geoclass.evidence.registry import ask

    for code in country_codes():
        files = [ask(Facts(isrc=f"{code}Z039801212", release_country=code)), ask(Facts(release_country=code))]
        verdict = pool_files(files * 250)
        assert verdict is None or verdict.candidates(1)[0][1] < 0.9


def heard(threshold: float = 0.5, /, **probabilities: float) -> Facts:
    labels = tuple(probabilities)
    answer = FieldPrediction(
        task="country", kind="single", labels=labels, threshold=threshold,
        probabilities=np.array([probabilities[label] for label in labels], np.float32),
    )  # fmt: skip
    return Facts(heard=answer)


def test_what_the_model_takes_for_none_of_its_countries_is_no_opinion() -> None:
    (found,) = of_sound(heard(TR=0.002, IN=0.001, **{OUTSIDE: 0.997}))
    assert np.abs(found.log_weights).max() < 0.5
    other = said(VN=0.95)
    alone, with_sound = pool([other]), pool([other, found])
    assert alone is not None
    assert with_sound is not None
    assert with_sound.candidates(1)[0][1] == pytest.approx(alone.candidates(1)[0][1], abs=0.02)


def test_a_country_that_the_model_has_no_word_for_can_win_by_the_others() -> None:
    (found,) = of_sound(heard(TR=0.4, IN=0.2, **{OUTSIDE: 0.4}))
    verdict = pool([found, said("artist id", VN=0.985)])
    assert verdict is not None
    assert verdict.candidates(1)[0][0] == "VN"
    assert verdict.candidates(1)[0][1] > 0.9


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.9, 0.97, 0.99])
def test_a_models_own_threshold_is_where_nine_of_ten_are_right(threshold: float) -> None:
    def alone(probability: float) -> float:
        (found,) = of_sound(heard(threshold, TR=probability, **{OUTSIDE: 1 - probability}))
        verdict = pool([found])
        assert verdict is not None
        return verdict.candidates(1)[0][1]

    needed = max(threshold, 0.9)
    assert alone(needed + 0.005) > 0.9 or needed + 0.005 > 0.97
    assert alone(needed - 0.01) < 0.91


def test_a_model_that_never_is_right_enough_is_not_heard() -> None:
    (found,) = of_sound(heard(1.0, TR=0.95, **{OUTSIDE: 0.05}))
    verdict = pool([found])
    assert verdict is not None
    assert verdict.candidates(1)[0][1] < 0.2


def test_a_sure_model_is_heard_alone() -> None:
    (found,) = of_sound(heard(TR=0.96, IN=0.01, **{OUTSIDE: 0.03}))
    verdict = pool([found])
    assert verdict is not None
    assert verdict.candidates(1)[0] == ("TR", pytest.approx(0.96, abs=0.01))
    assert [of.witness for of in verdict.speaking_for(country_index()["TR"])] == ["sound"]
    assert verdict.speaking_for(country_index()["GR"]) == ()


@pytest.mark.parametrize("turn", [0, 1, 2])
def test_the_reason_names_the_country_that_the_files_together_say(turn: int) -> None:
    # One file is very sure of Mali; most are for Türkiye.
    files = [said("sound", because=f"it sounds like {code}", **{code: p}) for code, p in
             (("ML", 0.7), ("TR", 0.6), ("TR", 0.65), ("TR", 0.55))]  # fmt: skip
    verdict = pool_files([[of] for of in files[turn:] + files[:turn]])
    assert verdict is not None
    (together,) = verdict.opinions
    assert together.says(1)[0][0] == "TR"
    assert together.because == "it sounds like TR (one of 4 files)"


def test_what_only_the_files_together_say_is_no_single_files_reason() -> None:
    files = [said("sound", because="Mali", ML=0.5, TR=0.45), said("sound", because="Iran", IR=0.5, TR=0.45)]
    verdict = pool_files([[of] for of in files])
    assert verdict is not None
    assert verdict.candidates(1)[0][0] == "TR"
    assert "Türkiye" in verdict.opinions[0].because
    assert "Mali" not in verdict.opinions[0].because


def test_the_sound_names_no_country_that_it_does_not_say() -> None:
    (unsure,) = of_sound(heard(1.0, ML=0.6, **{OUTSIDE: 0.4}))
    (sure,) = of_sound(heard(ML=0.6, **{OUTSIDE: 0.4}))
    assert "Mali" not in unsure.because
    assert sure.because == "it sounds like Mali"
