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
from rankzoo.system import Before, Earlier, System
from rankzoo.training.settings import TrainSettings
from rankzoo.training.untrained import Nearest

PAPER = Source("Saravanou et al.", 2021, "Multi-task learning of graph-based inductive representations of music content",
               "ISMIR 2021", "10.5281/zenodo.5624379")
BLOG = Source("Spotify Research", 2021, "Blog post on the paper", "29 October 2021")
NOTES = "a third party's notes"
SAGE = Source("Hamilton et al.", 2017, "Inductive representation learning on large graphs", "NIPS 2017",
              "10.48550/arXiv.1706.02216")

BLUEPRINT = Blueprint(
    representation=Neighbours(hidden=(128, 64), samples=(10, 5)),
    sequence=(Pooling(),),
    concatenation=Join(), sharing=Direct(),
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
    stated("a neighbourhood in GraphSAGE", "mean, maximum behind a layer, or LSTM in random order; gcn joins nothing", SAGE),
    stated("layer", "concatenates a node with its neighbourhood, then a linear map and ReLU", SAGE),
    SAMPLES,
    known("track ids", "not an input, or a new track would have no vector"),
    unsure("layers, widths and neighbours in MUSIG", "not known", PAPER, why="the paper's body was not found"),
    unsure("mixing of the tasks", "not known", PAPER, why="the paper's body was not found"),
    ours("score of a track", "inner product with a linear map of the mean vector of the seed tracks",
         why="the paper's was not found", path="towers.kind"),
    ours("layers here", "128, 64", why="trains on a laptop; finds the missing track 68 to 72 % of the way from chance to the "
         "planted order, what sounds alike 64 to 74 %; 32, 32 only 63 to 71 and 52 to 56 %, in four seeds of ours",
         path="representation.hidden"),
    ours("scale of the scores here", 20, why="two vectors of length 1 have a product of at most 1, with which a softmax over "
         "2,000 tracks gives none more than 0.4 %; by 1 what sounds alike is found 37 to 40 % of the way, not 64 to 74, in four "
         "seeds of ours; the missing track as well", path="towers.scale"),
    ours("map before the product", "one for each task", why="without it (towers.mapped) two tracks are compared as they are, by "
         "the same score for every task", path="towers.mapped"),
    ours("neighbours here", "10, 5", why="a step reads at most 5 neighbours of a track and 10 of each of these: it stays small",
         path="representation.samples"),
    ours("neighbours are drawn", "each as likely", why="as in GraphSAGE; whether MUSIG goes by an edge's weight was not found",
         path="representation.sampling"),
    ours("neighbourhood as one vector", "mean", why="the simplest of GraphSAGE's; the paper's was not found",
         path="representation.aggregator"),
    ours("tracks without neighbours in training", 0.1, why="so that a track in no playlist yet is no surprise",
         path="representation.alone"),
    stated("loss of GraphSAGE", "logistic, against negatives that are drawn for each pair of nodes", SAGE,
           at="equation 1"),
    unsure("losses of MUSIG", "not known", PAPER, why="the paper's body was not found"),
    ours("losses", "softmax over all known tracks; over genres", why="2,000 tracks can all be compared, so none need be drawn; "
         "5 drawn negatives (losses.kind negatives) find the missing track 54 to 61 % of the way and what sounds alike 24 to "
         "27, 20 no more, in three seeds of ours", path="losses.kind"),
    ours("other forms of the losses", "squared difference of cosines; the genre as pairs", why="sound by losses.how cosine, "
         "genre by the task same_genre in its place: which forms MUSIG has was not found"),
    ours("mixing here", "one sum", why="every step learns from all three; a task drawn at each step (settings.combine alternate) "
         "finds the missing track 63 to 68 % of the way and what sounds alike 51 to 62, in three seeds of ours; the paper's rule "
         "was not found"),
    ours("playlist", "mean of its tracks' vectors", why="the paper's was not found", path="sequence.0.kind"),
    ours("popularity in the sample data", "mostly told by the sound", why="what ranks tracks by it correlates by 0.9 with what "
         "is heard (told); by 0 the missing track is found 57 to 62 % of the way, not 68 to 72, in three seeds of ours"),
    ours("new tracks in the sample data", "each in three playlists of its own", why="nobody learns from these, and they are all "
         "that the graph knows of it; the sources read have a new track's features alone"),
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
    }, sure=("stated", "ours", "unsure", "derived", "stated", "ours", "ours"),
    unmeasured="The paper's body was not found: its measurements are not printed here.",
    misreadings={
        "The graph joins tracks and playlists.": "By the notes it joins tracks with tracks; playlists only make the edges.",
        "It is MMoE for music.": "It is hard sharing of the graph layers, without gates.",
        "It is Spotify's ranking model.": "It learns vectors of tracks and is tested on completing playlists.",
        "It is trained on what people listened to.": "On playlists and content.",
        "It is GraphSAGE's own loss.": "Acoustic and genre supervision are added.",
        "Cosine and dot product are the same here.": "Only for vectors of length one, and then the logit needs a scale: here 20.",
        "The paper used the Million Playlist Dataset.": "A collection of Spotify's, which the post counts in tens of thousands; "
                                                        "whether it is public is not known.",
        "Artist prediction is a task.": "Not in the sources read: they name playlists, sound and genre.",
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
        Question("What is the bias of drawn negatives?",
                 "Drawn evenly they are mostly unpopular and easy. Drawn by how often a track is right, popular ones are pushed "
                 "down more often. And some are right: only nobody has added them yet.", "losses",
                 slip="None: what is not in the playlist is wrong.", follow="What can be done about those that are right?",
                 then="Leave out the pairs that training knows, and draw anew at every step. Those that nobody knows remain.",
                 facts=("loss of GraphSAGE",)),
        Question("Why three tasks?",
                 "Playlists favour what is popular and know nothing of new tracks, sound ignores culture, genre is coarse. "
                 "Together they make a vector that serves several uses.", "losses",
                 slip="More labels are always better.", follow="How would you know that a task helps?",
                 then="Train without it on the same rows and seeds, and test on new tracks."),
        Question("How are the tasks combined?",
                 "They share the layers of the graph and nothing else. Whether a step follows their sum or one task by lot "
                 "is a choice.", "sharing",
                 slip="By a gate for each task.", follow="How would you see that two of them fight?",
                 then="By the cosine of their gradients at the shared layers while they are trained: below zero, what helps one "
                      "hurts the other."),
        Question("How would such vectors reach a ranker?",
                 "As features of the item, frozen or trained further, or as a space in which nearest neighbours are "
                 "candidates.", "towers",
                 slip="The ranker is this model.", follow="What must be done when the layers are trained again?",
                 then="All vectors must be computed again, and whoever reads them must follow."),
    ),
)

LISTS = {"tasks": ["co_occurrence"]}
SYSTEM = System(
    id="spotify", place=4, company="Spotify", name="MUSIG-style", domain="music", source=PAPER, lesson=LESSON,
    story="A vector learned for each track fits one signal and does not exist for a new track. "
          "A graph network computes the vector from the track's features and those of its neighbours in playlists. "
          "Playlists, acoustics and genre supervise the same layers together.",
    blueprint=BLUEPRINT, dataset="playlists", facts=FACTS, picture="embeddings",
    industry=(Size("representation.samples", (25, 10), SAMPLES),),
    plain={"representation.samples": [0, 0]},
    before=Before((
        Earlier("GraphSAGE", "GraphSAGE, whose graph has playlists as its only task", LISTS),
        Earlier("ids", "a table of ids in the place of the graph", LISTS | {
            "representation": {"kind": "attributes", "items": ["track"], "unknown": 0.0, "dim": 64}}),
        Earlier("sound", "the tracks that sound most like the playlist", rule=Nearest("playlist"))), seconds=410,
        why="Playlists here are made by genre and by a popularity that is mostly told by the sound, so that who completes them "
            "learns of both what it takes. That leaves the two other tasks little to add."),
    settings=TrainSettings(epochs=20, batch_size=512, lr=1e-2, schedule="cosine", patience=0),
)
