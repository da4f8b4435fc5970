"""What is decided of one file, from its tags, what a model or the witnesses say of it, and what may be written."""

from collections.abc import Mapping

import numpy as np
import pytest
from tag_entries import GIVEN, STAMP, TARGET, entry, heard, opinion

from geoclass.errors import TaggingError
from geoclass.evidence.opinion import Opinion
from geoclass.evidence.pool import Verdict
from geoclass.geo.countries import country_codes
from geoclass.inference.prediction import OUTSIDE, Failure
from geoclass.tagging.corrections import Corrections
from geoclass.tagging.decide import decide
from geoclass.tagging.entries import Entry
from geoclass.tagging.file_plan import FilePlan, Reason
from geoclass.tagging.policy import Policy
from geoclass.tagging.tags import Tags

JUDGE = "judge 1 01234567"
POOLS = Policy(evidence=("language", "sound"))
ALONE = Policy()


def verdict(said: Mapping[str, float], *opinions: Opinion) -> Verdict:
    probabilities = np.zeros(len(country_codes()))
    for country, probability in said.items():
        probabilities[country_codes().index(country)] = probability
    return Verdict(probabilities=probabilities, opinions=opinions)


def plan(of: Entry, policy: Policy = ALONE, remembered: Corrections | None = None) -> FilePlan:
    return decide(of, policy, remembered or Corrections(), JUDGE)


# ---- whatever is decided ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"prediction": heard(country={"TR": 0.9})}, "planned"),
        ({"prediction": heard(country={"TR": 0.1})}, "abstained"),
        ({"prediction": Failure(path=TARGET, reason="noise")}, "failed"),
        ({"error": TaggingError("no tags")}, "failed"),
    ],
)
def test_a_plan_knows_its_file(more: dict, status: str) -> None:
    found = plan(entry({"title": ("X",)}, dissent="IR by itself", index=7, **more))
    assert found.status == status
    assert (found.path, found.target, found.stamp) == (GIVEN, TARGET, STAMP)
    assert (found.before, found.dissent, found.index) == ({"title": ("X",)}, "IR by itself", 7)


def test_a_file_whose_tags_cannot_be_read_fails_with_the_reason_and_the_way_out() -> None:
    found = plan(entry(error=TaggingError("cut short", hint="restore it"), prediction=heard(country={"TR": 0.9})))
    assert (found.status, found.reason, found.hint) == ("failed", "cut short", "restore it")
    assert (found.fields, found.changes) == ({}, {})


def test_what_a_model_alone_cannot_hear_fails() -> None:
    found = plan(entry(prediction=Failure(path=TARGET, reason="no decoder")), ALONE, corrected(country=("CY",)))
    assert (found.status, found.reason, found.changes) == ("failed", "no decoder", {})


def test_why_the_model_was_not_asked_is_said() -> None:
    found = plan(entry(prediction=heard(note="silence", country={"TR": 0.1})))
    assert (found.status, found.reason) == ("abstained", "silence")
    assert plan(entry(prediction=heard(country={"TR": 0.1}))).reason == ""


# ---- a model alone ----------------------------------------------------------------------------------------------


def test_what_a_model_is_sure_of_is_written_with_its_doubts_and_its_name() -> None:
    said = heard(country={"IR": 0.25, "TR": 0.75}, genre={"Folk": 0.5, "Rock": 0.375})
    found = plan(entry(prediction=said))
    assert found.changes == {
        "country": ("TR",),
        "country_candidates": ("TR 0.75; IR 0.25",),
        "genre": ("Folk",),
        "genre_candidates": ("Folk 0.50; Rock 0.38",),
        "model": (JUDGE,),
    }
    country, genre = found.fields["country"], found.fields["genre"]
    assert (country.value, country.probability, country.outcome) == (("TR",), 0.75, "planned")
    assert country.candidates == (("TR", 0.75), ("IR", 0.25))
    assert (genre.value, genre.probability, genre.outcome) == (("Folk",), 0.5, "planned")


def test_a_probability_at_the_threshold_is_enough_and_one_below_is_not() -> None:
    said = heard(country={"TR": 0.75}, threshold=0.75)
    assert plan(entry(prediction=said)).changes["country"] == ("TR",)
    assert plan(entry(prediction=said), Policy(min_confidence=0.76)).changes == {}
    said = heard(country={"TR": 0.75}, threshold=0.76)
    assert plan(entry(prediction=said)).changes == {}
    assert plan(entry(prediction=said), Policy(min_confidence=0.75)).changes["country"] == ("TR",)


def test_a_field_on_which_the_model_is_unsure_keeps_its_candidates() -> None:
    found = plan(entry(prediction=heard(country={"TR": 0.375, "IR": 0.25})))
    assert (found.status, found.changes) == ("abstained", {})
    country, genre = found.fields["country"], found.fields["genre"]
    assert (country.value, country.probability, country.outcome) == ((), 0.375, "unsure")
    assert country.candidates == (("TR", 0.375), ("IR", 0.25))
    assert (genre.value, genre.probability, genre.candidates, genre.outcome) == ((), None, (), "unsure")
    noted = plan(entry(prediction=heard(country={"TR": 0.375})), Policy(candidates=True))
    assert noted.changes == {"country_candidates": ("TR 0.38",), "model": (JUDGE,)}


def test_labels_become_genres_as_players_show_them_each_once() -> None:
    said = heard(genre={"rock": 0.9, "Rock": 0.8, "hiphop": 0.7, ";": 0.6, "drum/bass": 0.55, "jazz": 0.1})
    found = plan(entry(prediction=said), Policy(fields=("genre",)))
    assert found.changes["genre"] == ("Rock", "Hip-Hop", "Drum bass")
    assert found.fields["genre"].candidates[2][0] == "Hip-Hop"


def test_every_genre_that_is_written_is_among_those_noted() -> None:
    said = heard(genre={name: 0.5 + number / 16 for number, name in enumerate("ABCDE")})
    found = plan(entry(prediction=said), Policy(fields=("genre",)))
    assert found.changes["genre"] == ("E", "D", "C", "B", "A")
    assert found.changes["genre_candidates"] == ("E 0.75; D 0.69; C 0.62; B 0.56; A 0.50",)


def test_a_plan_keeps_ten_candidates() -> None:
    codes = sorted(country_codes())[:12]
    found = plan(entry(prediction=heard(country=dict.fromkeys(codes, 0.05))), Policy(fields=("country",)))
    assert [code for code, _ in found.fields["country"].candidates] == codes[:10]


def test_what_a_model_heard_is_its_reason() -> None:
    genre = {"Folk": 0.5, "Rock": 0.25, "Jazz": 0.125, "Pop": 0.0625}
    found = plan(entry(prediction=heard(country={"TR": 0.75, OUTSIDE: 0.25}, genre=genre)))
    (country,), (genre_reason,) = found.fields["country"].evidence, found.fields["genre"].evidence
    assert (country.witness, country.clue, country.because) == ("sound", "sound", "it sounds like Türkiye")
    assert country.says[0] == ("TR", pytest.approx(0.75, abs=0.01))
    assert country.speaks_for
    assert genre_reason == Reason(
        witness="sound",
        clue="sound",
        says=(("Folk", 0.5), ("Rock", 0.25), ("Jazz", 0.125)),
        because="it sounds like Folk",
    )
    assert "evidence" not in found.changes, "a model that was named is in the tag of models"


def test_a_reason_in_json() -> None:
    reason = Reason(witness="language", clue="title", says=(("TR", 0.93456),), because="the title is Turkish")
    assert reason.as_json() == {"witness": "language", "says": [["TR", 0.9346]], "because": "the title is Turkish"}


# ---- what is there already --------------------------------------------------------------------------------------


def test_what_the_owner_wrote_is_kept_and_nothing_is_noted_beside() -> None:
    policy = Policy(fields=("country",), candidates=True)
    found = plan(entry({"country": ("GR",)}, prediction=heard(country={"TR": 0.75})), policy)
    assert (found.status, found.changes) == ("unchanged", {})
    country = found.fields["country"]
    assert (country.value, country.outcome, country.probability) == (("GR",), "kept", None)
    assert country.candidates == (("TR", 0.75),)


def test_what_may_be_overwritten_is() -> None:
    policy = Policy(fields=("country",), overwrite=frozenset({"country"}))
    found = plan(entry({"country": ("GR",)}, prediction=heard(country={"TR": 0.75})), policy)
    assert found.changes["country"] == ("TR",)
    doubt = plan(entry({"country": ("GR",)}, prediction=heard(country={"TR": 0.25})), policy)
    assert (doubt.status, doubt.changes, doubt.fields["country"].value) == ("unchanged", {}, ("GR",))
    other = Policy(fields=("country",), overwrite=frozenset({"genre"}))
    assert plan(entry({"country": ("GR",)}, prediction=heard(country={"TR": 0.75})), other).changes == {}


def test_what_an_earlier_run_wrote_is_no_owners() -> None:
    values = {"country": ("TR",), "country_candidates": ("TR 0.75; IR 0.25",), "model": (JUDGE,)}
    found = plan(entry(values, settled=True), Policy(fields=("country",)))
    assert (found.status, found.changes) == ("unchanged", {})
    country = found.fields["country"]
    assert (country.value, country.outcome, country.probability) == (("TR",), "written", 0.75)
    assert country.candidates == (("TR", 0.75), ("IR", 0.25))
    assert country.evidence == ()


def test_a_settled_file_is_not_decided_again() -> None:
    values = {"country_candidates": ("TR 0.40; IR 0.30",), "model": (JUDGE,)}
    found = plan(entry(values, settled=True, prediction=heard(country={"GR": 0.9})), Policy(fields=("country",)))
    country = found.fields["country"]
    assert (found.status, found.changes) == ("abstained", {})
    assert (country.value, country.outcome, country.probability) == ((), "unsure", 0.4)


def test_the_same_answer_again_changes_nothing() -> None:
    policy = Policy(fields=("country",), overwrite=frozenset({"country"}))
    said = heard(country={"TR": 0.75, "IR": 0.25})
    first = plan(entry(prediction=said), policy)
    again = plan(entry(first.changes, prediction=said), policy)
    assert (again.status, again.changes, again.fields["country"].outcome) == ("unchanged", {}, "written")
    other = plan(entry({**first.changes, "model": ("former 1 89abcdef",)}, prediction=said), policy)
    assert other.changes == {"model": (JUDGE,)}


# ---- witnesses together -----------------------------------------------------------------------------------------


def test_the_pool_is_asked_for_the_country_and_the_model_for_the_genre() -> None:
    together = verdict({"TR": 0.9, "IR": 0.05}, opinion("language", "TR"))
    found = plan(entry(verdict=together, prediction=heard(country={"GR": 0.99}, genre={"Folk": 0.95})), POOLS)
    assert found.changes == {
        "country": ("TR",),
        "country_candidates": (f"TR 0.90; IR 0.05; {found.fields['country'].candidates[2][0]} 0.00",),
        "evidence": ("language",),
        "genre": ("Folk",),
        "genre_candidates": ("Folk 0.95",),
        "model": (JUDGE,),
    }
    assert found.fields["country"].probability == 0.9
    assert len(found.fields["country"].candidates) == 10


def test_nine_of_ten_is_sure_enough_and_less_is_not() -> None:
    for probability, status in ((0.9, "planned"), (0.899, "abstained")):
        found = plan(entry(verdict=verdict({"TR": probability})), Policy(evidence=("language",), fields=("country",)))
        assert found.status == status
    lower = Policy(evidence=("language",), fields=("country",), min_confidence=0.5)
    assert plan(entry(verdict=verdict({"TR": 0.5})), lower).changes["country"] == ("TR",)


def test_the_evidence_names_who_spoke_for_the_value_once_and_the_strongest_first() -> None:
    opinions = (
        opinion("language", "TR", strength=4.0, clue="title"),
        opinion("codes", "IR", clue="code"),
        opinion("sound", "TR", strength=40.0, clue="sound"),
        opinion("language", "TR", strength=3.0, clue="album"),
        opinion("words", "TR", strength=0.01, clue="genre words"),
    )
    found = plan(entry(verdict=verdict({"TR": 0.95}, *opinions)), POOLS)
    assert found.changes["evidence"] == ("sound, language",)
    reasons = found.fields["country"].evidence
    assert [(reason.witness, reason.clue, reason.speaks_for) for reason in reasons] == [
        ("sound", "sound", True),
        ("language", "title", True),
        ("language", "album", True),
        ("codes", "code", False),
        ("words", "genre words", False),
    ]
    assert reasons[3].because == "codes says so"
    assert reasons[3].says[0][0] == "IR"


def test_evidence_is_noted_of_what_is_written_alone() -> None:
    together = verdict({"TR": 0.95}, opinion("language", "TR"))
    for of, policy, remembered in (
        (entry({"country": ("GR",)}, verdict=together), POOLS, None),
        (entry(verdict=verdict({"TR": 0.5}, opinion("language", "TR"))), POOLS, None),
        (entry(verdict=together), POOLS, corrected(country=("TR",))),
    ):
        assert "evidence" not in plan(of, policy, remembered).changes


def test_an_old_note_of_witnesses_goes_where_nobody_spoke() -> None:
    policy = Policy(evidence=("language",), min_confidence=0.0, again=True)
    found = plan(entry({"evidence": ("codes",)}, verdict=verdict({"US": 0.2})), policy)
    assert found.changes["evidence"] == ()


def test_witnesses_that_said_nothing_leave_the_field_open() -> None:
    found = plan(entry(prediction=heard(country={"TR": 0.99})), POOLS)
    assert (found.status, found.fields["country"].value, found.fields["country"].candidates) == ("abstained", (), ())


def test_what_cannot_be_decoded_gets_what_its_tags_say_or_fails() -> None:
    unheard = Failure(path=TARGET, reason="no decoder")
    sure = plan(entry(prediction=unheard, verdict=verdict({"TR": 0.95})), POOLS)
    assert (sure.status, sure.reason, sure.changes["country"]) == ("planned", "no decoder", ("TR",))
    unsure = plan(entry(prediction=unheard, verdict=verdict({"TR": 0.5})), POOLS)
    assert (unsure.status, unsure.reason, unsure.changes, unsure.fields) == ("failed", "no decoder", {}, {})


# ---- regions ----------------------------------------------------------------------------------------------------

NORDIC = {"SE": 0.0625, "NO": 0.0625, "DK": 0.0625, "FI": 0.0625, "IS": 0.0625, "EE": 0.0625, "LV": 0.0625}
NORDIC |= {"LT": 0.0625, "GB": 0.0625, "IE": 0.0625, "FO": 0.0625, "AX": 0.0625}  # all of Northern Europe, by the UN


def test_a_region_is_as_sure_as_all_its_countries_together() -> None:
    policy = Policy(fields=("country",), region_fallback=True, min_confidence=0.75)
    found = plan(entry(prediction=heard(country={"TR": 0.25, **NORDIC})), policy)
    assert found.changes == {"region": ("Northern Europe",), "model": (JUDGE,)}
    found = plan(entry(verdict=verdict({"TR": 0.25, **NORDIC})), Policy(**vars(policy) | {"evidence": ("language",)}))
    assert found.changes["region"] == ("Northern Europe",)
    more = Policy(fields=("country",), region_fallback=True, min_confidence=0.76)
    assert plan(entry(prediction=heard(country={"TR": 0.25, **NORDIC})), more).changes == {}


def test_the_models_own_threshold_holds_for_regions_too() -> None:
    said = {"country": {"TR": 0.25, "SE": 0.375, "NO": 0.375}}
    policy = Policy(fields=("country",), region_fallback=True)
    assert "region" in plan(entry(prediction=heard(threshold=0.75, **said)), policy).changes
    assert "region" not in plan(entry(prediction=heard(threshold=0.8, **said)), policy).changes


def test_no_region_where_a_country_is_or_where_nobody_wants_one() -> None:
    policy = Policy(fields=("country",), region_fallback=True)
    nordic = {"SE": 0.4, "NO": 0.4}
    assert "region" not in plan(entry(prediction=heard(country={"SE": 0.6, "NO": 0.3})), policy).changes
    assert "region" not in plan(entry({"country": ("GR",)}, prediction=heard(country=nordic)), policy).changes
    assert "region" not in plan(entry(prediction=heard(country=nordic)), Policy(fields=("country",))).changes
    assert "region" not in plan(entry(prediction=heard(genre={"Folk": 0.2})), Policy(region_fallback=True)).changes
    assert "region" not in plan(entry(settled=True, prediction=heard(country=nordic)), policy).changes


def test_labels_that_are_no_countries_have_no_region() -> None:
    policy = Policy(fields=("country",), region_fallback=True)
    found = plan(entry(prediction=heard(country={"Atlantis": 0.4, "SE": 0.3, "NO": 0.3})), policy)
    assert found.changes["region"] == ("Northern Europe",)
    assert plan(entry(prediction=heard(country={"Atlantis": 0.4, "Mu": 0.3})), policy).changes == {}


# ---- release country --------------------------------------------------------------------------------------------


def test_the_release_country_is_that_of_the_artist_where_asked_and_where_there_is_none() -> None:
    said, policy = heard(country={"TR": 0.75}), Policy(fields=("country",), release_country=True)
    assert plan(entry(prediction=said), policy).changes["release_country"] == ("TR",)
    assert "release_country" not in plan(entry(prediction=said), Policy(fields=("country",))).changes
    assert "release_country" not in plan(entry({"release_country": ("DE",)}, prediction=said), policy).changes
    assert "release_country" not in plan(entry(prediction=heard(country={"TR": 0.25})), policy).changes
    kept = plan(entry({"country": ("GR",)}, prediction=said), policy)
    assert kept.changes == {"release_country": ("GR",)}, "no model had a part in it"
    assert (
        "release_country"
        not in plan(
            entry(prediction=heard(genre={"Folk": 0.9})), Policy(fields=("genre",), release_country=True)
        ).changes
    )


# ---- corrections ------------------------------------------------------------------------------------------------


def corrected(**values: tuple[str, ...]) -> Corrections:
    remembered = Corrections()
    for name, found in values.items():
        remembered.add(name, TARGET, Tags(kind=""), found)
    return remembered


def test_a_correction_wins_and_has_no_probability() -> None:
    policy = Policy(fields=("country",))
    found = plan(entry(prediction=heard(country={"TR": 0.75, "CY": 0.25})), policy, corrected(country=("CY",)))
    assert found.changes["country"] == ("CY",)
    assert found.changes["model"] == (JUDGE,)
    country = found.fields["country"]
    assert (country.value, country.probability, country.outcome) == (("CY",), None, "planned")


def test_a_correction_needs_nobody_to_be_asked_and_names_nobody() -> None:
    found = plan(entry(), Policy(fields=("country",)), corrected(country=("CY",)))
    assert (found.status, found.changes) == ("planned", {"country": ("CY",)})


def test_a_correction_does_not_overwrite_either() -> None:
    found = plan(entry({"country": ("GR",)}), Policy(fields=("country",)), corrected(country=("CY",)))
    assert (found.status, found.changes, found.fields["country"].value) == ("unchanged", {}, ("GR",))
