"""xDeepFM: crosses of whole vectors up to a chosen order beside a deep network and a linear part (Lian et al., KDD 2018)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.interaction.cin import CIN
from rankzoo.components.interaction.linear import Linear
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.facts import Source, code, ours, stated
from rankzoo.lesson import Lesson, Question
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Lian et al.", 2018, "xDeepFM: combining explicit and implicit feature interactions for recommender systems",
               "KDD 2018", "10.1145/3219819.3220023")
CODE = Source("Lian et al.", 2018, "xDeepFM.py, the authors' code in recommenders")

LESSON = Lesson(
    problem="DeepFM's explicit crosses stop at pairs, and DCN crosses single numbers without knowing where a field ends.",
    why={
        "interaction": "Maps of crosses, layer by layer: each is a weighted sum of products of whole vectors with the first "
                       "ones, so the order grows by one with each layer.",
        "towers": "A deep network beside the maps, for what has no formula.",
    },
    measured=("on Criteo", "activation of the maps"),
    misreadings={
        "The maps need a ReLU.": "The identity is best: a bent map is no longer of that order.",
        "It is cheap.": "It is the most expensive of the explicit crosses.",
        "Maps are summed over each other.": "Each is summed over the numbers of its vector.",
    },
    questions=(
        Question("How many parameters do its maps and its first order own?",
                 "Each map weighs all pairs of a map before and a field; the embedding size does not occur.", "interaction",
                 number="parameters", of="interaction", slip="Times the embedding size.", follow="And the multiplications?",
                 then="There it does occur: they are what is expensive."),
        Question("Bit-wise or vector-wise crosses: what does it matter?",
                 "Vector-wise, all numbers of a field act together, and a weight belongs to a pair of fields.", "interaction",
                 slip="Vector-wise is faster.", follow="Which models are bit-wise?", then="DCN, and any MLP."),
        Question("What is the highest order after the last map?",
                 "One more than there are layers, as for DCN.", "interaction",
                 slip="Two to the power of the layers.", follow="Why is nothing added as in a residual?",
                 then="All layers are read by the head anyway."),
    ),
)

SYSTEM = System(
    id="xdeepfm", place=9, name="xDeepFM", source=PAPER, dataset="ads", picture="crosses",
    lesson=LESSON,
    story="A compressed interaction network crosses whole embedding vectors: each layer multiplies its feature maps with the "
          "fields once more. The maps are summed up and meet a deep network and first-order weights in the logit.",
    blueprint=Blueprint(
        representation=Embeddings(dim=16, numeric="vector"),
        interaction=(Linear(bias=False), CIN(maps=(8, 8))),
        towers=MlpTower(widths=(256, 128, 64)), tasks=("click",)),
    facts=(stated("feature map", "Xᵏ = Σ W (Xᵏ⁻¹ ⊙ X⁰), summed up over the vector's numbers", PAPER,
                  path="interaction.1.kind"),
           stated("activation of the maps", "identity is best", PAPER),
           stated("bias of the maps", "none", PAPER, path="interaction.1.bias"),
           stated("bias of the logit", "one; here it is the last linear map's", PAPER, path="interaction.0.bias"),
           stated("maps that go on", "all", PAPER, path="interaction.1.split"),
           code("maps that go on in the authors' code", "half; the other half goes to the logit", CODE),
           stated("on Criteo", "AUC 0.8052, DeepFM 0.8025, DCN 0.8026", PAPER, at="table 3"),
           stated("setting on Criteo", "3 layers of 200 maps, 2 hidden layers of 400, embedding size 10",
                  PAPER),
           ours("feature maps", "8, 8", why="as good as more on these data, and trains in seconds", path="interaction.1.maps"),
           ours("numbers", "value × vector", why="whole vectors are crossed, all of one width", path="representation.numeric"),
           ours("embedding size", 16, why="trains on a laptop", path="representation.dim"),
           ours("hidden layers", "256, 128, 64", why="trains on a laptop", path="towers.widths")),
    grew="deepfm", adds="interaction", tagline="vector crosses",
    answers="DeepFM's crosses stop at pairs: cross whole vectors again and again, one order per layer.",
    settings=TrainSettings(epochs=4, batch_size=512, lr=5e-3, schedule="cosine", patience=0),
)
