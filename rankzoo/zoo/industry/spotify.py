"""Spotify, tracks for playlists: a graph network with three kinds of supervision (MUSIG; Saravanou et al., ISMIR 2021)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.concatenation.join import Join
from rankzoo.components.losses.pointwise import Pointwise
from rankzoo.components.representation.neighbours import Neighbours
from rankzoo.components.sequence.pooling import Pooling
from rankzoo.components.sharing.direct import Direct
from rankzoo.components.towers.classes import Classes
from rankzoo.facts import Size, Source, code, known, ours, stated, unsure
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Saravanou et al.", 2021, "Multi-task learning of graph-based inductive representations of music content",
               "ISMIR 2021", "10.5281/zenodo.5624379")
BLOG = Source("Spotify Research", 2021, "Blog post on the paper", "29 October 2021")
NOTES = "a third party's notes"
SAGE = Source("Hamilton et al.", 2017, "Inductive representation learning on large graphs", "NIPS 2017",
              "10.48550/arXiv.1706.02216")

BLUEPRINT = Blueprint(
    representation=Neighbours(hidden=(32, 32), samples=(10, 5)),
    sequence=(Pooling(),),
    concatenation=Join(),
    sharing=Direct(),
    towers=Classes(),
    losses=Pointwise(),
    tasks=("co_occurrence", "acoustic_similarity", "genre"),
)

SAMPLES = stated("layers and neighbours in GraphSAGE", "2 layers; 25 and 10 neighbours", SAGE)

FACTS = (
    stated("sources of information", "playlists, audio and acoustic features, genre", PAPER, at="abstract"),
    stated("evaluated on", "track recommendation for playlist completion", PAPER, at="abstract"),
    stated("playlists", "over 95K", BLOG),
    stated("new track", "gets a vector from its features, without retraining", BLOG),
    code("nodes of the graph", "tracks only", PAPER, at=NOTES),
    code("weight of an edge", "distinct playlists with both tracks; 10 or fewer are removed", PAPER, at=NOTES),
    stated("layer", "concatenates a node with its neighbourhood, then a linear map and ReLU", SAGE),
    SAMPLES,
    known("track ids", "not an input, or a new track would have no vector"),
    unsure("layers, widths and neighbours in MUSIG", "not known", PAPER, why="the paper's body was not found"),
    unsure("mixing of the tasks", "not known", PAPER, why="the paper's body was not found"),
    ours("score of a track", "inner product with a linear map of the mean vector of the seed tracks",
         why="the paper's was not found; the map gives vectors of length 1 a scale", path="towers.kind"),
    ours("layers here", "32, 32", why="the sheet's scaled-down model", path="representation.hidden"),
    ours("neighbours here", "10, 5", why="see layers", path="representation.samples"),
    ours("neighbourhood as one vector", "mean", why="the simplest of GraphSAGE's; the paper's was not found",
         path="representation.aggregator"),
    ours("tracks without neighbours in training", 0.1, why="so that a track in no playlist yet is no surprise",
         path="representation.alone"),
    ours("losses", "softmax over all known tracks; over genres", why="2,000 tracks need no negatives drawn", path="losses.kind"),
    ours("mixing here", "one sum; each row asks for what it is labelled with", why="see mixing"),
    ours("playlist", "mean of its tracks' vectors", why="the paper's was not found", path="sequence.0.kind"),
)

SYSTEM = System(
    id="spotify", place=4, company="Spotify", name="MUSIG-style", domain="music", source=PAPER,
    story="A vector learned for each track fits one signal and does not exist for a new track. "
          "A graph network computes the vector from the track's features and those of its neighbours in playlists. "
          "Playlists, acoustics and genre supervise the same layers together.",
    blueprint=BLUEPRINT, dataset="playlists", facts=FACTS, picture="items",
    industry=(Size("representation.samples", (25, 10), SAMPLES),),
    settings=TrainSettings(epochs=6, batch_size=512, lr=1e-2, schedule="cosine", patience=0),
)
