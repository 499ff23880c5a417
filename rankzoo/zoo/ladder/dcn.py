"""DCN: cross layers with one weight vector each beside a deep network (Wang et al., ADKDD 2017)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.interaction.cross import Cross
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.facts import Source, ours, stated
from rankzoo.lesson import Lesson, Question
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Wang et al.", 2017, "Deep & cross network for ad click predictions", "ADKDD 2017", "10.1145/3124749.3124754")
XDEEPFM = Source("Lian et al.", 2018, "xDeepFM: combining explicit and implicit feature interactions for recommender systems",
                 "KDD 2018", "10.1145/3219819.3220023")

LESSON = Lesson(
    problem="The wide part's crosses are made by hand, and the factorisation machine stops at pairs.",
    why={
        "interaction": "Each layer multiplies the first input with one number made from the layer before, and adds what came "
                       "in: the degree grows by one with each layer, for two vectors of weights.",
        "towers": "A deep network beside the cross layers; both outputs meet in the last linear map.",
    },
    measured=("best on Criteo", "deep network alone on Criteo"),
    misreadings={
        "Its layers learn any cross.": "Without biases the output is a multiple of x₀: its direction says nothing new.",
        "A layer multiplies with the layer before.": "It multiplies with x₀, always.",
        "The cross layers are expensive.": "Two vectors each: almost nothing beside the deep network.",
    },
    questions=(
        Question("How many parameters do the cross layers own?",
                 "Two vectors of the input's width for each layer.", "interaction",
                 number="parameters", of="interaction", slip="A matrix for each layer: that is its successor.",
                 follow="Then what can they not express?", then="A weight for each pair: one vector cannot tell them apart.",
                 facts=("weakness",)),
        Question("What is the highest degree after the last cross layer?",
                 "One more than there are layers: x₀ itself has degree one.", "interaction",
                 slip="As many as layers.", follow="And of the deep network beside it?",
                 then="It has none: it is piecewise linear.", facts=("degree",)),
        Question("Why is x₀ multiplied into every layer?",
                 "So that each layer raises the degree by one, and the sum keeps the lower ones.", "interaction",
                 slip="As a skip connection: that is the summand x.", follow="Bit-wise or vector-wise?",
                 then="Bit-wise: numbers are crossed, and it does not know where a field ends."),
    ),
)

SYSTEM = System(
    id="dcn", place=6, name="DCN", source=PAPER, dataset="ads", picture="crosses",
    lesson=LESSON,
    story="A cross layer scales all inputs by one learned sum of them, so each layer makes crosses of one degree more. It costs "
          "two numbers per input. A deep network beside it finds what bounded degrees cannot say.",
    blueprint=Blueprint(
        representation=Embeddings(dim=16),
        interaction=(Cross(layers=3, structure="parallel"),),
        towers=MlpTower(widths=(256, 128, 64)), tasks=("click",)),
    facts=(stated("cross layer", "x₀ (xᵀw) + b + x, a vector w per layer", PAPER, path="interaction.0.kind"),
           stated("structure", "cross and deep network side by side", PAPER, path="interaction.0.structure"),
           stated("best on Criteo", "6 cross layers, deep layers 1024, 1024, logloss 0.4419", PAPER),
           stated("deep network alone on Criteo", "logloss 0.4428", PAPER),
           stated("embedding size", "6 · (number of values)^¼", PAPER),
           stated("degree", "L layers make all crosses up to degree L + 1", PAPER, at="theorem 3.1"),
           stated("weakness", "without biases the output is a multiple of x₀", XDEEPFM, at="theorem 2.1"),
           ours("embedding size here", 16, why="trains on a laptop", path="representation.dim"),
           ours("cross layers", 3, why="the size of the worked table", path="interaction.0.layers"),
           ours("hidden layers", "256, 128, 64", why="trains on a laptop", path="towers.widths"),
           ours("batch normalisation", "none", why="the paper has it in its deep network; the other rungs here have not")),
    grew="wide_deep", adds="interaction", tagline="cheap crosses",
    answers="The wide part's crosses are made by hand: let layers make all crosses up to a degree.",
    settings=TrainSettings(epochs=8, batch_size=512, lr=6e-3, schedule="cosine", patience=0),
)
