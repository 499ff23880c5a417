"""DeepFM: a factorisation machine and a deep network read the same embeddings (Guo et al., IJCAI 2017)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.interaction.fm import FM
from rankzoo.components.interaction.linear import Linear
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.facts import Source, ours, stated
from rankzoo.lesson import Lesson, Question
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Guo et al.", 2017, "DeepFM: a factorization-machine based neural network for CTR prediction", "IJCAI 2017",
               "10.24963/ijcai.2017/239")

LESSON = Lesson(
    problem="Wide & Deep needs crosses made by hand, and its two parts know nothing of each other's features.",
    why={
        "interaction": "A factorisation machine in the place of the wide part: all pairs, without engineering.",
        "representation": "One table serves both parts: the pairs teach the vectors that the network reads.",
        "towers": "The deep part; its logit and that of the pairs are added.",
    },
    measured=("on Criteo", "with tables of their own on Criteo"),
    misreadings={
        "The first order is a linear layer on the embeddings.": "It is one weight for each value.",
        "The two parts have tables of their own.": "They share one; apart they are clearly worse.",
        "Fields may have any width.": "FM needs one width for all.",
    },
    questions=(
        Question("What do both parts share, and why?",
                 "The table: pairs and network train the same vectors, from the raw features.", "representation",
                 slip="The last layer.", follow="What if each had its own?", then="Twice the memory and a worse result.",
                 facts=("with tables of their own on Criteo",)),
        Question("How many pairs does its FM cross?",
                 "n · (n − 1) / 2, one inner product each.", "interaction",
                 number="pairs", slip="Only those of the wide part.", follow="What is its highest explicit order?",
                 then="Two; higher ones are left to the network."),
        Question("How many parameters does the interaction add to a plain DNN?",
                 "A first-order weight for each value and number. The pairs use vectors that are there already.", "interaction",
                 number="parameters", of="interaction", slip="A weight for each pair of fields.",
                 follow="And how many multiplications?", then="None of a matrix: sums and squares."),
    ),
)

SYSTEM = System(
    id="deepfm", place=8, name="DeepFM", source=PAPER, dataset="ads", picture="crosses",
    lesson=LESSON,
    story="The wide part becomes a factorisation machine: first-order weights and the dot product of every pair. It reads the "
          "same embeddings as the deep network, so both train them, and nobody chooses a cross by hand.",
    blueprint=Blueprint(
        representation=Embeddings(dim=16, numeric="vector"),
        interaction=(Linear(bias=False), FM()),
        towers=MlpTower(widths=(256, 128, 64)), tasks=("click",)),
    facts=(stated("logit", "FM and deep network add up", PAPER, path="interaction.1.kind"),
           stated("embeddings", "one table for both parts", PAPER),
           stated("first order", "a weight per feature value, no constant", PAPER, path="interaction.0.bias"),
           stated("on Criteo", "AUC 0.8007, logloss 0.45083", PAPER, at="table 2"),
           stated("with tables of their own on Criteo", "FM & DNN: AUC 0.7850, logloss 0.45382", PAPER, at="table 2"),
           stated("setting on Criteo", "hidden layers 400, 400, 400, embedding size 10, dropout 0.5", PAPER),
           ours("last layer of the deep network", "no activation",
                why="the paper writes one; a sum of logits has none, as in the libraries"),
           stated("numbers", "value × vector", PAPER, path="representation.numeric"),
           ours("embedding size", 16, why="trains on a laptop", path="representation.dim"),
           ours("hidden layers", "256, 128, 64", why="trains on a laptop", path="towers.widths"),
           ours("dropout", "none", why="the same on all rungs, so that they compare", path="towers.dropout")),
    grew="wide_deep", adds="interaction", tagline="shared vectors",
    answers="The wide part needs crosses made by hand: put an FM in its place, on the deep network's own embeddings.",
    settings=TrainSettings(epochs=6, batch_size=512, lr=3e-3, schedule="cosine", patience=0),
)
