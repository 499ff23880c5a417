"""Spotify, tracks for playlists: a graph network with three kinds of supervision (MUSIG; Saravanou et al., ISMIR 2021)."""
from rankzoo.facts import Source, code, known, ours, stated, unsure
from rankzoo.system import System

PAPER = Source("Saravanou et al.", 2021, "Multi-task learning of graph-based inductive representations of music content",
               "ISMIR 2021", "10.5281/zenodo.5624379")
BLOG = Source("Spotify Research", 2021, "Blog post on the paper", "29 October 2021")
NOTES = "a third party's notes"
SAGE = Source("Hamilton et al.", 2017, "GraphSAGE", "NIPS 2017")

FACTS = (
    stated("sources of information", "playlists, audio and acoustic features, genre", PAPER, at="abstract"),
    stated("evaluated on", "track recommendation for playlist completion", PAPER, at="abstract"),
    stated("playlists", "over 95K", BLOG),
    stated("new track", "gets a vector from its features, without retraining", BLOG),
    code("nodes of the graph", "tracks only", PAPER, at=NOTES),
    code("weight of an edge", "distinct playlists with both tracks; 10 or fewer are removed", PAPER, at=NOTES),
    stated("layer", "concatenates a node with its neighbourhood, then a linear map and ReLU", SAGE),
    stated("layers and neighbours in GraphSAGE", "2 layers; 25 and 10 neighbours", SAGE),
    known("track ids", "not an input, or a new track would have no vector"),
    unsure("layers, widths and neighbours in MUSIG", "not known", PAPER, why="the paper's body was not found"),
    unsure("mixing of the tasks", "not known", PAPER, why="the paper's body was not found"),
    ours("score of a track", "inner product with the mean vector of the seed tracks", why="the paper's was not found"),
)

SYSTEM = System(
    id="spotify", place=4, company="Spotify", name="MUSIG-style", domain="music", source=PAPER,
    story="A vector learned for each track fits one signal and does not exist for a new track. "
          "A graph network computes the vector from the track's features and those of its neighbours in playlists. "
          "Playlists, acoustics and genre supervise the same layers together.",
    facts=FACTS, tasks=("co_occurrence", "acoustic_similarity", "genre"),
    words={"representation": "audio", "concatenation": "join", "sharing": "one graph", "towers": "SAGE",
           "losses": "logistic"},
)
