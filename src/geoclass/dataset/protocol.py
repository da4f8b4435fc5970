"""The protocol of a split: whether its tracks share artists or recordings, however it was made."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from geoclass.dataset.split import artist_keys, merge_groups
from geoclass.vocabulary import SPLITS

LEAKY = "leaky"
TOLERATED = 0.01  # of the scored tracks may break the claim, which then says how many; with more there is no claim


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What reports state about a split."""

    protocol: str  # "artist-disjoint", with its exceptions if there are any; "track-disjoint (…)"; or "leaky"
    group: str  # what no two splits share: "artist", "track" or "segment"
    leak: str = ""  # what is shared, for a leaky split

    @property
    def leaky(self) -> bool:
        """Whether scores are too optimistic."""
        return self.protocol == LEAKY


def claim_of(tracks: Iterable[tuple[str, str, str]], placed: Iterable[tuple[str, str]], *, wanted: str) -> Claim:
    """Determine from the tracks of a split what it is disjoint by.

    Args:
        tracks: (track_id, artist_id, artist) of each track.
        placed: (track_id, split) of each track, more than once if its segments are in several splits.
        wanted: What the splits were made disjoint by: "artist", "track" or "segment".
    """
    splits: dict[str, set[str]] = defaultdict(set)
    for track_id, split in placed:
        if split in SPLITS:
            splits[track_id].add(split)
    if wanted == "segment" or any(len(own) > 1 for own in splits.values()):
        return Claim(protocol=LEAKY, group="segment", leak="segments of one recording are in several splits")
    kept = [(track_id, artist_id, name) for track_id, artist_id, name in tracks if track_id in splits]
    split_of = [next(iter(splits[track_id])) for track_id, _, _ in kept]
    keys = [artist_keys(*track) for track in kept]
    known = [bool(artist_id or name) for _, artist_id, name in kept]
    n_scored, n_shared = _count_shared(merge_groups(keys), split_of)
    shared = f"{n_shared:,} of {n_scored:,} tracks in valid and test are by an artist who is in another split, too"
    if wanted == "track":
        return Claim(protocol=LEAKY, group="track", leak=shared if n_shared else "artists are not kept separate")
    if n_shared > TOLERATED * n_scored:
        return Claim(protocol=LEAKY, group="track", leak=shared)
    if not any(known):
        return Claim(protocol="track-disjoint (artists unknown)", group="track")
    exceptions = []
    if n_shared:
        exceptions.append(f"but for {n_shared:,} of {n_scored:,} tracks in valid and test")
    if not all(known):
        exceptions.append(f"as far as known: {known.count(False):,} of {len(known):,} tracks have no artist")
    if exceptions:
        return Claim(protocol=f"artist-disjoint {', '.join(exceptions)}", group="track")
    return Claim(protocol="artist-disjoint", group="artist")


def _count_shared(groups: Sequence[str], split_of: Sequence[str]) -> tuple[int, int]:
    """How many tracks are in valid and test, and how many of them have an artist in another split."""
    sides: dict[str, set[str]] = defaultdict(set)
    for group, split in zip(groups, split_of, strict=True):
        sides[group].add(split)
    scored = [group for group, split in zip(groups, split_of, strict=True) if split != "train"]
    return len(scored), sum(len(sides[group]) > 1 for group in scored)
