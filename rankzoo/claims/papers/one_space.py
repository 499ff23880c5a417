"""Saravanou et al., ISMIR 2021: several kinds of supervision make vectors that serve more than one use."""
from __future__ import annotations

from collections.abc import Mapping

from rankzoo.claims.claim import Arm, Claim, Difference
from rankzoo.claims.papers.cold_tracks import EPOCHS, TASK
from rankzoo.claims.papers.cold_tracks import measure as reached
from rankzoo.claims.trial import Trained
from rankzoo.data.worlds.playlists import WORLD
from rankzoo.inspection import near
from rankzoo.inspection.view import Subject
from rankzoo.zoo.industry.spotify import SYSTEM


def measure(trained: Trained) -> Mapping[str, float]:
    """Of the ten nearest tracks of a new one the share of its genre and of those that sound most alike, of a known one's the
    share of its neighbours in playlists; recall@20 of known missing tracks."""
    subject = Subject.of(trained.model, trained.dataset, rows=1)
    frame = near.agreement(subject, "genre")
    new, known = frame[frame["new"]], frame[~frame["new"]]
    return {"genre": float(new["category"].mean()), "sound": float(new["numbers"].mean()), "lists": float(known["listed"].mean()),
            "known": reached(trained, trained.dataset.part("test"))["known"]}


CLAIM = Claim(
    id="one_space", place=31, title="Three tasks, one space of tracks", source=SYSTEM.source, at="abstract",
    claim="Vectors that playlists, sound and genre supervise together stand nearer to what is like them than those of playlists "
          "alone.",
    equal="rows, epochs, batch order and layers; the tasks that an arm leaves out do not teach it",
    world=WORLD, rows=20_000, measure=measure, seeds=5, seconds=65,
    arms=(Arm("playlists", "spotify", {"tasks": [TASK], **EPOCHS}),
          Arm("and sound", "spotify", {"tasks": [TASK, "acoustic_similarity"], **EPOCHS}),
          Arm("and genre", "spotify", EPOCHS)),
    statistic="Of a new track's ten nearest the share of its genre (genre), of those that sound most alike (sound); of a known "
              "one's, of its neighbours in playlists (lists); recall@20 of known missing tracks (known)",
    differences=(Difference("genre", ("and genre",), ("playlists",), least=0.02),
                 Difference("sound", ("and genre",), ("playlists",), least=0.02),
                 Difference("lists", ("and genre",), ("playlists",)),
                 Difference("known", ("and genre",), ("playlists",))),
    why="Playlists are made by genre here and hold several tracks of it, so that they tell genres better than the genre's own "
        "head or the sound does. Sound bends the space: what sounds alike comes to stand together more often, and "
        "genres, playlists and missing tracks pay for it. One space serves more uses, each a little less well.")
