"""DCN-V2: cross layers with a full matrix beside a deep network (Wang et al., WWW 2021)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.interaction.cross_v2 import CrossV2
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.facts import Source, ours, stated
from rankzoo.lesson import Lesson, Question
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Wang et al.", 2021, "DCN V2: improved deep & cross network and practical lessons for web-scale learning to rank "
               "systems", "WWW 2021", "10.1145/3442381.3450078")

LESSON = Lesson(
    problem="DCN's cross layer has one vector of weights: it stretches x₀ by a single number, so pairs get no weight of their "
            "own.",
    why={
        "interaction": "A full matrix for each layer: every number of the next layer is a learned mix of all numbers, times "
                       "x₀. Its blocks say which fields cross.",
        "towers": "A deep network beside or behind the cross layers; which is better depends on the data.",
    },
    measured=("best on Criteo", "layers that help in production", "rank that keeps the accuracy"),
    misreadings={
        "Blocks of any layer are pair strengths.": "Only the first layer's: later ones read crosses already.",
        "The bias stands outside the product.": "It stands inside: x₀ ⊙ (W x + b) + x.",
        "The low rank is another model.": "The same layer with U Vᵀ in the place of W.",
    },
    questions=(
        Question("How many parameters do the cross layers own?",
                 "The square of the width and a bias, for each layer.", "interaction",
                 number="parameters", of="interaction", slip="Two vectors for each layer: that is DCN.",
                 follow="How would you cut that down?", then="By a low rank: two thin matrices.",
                 facts=("rank that keeps the accuracy",)),
        Question("How do you see which fields cross?",
                 "By the norm of the block of W that joins them, in the first layer, both directions together.", "interaction",
                 slip="By the largest single weight.", follow="What misleads?",
                 then="The size of the embeddings, and blocks on the diagonal."),
        Question("A tuned deep network comes close. Why cross layers at all?",
                 "The same loss with fewer parameters and less latency, and weights that can be read.", "interaction",
                 slip="They are always more accurate.", follow="How many layers?", then="One or two; then it levels off.",
                 facts=("layers that help in production",)),
    ),
)

SYSTEM = System(
    id="dcn_v2", place=7, name="DCN-V2", source=PAPER, dataset="ads", picture="crosses",
    lesson=LESSON,
    story="A cross layer multiplies the inputs with a learned mix of all inputs, so crosses are learned instead of hand-made. "
          "Each layer adds one degree, and the blocks of its matrix show which fields cross.",
    blueprint=Blueprint(
        representation=Embeddings(dim=16),
        interaction=(CrossV2(layers=3, structure="parallel"),),
        towers=MlpTower(widths=(256, 128, 64)), tasks=("click",)),
    facts=(stated("cross layer", "x₀ ⊙ (W x + b) + x with a full matrix", PAPER, at="equation 1", path="interaction.0.rank"),
           stated("best on Criteo", "stacked, 2 layers, logloss 0.4406", PAPER, at="table 6"),
           stated("layers that help in production", "1 to 2, then a plateau", PAPER),
           stated("rank that keeps the accuracy", "D / 4", PAPER),
           ours("embedding size", 16, why="trains on a laptop", path="representation.dim"),
           ours("cross layers", 3, why="the size of the worked table", path="interaction.0.layers"),
           ours("structure", "parallel", why="both occur; the better one depends on the data", path="interaction.0.structure"),
           ours("hidden layers", "256, 128, 64", why="trains on a laptop", path="towers.widths")),
    grew="dcn", adds="interaction", tagline="full matrix",
    answers="DCN's cross layer has one weight per number: give it a matrix.",
    settings=TrainSettings(epochs=6, batch_size=512, lr=3e-3, schedule="cosine", patience=0),
)
