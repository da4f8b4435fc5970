"""Who is asked about which file: what a run has settled is settled, and the dear witnesses come last."""

from collections.abc import Mapping
from pathlib import Path

import mutagen.id3
import pytest
from tag_entries import TARGET, entry
from tagging_helpers import FakeClassifier, answer

from geoclass.errors import UsageError
from geoclass.evidence.artist_table import Artist
from geoclass.evidence.registry import Sources
from geoclass.inference.prediction import Failure
from geoclass.tagging.consult import is_settled, unfinished
from geoclass.tagging.corrections import Corrections
from geoclass.tagging.file_plan import FilePlan
from geoclass.tagging.plan import in_order, iter_plan, plan_tags
from geoclass.tagging.policy import Policy
from geoclass.tagging.tags import Tags

JUDGE = "judge 1 01234567"
DECIDED = {"country": ("TR",), "country_candidates": ("TR 0.75; IR 0.25",), "model": (JUDGE,)}
UNSURE = {"country_candidates": ("TR 0.40",), "model": (JUDGE,)}
COUNTRY = Policy(fields=("country",))
OVER = Policy(fields=("country",), overwrite=frozenset({"country"}))
TURKISH, KOREAN, NOTHING = "Şarkılar seni söyler", "눈누난나", "7"


def remembers(name: str, value: str) -> Corrections:
    remembered = Corrections()
    remembered.add(name, TARGET, Tags(kind=""), (value,))
    return remembered


# ---- what is open -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "policy", "expected"),
    [
        ({}, Policy(), ["country", "genre"]),
        ({"genre": ("Folk",)}, Policy(), ["country"]),
        ({"country": ("TR",), "genre": ("Folk",)}, Policy(), []),
        ({"country": ("TR",), "genre": ("Folk",)}, Policy(overwrite=frozenset({"genre"})), ["genre"]),
        ({}, COUNTRY, ["country"]),
    ],
)
def test_a_field_is_open_where_it_may_be_written(
    values: dict[str, tuple[str, ...]], policy: Policy, expected: list[str]
) -> None:
    assert unfinished(entry(values), policy, Corrections()) == expected


def test_a_field_that_a_person_corrected_is_not_open() -> None:
    assert unfinished(entry(), Policy(), remembers("country", "CY")) == ["genre"]
    assert unfinished(entry({"artist": ("X",)}), Policy(), remembers("genre", "Folk")) == ["country"]
    of_artist = Corrections()
    of_artist.add("country", Path("/other.mp3"), Tags(kind="", values={"artist": ("X",)}), ("CY",))
    assert unfinished(entry({"artist": ("X",)}), COUNTRY, of_artist) == []
    assert unfinished(entry({"artist": ("Y",)}), COUNTRY, of_artist) == ["country"]


@pytest.mark.parametrize(
    ("values", "policy", "settled"),
    [
        ({}, COUNTRY, False),
        ({"country": ("GR",)}, COUNTRY, True),  # nothing is open
        (UNSURE, COUNTRY, True),  # the same models were unsure before
        ({**UNSURE, "model": ("other 1 89abcdef",)}, COUNTRY, False),
        ({"country_candidates": UNSURE["country_candidates"]}, COUNTRY, False),  # nobody knows who said so
        ({"model": (JUDGE,)}, COUNTRY, False),  # on other fields, perhaps
        ({**UNSURE, "model": (JUDGE, "other")}, COUNTRY, False),
        (UNSURE, Policy(fields=("country",), again=True), False),
        (DECIDED, OVER, True),
        ({**DECIDED, "country": ("GR",)}, OVER, False),  # somebody changed it since
        ({**DECIDED, "model": ("other 1 89abcdef",)}, OVER, False),
        (DECIDED, Policy(fields=("country", "genre")), True),
        ({"region": ("Northern Europe",), "model": (JUDGE,)}, COUNTRY, False),
        ({"region": ("Northern Europe",), "model": (JUDGE,)}, Policy(fields=("country",), region_fallback=True), True),
        ({"model": (JUDGE,)}, Policy(fields=("country",), region_fallback=True), False),
    ],
)
def test_what_the_same_models_decided_before_is_settled(
    values: dict[str, tuple[str, ...]], policy: Policy, settled: bool
) -> None:
    assert bool(is_settled(entry(values), policy, Corrections(), JUDGE)) == settled


def test_a_correction_settles_what_it_corrects() -> None:
    assert is_settled(entry(), COUNTRY, remembers("country", "CY"), JUDGE)
    assert not is_settled(entry(), Policy(), remembers("country", "CY"), JUDGE)


# ---- who answers what -------------------------------------------------------------------------------------------


class Of(FakeClassifier):
    """A model of some fields."""

    def __init__(self, *tasks: str, **said) -> None:
        super().__init__(said.get("said"))
        self.tasks = tasks  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("tasks", "policy", "words"),
    [
        (("genre",), {"fields": ("country",)}, "the model predicts genre, not country"),
        (("mood", "key"), {}, "the model predicts mood and key, not country or genre"),
        (("country",), {"fields": ("genre",), "evidence": None}, "the model predicts country, not genre"),
    ],
)
def test_a_model_that_answers_none_of_the_fields_is_refused(tasks: tuple[str, ...], policy: dict, words: str) -> None:
    with pytest.raises(UsageError) as error:
        list(iter_plan(Of(*tasks), paths=[], policy=Policy(**policy)))
    assert error.value.message == words


def test_fields_that_nobody_answers_are_left_out(make) -> None:
    path = make("a.mp3")
    (file,) = plan_tags(Of("genre"), paths=[path])
    assert set(file.fields) == {"genre"}
    (file,) = plan_tags(None, paths=[path], policy=Policy(evidence=("language",)))
    assert set(file.fields) == {"country"}, "the witnesses answer the country, without any model"
    (file,) = plan_tags(Of("genre"), paths=[path], policy=Policy(evidence=("language",)))
    assert set(file.fields) == {"country", "genre"}


def test_the_tag_of_models_names_all_who_decided(make) -> None:
    path = titled(make("a.mp3"), TURKISH)
    (alone,) = plan_tags(FakeClassifier(), paths=[path])
    assert alone.changes["model"] == ("fake 1 0123abcd",)
    (pooled,) = plan_tags(None, paths=[path], policy=Policy(evidence=("language",)))
    (name,) = pooled.changes["model"]
    assert name.startswith("evidence 1 ")
    (both,) = plan_tags(FakeClassifier(), paths=[path], policy=Policy(evidence=("language",)))
    assert both.changes["model"] == (f"fake 1 0123abcd; {name}",)
    (others,) = plan_tags(None, paths=[path], policy=Policy(evidence=("language", "codes")))
    assert others.changes["model"] != (name,), "another choice of witnesses decides anew"
    (table,) = plan_tags(None, paths=[path], policy=Policy(evidence=("language",)), sources=Sources(artists=Table()))
    assert table.changes["model"] not in ((name,), others.changes["model"]), "and so does another artist table"


class Table:
    """An artist table that remembers whom it was asked about."""

    identity = "table of the test"

    def __init__(self, **countries: str) -> None:
        self.countries = countries  # by name
        self.asked: list[str] = []

    def by_mbid(self, mbid: str) -> Artist | None:
        return None

    def by_name(self, name: str) -> tuple[Artist, ...]:
        self.asked.append(name)
        country = self.countries.get(name)
        return (Artist(mbid=name, name=name, country=country),) if country else ()


# ---- who is asked -----------------------------------------------------------------------------------------------


def titled(path: Path, title: str, **values: str) -> Path:
    tags = mutagen.id3.ID3()
    tags.add(mutagen.id3.TIT2(encoding=3, text=[title]))
    frames = {"genre": mutagen.id3.TCON, "artist": mutagen.id3.TPE1}
    for name, value in values.items():
        if name in frames:
            tags.add(frames[name](encoding=3, text=[value]))
        else:
            tags.add(mutagen.id3.TXXX(encoding=3, desc=name, text=[value]))
    tags.save(path)
    return path


class Sung:
    """Hears a language in every file."""

    identity = "whisper of the test"

    def __init__(self, language: str = "tr") -> None:
        self.language = language
        self.asked: list[str] = []

    def __call__(self, path: Path) -> Mapping[str, float]:
        self.asked.append(path.name)
        return {self.language: 0.99}


def test_the_artist_table_is_asked_about_what_is_open(make) -> None:
    known, unknown = (titled(make(f"{artist}.mp3"), NOTHING, artist=artist) for artist in ("Selda", "Other"))
    done = titled(make("done.mp3"), NOTHING, artist="Done", ARTISTCOUNTRY="GR")
    table = Table(Selda="TR", Done="TR")
    policy = Policy(evidence=("artists",), fields=("country",))
    files = list(plan_tags(None, paths=[known, unknown, done], policy=policy, sources=Sources(artists=table)))
    assert table.asked == ["Selda", "Other"]
    assert [file.fields["country"].value for file in files] == [("TR",), (), ("GR",)]
    assert files[0].changes["evidence"] == ("artists",)


def test_what_is_sung_is_asked_where_the_others_are_not_sure(make) -> None:
    unsure = titled(make("unsure.mp3"), NOTHING)
    sure = titled(make("sure.mp3"), KOREAN)
    written = titled(make("written.mp3"), NOTHING, ARTISTCOUNTRY="GR")
    policy = Policy(evidence=("language", "sung-language"), fields=("country",))
    sung = Sung()
    paths = [unsure, sure, written, unsure.parent / "missing.mp3"]
    files = list(plan_tags(None, paths=paths, policy=policy, sources=Sources(sung_language=sung)))
    assert sung.asked == ["unsure.mp3"]
    assert files[0].fields["country"].candidates[0][0] == "TR"
    assert [reason.witness for reason in files[0].fields["country"].evidence] == ["sung-language"]
    assert files[1].changes["country"] == ("KR",)
    assert [file.status for file in files[2:]] == ["unchanged", "failed"]


def test_what_is_sung_is_said_beside_what_the_tags_say(make) -> None:
    path = titled(make("a.mp3"), "Du hast")
    policy = Policy(evidence=("language", "sung-language"), fields=("country",), min_confidence=1.0)
    (file,) = plan_tags(None, paths=[path], policy=policy, sources=Sources(sung_language=Sung()))
    assert {reason.witness for reason in file.fields["country"].evidence} == {"language", "sung-language"}


def test_a_language_model_that_was_not_named_as_a_witness_is_not_asked(make) -> None:
    sung = Sung()
    policy = Policy(evidence=("language",), fields=("country",))
    list(plan_tags(None, paths=[make("a.mp3")], policy=policy, sources=Sources(sung_language=sung)))
    assert sung.asked == []


@pytest.mark.parametrize(
    ("evidence", "fields", "asked"),
    [
        (("language", "sound"), ("country",), ["open.mp3"]),  # the title settles the other
        (("language", "sound"), ("country", "genre"), ["open.mp3", "sure.mp3"]),  # a genre is for the model alone
        (("language",), ("country",), []),  # the sound is no witness
        (("language",), ("genre",), ["open.mp3", "sure.mp3"]),
        (None, ("country",), ["open.mp3", "sure.mp3"]),  # the model is the only one
    ],
)
def test_the_sound_is_asked_where_only_it_can_settle_a_field(
    make, evidence: tuple[str, ...] | None, fields: tuple[str, ...], asked: list[str]
) -> None:
    paths = [titled(make("open.mp3"), NOTHING), titled(make("sure.mp3"), KOREAN)]
    paths.append(titled(make("done.mp3"), NOTHING, ARTISTCOUNTRY="GR", genre="Folk"))
    classifier = FakeClassifier()
    list(plan_tags(classifier, paths=paths, policy=Policy(evidence=evidence, fields=fields)))
    assert [path.name for path in classifier.asked] == asked


def test_witnesses_that_are_exactly_sure_enough_are_sure(make) -> None:
    path = titled(make("a.mp3"), KOREAN)
    (file,) = plan_tags(None, paths=[path], policy=Policy(evidence=("language",)))
    probability = file.fields["country"].probability
    policy = Policy(evidence=("language", "sound"), fields=("country",), min_confidence=probability)
    classifier = FakeClassifier()
    (file,) = plan_tags(classifier, paths=[path], policy=policy)
    assert (file.status, classifier.asked) == ("planned", [])


def test_the_sound_speaks_only_where_it_is_a_witness(make) -> None:
    path = titled(make("a.mp3"), NOTHING)
    said = {"a.mp3": answer(path, country={"TR": 0.97, "GR": 0.03}, genre={"Folk": 0.95})}
    (file,) = plan_tags(FakeClassifier(said), paths=[path], policy=Policy(evidence=("language", "sound")))
    assert (file.changes["country"], file.changes["evidence"]) == (("TR",), ("sound",))
    (file,) = plan_tags(FakeClassifier(said), paths=[path], policy=Policy(evidence=("language",)))
    assert (file.fields["country"].value, file.changes["genre"]) == ((), ("Folk",))


def test_files_that_need_no_model_do_not_overtake_those_that_do(make) -> None:
    names = ["done-1", "open-1", "done-2", "done-3", "open-2", "done-4"]
    paths = [
        titled(make(f"{name}.mp3"), NOTHING, **({"ARTISTCOUNTRY": "GR", "genre": "Folk"} if "done" in name else {}))
        for name in names
    ]
    assert [file.path.stem for file in iter_plan(FakeClassifier(), paths=paths)] == names


def test_a_model_without_an_answer_is_named_as_the_reason(make) -> None:
    class Dumb(FakeClassifier):
        def predict_many(self, paths):
            yield from list(super().predict_many(paths))[:0]

    (file,) = plan_tags(Dumb(), paths=[make("a.mp3")])
    assert (file.status, file.reason) == ("failed", "the model gave no prediction")


def test_corrections_are_asked_before_any_model(make) -> None:
    path = make("a.mp3")
    remembered = Corrections()
    for name, value in (("country", "CY"), ("genre", "Folk")):
        remembered.add(name, path, Tags(kind=""), (value,))
    classifier = FakeClassifier()
    (file,) = plan_tags(classifier, paths=[path], remembered=remembered)
    assert (file.changes, classifier.asked) == ({"country": ("CY",), "genre": ("Folk",)}, [])


def test_what_was_decided_before_speaks_for_the_artists_new_files(make) -> None:
    """The old file is not decided again, but its title still counts."""
    old = titled(make("old.mp3"), TURKISH, artist="Selda")
    new = titled(make("new.mp3"), NOTHING, artist="Selda")
    policy = Policy(evidence=("language",), fields=("country",), vote="artist")
    (file,) = plan_tags(None, paths=[old], policy=policy)
    values = {"ARTISTCOUNTRY": "TR", "GEOCLASS_COUNTRY": file.changes["country_candidates"][0]}
    titled(old, TURKISH, artist="Selda", **values, GEOCLASS_MODEL=file.changes["model"][0])
    both = list(plan_tags(None, paths=[old, new], policy=policy))
    assert [file.fields["country"].value for file in both] == [("TR",), ("TR",)]
    alone = list(plan_tags(None, paths=[old, new], policy=Policy(evidence=("language",), fields=("country",))))
    assert [file.fields["country"].value for file in alone] == [("TR",), ()]


# ---- order ------------------------------------------------------------------------------------------------------


def numbered(*indexes: int) -> list[FilePlan]:
    return [FilePlan(path=TARGET, target=TARGET, status="unchanged", index=index) for index in indexes]


def test_early_files_wait_for_those_before_them_and_no_longer() -> None:
    given: list[int] = []

    def source():
        for file in numbered(2, 0, 1, 4, 3):
            given.append(file.index)
            yield file

    seen = [(file.index, len(given)) for file in in_order(source())]
    assert seen == [(0, 2), (1, 3), (2, 3), (3, 5), (4, 5)]


def test_a_plan_that_ended_early_gives_out_what_waits() -> None:
    assert [file.index for file in in_order(iter(numbered(5, 0, 3)))] == [0, 3, 5]


def test_a_failure_is_planned_like_any_other(make) -> None:
    paths = [make("a.mp3"), make("b.mp3")]
    said = {"a.mp3": Failure(path=paths[0], reason="noise")}
    assert [file.status for file in plan_tags(FakeClassifier(said), paths=paths)] == ["failed", "planned"]
