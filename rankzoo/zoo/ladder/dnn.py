"""DNN: embeddings side by side, and a deep network over them (the deep half of Cheng et al., DLRS 2016, alone)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.facts import Source, ours, stated
from rankzoo.lesson import Lesson, Question
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Cheng et al.", 2016, "Wide & Deep learning for recommender systems", "DLRS 2016", "10.1145/2988450.2988454")
DCN_V2 = Source("Wang et al.", 2021, "DCN V2: improved deep & cross network and practical lessons for web-scale learning to rank "
                "systems", "WWW 2021", "10.1145/3442381.3450078")

LESSON = Lesson(
    problem="A weight for each value shares nothing between values that behave alike, and a pair that was never seen gets "
            "nothing.",
    why={
        "representation": "Every value owns a short vector that is learned: values that behave alike come to lie close "
                          "together.",
        "towers": "A few layers over all vectors side by side find crosses by themselves, without a formula for their degree.",
    },
    measured=("deep part alone, offline", "on Criteo, well tuned"),
    misreadings={
        "A deep network finds all crosses.": "It finds dense ones; a sparse pair with few rows it hardly sees.",
        "The network holds the parameters.": "With real ids nearly all lie in the tables.",
        "Embeddings start with a spread of one.": "With many fields the logits would explode; they start small.",
    },
    questions=(
        Question("How wide is the vector that the deep network reads?",
                 "All fields' vectors side by side, and the numbers as they are.", "concatenation",
                 number="join width", slip="The embedding size alone.", follow="Who pays for a larger embedding size?",
                 then="The tables in full, and the first layer, whose input grows."),
        Question("What share of the parameters lies in tables, in per cent?",
                 "Few in this sample, whose tables are short; with real ids practically all.", "representation",
                 number="embedding share", slip="Nearly all: that is the answer for tables as long as in industry.",
                 follow="And how much of the compute do the tables cost?", then="None: a look-up multiplies nothing."),
        Question("Where does it over-generalise?",
                 "On niche pairs: most should not interact, but dense vectors predict something for each of them.", "towers",
                 slip="On popular items.", follow="What mends that?",
                 then="A part that memorises exceptions beside it, or explicit crosses.", facts=("weakness",)),
    ),
)

SYSTEM = System(
    id="dnn", place=2, name="DNN", source=PAPER, dataset="ads",
    lesson=LESSON,
    story="Every value owns a short vector, and a few layers turn the vectors of an impression into one logit. Values that "
          "behave alike get like vectors, so the model says something sensible of pairs it never saw. It finds crosses only "
          "roughly, and sparse ones hardly.",
    blueprint=Blueprint(representation=Embeddings(dim=16), towers=MlpTower(widths=(256, 128, 64)), tasks=("click",)),
    facts=(stated("layers", "ReLU(W a + b), all vectors side by side as input", PAPER, at="equation 2",
                  path="towers.activation"),
           stated("embedding size at Google Play", 32, PAPER, at="section 4.2"),
           stated("hidden layers at Google Play", "1024, 512, 256", PAPER, at="figure 4"),
           stated("deep part alone, offline", "AUC 0.722; the wide part alone 0.726", PAPER, at="table 1"),
           stated("weakness", "where most pairs should not interact, dense vectors still predict something for each", PAPER),
           stated("on Criteo, well tuned", "AUC 0.8098; DCN and xDeepFM 0.8099", DCN_V2, at="table 6"),
           ours("embedding size", 16, why="trains on a laptop", path="representation.dim"),
           ours("hidden layers", "256, 128, 64", why="trains on a laptop", path="towers.widths")),
    grew="lr", adds="towers", tagline="generalises",
    answers="A weight per value knows nothing of like values: give each a vector, and a network to mix them.",
    settings=TrainSettings(epochs=6, batch_size=512, lr=3e-3, schedule="cosine", patience=0),
)
