"""Spotify, tracks for playlists: a graph network with three kinds of supervision (MUSIG; Saravanou et al., ISMIR 2021)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.concatenation.join import Join
from rankzoo.components.losses.pointwise import Pointwise
from rankzoo.components.representation.neighbours import Neighbours
from rankzoo.components.sequence.pooling import Pooling
from rankzoo.components.sharing.direct import Direct
from rankzoo.components.towers.classes import Classes
from rankzoo.facts import Size, Source, code, known, ours, stated, unsure
from rankzoo.lesson import Lesson, Question
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Saravanou et al.", 2021, "Multi-task learning of graph-based inductive representations of music content",
               "ISMIR 2021", "10.5281/zenodo.5624379")
BLOG = Source("Spotify Research", 2021, "Blog post on the paper", "29 October 2021")
NOTES = "a third party's notes"
SAGE = Source("Hamilton et al.", 2017, "Inductive representation learning on large graphs", "NIPS 2017",
              "10.48550/arXiv.1706.02216")

BLUEPRINT = Blueprint(
    representation=Neighbours(hidden=(128, 64), samples=(10, 5)),
    sequence=(Pooling(),),
    concatenation=Join(),
    sharing=Direct(),
    towers=Classes(scale=20.0),
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
         why="the paper's was not found", path="towers.kind"),
    ours("layers here", "128, 64", why="32, 32 keep half of what tracks sound like", path="representation.hidden"),
    ours("scale of the scores here", 20, why="products of vectors of length 1 are too small for a softmax", path="towers.scale"),
    ours("neighbours here", "10, 5", why="see layers", path="representation.samples"),
    ours("neighbourhood as one vector", "mean", why="the simplest of GraphSAGE's; the paper's was not found",
         path="representation.aggregator"),
    ours("tracks without neighbours in training", 0.1, why="so that a track in no playlist yet is no surprise",
         path="representation.alone"),
    stated("loss of GraphSAGE", "logistic, against negatives that are drawn for each pair of nodes", SAGE,
           at="equation 1"),
    unsure("losses of MUSIG", "not known", PAPER, why="the paper's body was not found"),
    ours("losses", "softmax over all known tracks; over genres", why="with 2,000 tracks it finds more than a logistic loss with "
         "5 or 20 drawn negatives (losses.kind negatives)", path="losses.kind"),
    ours("mixing here", "one sum", why="it finds more than a task drawn for each step (settings.combine alternate); the paper's "
         "rule was not found"),
    ours("playlist", "mean of its tracks' vectors", why="the paper's was not found", path="sequence.0.kind"),
)

LESSON = Lesson(
    problem="A vector learned for each track fits one signal, may not suit the next use, and does not exist for a track that "
            "came out today.",
    why={
        "representation": "A track's vector is computed: from its own sound, and from the tracks beside it in playlists. What "
                          "is learned is how to combine them, so that a new track needs no training.",
        "sequence": "The playlist so far, as the mean of its tracks' vectors; no attention is described.",
        "interaction": "Nothing: neighbours are averaged and mixed by a layer.",
        "concatenation": "The playlist's vector. Inside each graph layer a track is joined with its neighbourhood, which keeps "
                         "its own signal.",
        "sharing": "No gates: one stack of graph layers is supervised by three tasks. Sharing happens in the vectors.",
        "towers": "Here a linear map of the playlist's vector, and its dot product with every track.",
        "losses": "Here a softmax over tracks that go together, over tracks that sound alike, and over genres: each source "
                  "alone is partial.",
    },
    unmeasured="The paper's body was not found: its measurements are not printed here.",
    misreadings={
        "The graph joins tracks and playlists.": "By the notes it joins tracks with tracks; playlists only make the edges.",
        "It is MMoE for music.": "It is hard sharing of the graph layers, without gates.",
        "It is Spotify's ranking model.": "It learns vectors of tracks and is tested on completing playlists.",
        "It is trained on what people listened to.": "On playlists and content.",
        "It is GraphSAGE's own loss.": "Acoustic and genre supervision are added.",
        "Cosine and dot product are the same here.": "Only for vectors of length one, and then the logit needs a scale: here 20.",
    },
    questions=(
        Question("Transductive or inductive: which is it, and what does that mean?",
                 "Inductive: it learns functions of features and neighbours, not a row for each track. A new track gets a "
                 "vector at once.", "representation",
                 slip="Inductive means that it is pretrained.", follow="How is a track scored that is in no playlist yet?",
                 then="From its features and an empty neighbourhood; it gets better as edges appear.", facts=("new track",)),
        Question("How many parameters make the vectors of all tracks?",
                 "Two matrices per track's own part and its neighbourhood, layer by layer. The number of tracks does not "
                 "occur.", "representation",
                 number="parameters", of="representation",
                 slip="Multiplying by the number of tracks, as for an embedding table.",
                 follow="And with a table of ids instead?",
                 then="Tracks times width, and nothing for a track that is not in it."),
        Question("Why does each layer join a track with its neighbourhood, instead of averaging both?",
                 "Its own signal stays apart, like a skip connection; the mean alone would blur it.", "representation",
                 slip="To make the vector longer.", follow="What goes wrong with four layers or more?",
                 then="The neighbourhood explodes, and all vectors become alike.", facts=("layer",)),
        Question("Why are only a few neighbours sampled?",
                 "So that a batch costs at most the product of the samples of its layers, whatever a popular track is joined "
                 "to.", "representation",
                 slip="To regularise.", follow="Why are weak edges dropped?",
                 then="Meeting in a few playlists is mostly chance, and the graph gets smaller.",
                 facts=("weight of an edge", "layers and neighbours in GraphSAGE")),
        Question("How many logits leave the model for one example?",
                 "One for each track and task that chooses a track, one for each genre: this is a choice among all, not a yes "
                 "or no.", "losses",
                 number="logits", slip="Three, one for each task.", follow="What would you do with a hundred million tracks?",
                 then="Sample negatives and correct for how often each is drawn, or take those of the batch.",
                 facts=("loss of GraphSAGE",)),
        Question("Why three tasks?",
                 "Playlists favour what is popular and know nothing of new tracks, sound ignores culture, genre is coarse. "
                 "Together they make a vector that serves several uses.", "losses",
                 slip="More labels are always better.", follow="How would you know that a task helps?",
                 then="Train without it on the same rows and seeds, and test on new tracks."),
        Question("How would such vectors reach a ranker?",
                 "As features of the item, frozen or trained further, or as a space in which nearest neighbours are "
                 "candidates.", "towers",
                 slip="The ranker is this model.", follow="What must be done when the layers are trained again?",
                 then="All vectors must be computed again, and whoever reads them must follow."),
    ),
)

SYSTEM = System(
    id="spotify", place=4, company="Spotify", name="MUSIG-style", domain="music", source=PAPER,
    lesson=LESSON,
    story="A vector learned for each track fits one signal and does not exist for a new track. "
          "A graph network computes the vector from the track's features and those of its neighbours in playlists. "
          "Playlists, acoustics and genre supervise the same layers together.",
    blueprint=BLUEPRINT, dataset="playlists", facts=FACTS, picture="embeddings",
    industry=(Size("representation.samples", (25, 10), SAMPLES),),
    plain={"representation.samples": [0, 0]},
    settings=TrainSettings(epochs=20, batch_size=512, lr=1e-2, schedule="cosine", patience=0),
)
