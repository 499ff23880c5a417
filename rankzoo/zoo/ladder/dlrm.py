"""DLRM: dots of all pairs of embeddings, and a network that weighs them (Naumov et al. 2019)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.interaction.dot_pairs import DotPairs
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.facts import Source, code, ours, stated
from rankzoo.lesson import Lesson, Question
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Naumov et al.", 2019, "Deep learning recommendation model for personalization and recommendation systems",
               "arXiv 1906.00091, 2019", "10.48550/arXiv.1906.00091")
CODE = Source("Naumov et al.", 2019, "dlrm, the authors' reference code")
DCN_V2 = Source("Wang et al.", 2021, "DCN V2: improved deep & cross network and practical lessons for web-scale learning to rank "
                "systems", "WWW 2021", "10.1145/3442381.3450078")

LESSON = Lesson(
    problem="A factorisation machine adds its dots up with equal weight, and numbers enter as they are.",
    why={
        "interaction": "The dots of all pairs are handed on one by one: what they mean is for the network behind.",
        "representation": "A bottom network turns the numbers into one more vector of the same width.",
        "towers": "The top network reads the bottom's vector and all dots.",
    },
    measured=("on Criteo in another paper",),
    misreadings={
        "The whole matrix of dots is taken.": "Half of it: each pair once, the diagonal as an option.",
        "The top network reads the embeddings.": "Only the numbers' vector and the dots.",
        "Any model with a top network is DLRM.": "Without numbers and dots it is a plain DNN.",
    },
    questions=(
        Question("How wide is the vector that the top network reads?",
                 "The numbers' vector, and one dot for each pair of vectors.", "concatenation",
                 number="join width", slip="All embeddings side by side as well.", follow="What is lost by that?",
                 then="What a value says by itself: only its dots go on."),
        Question("Why must the bottom's last layer be as wide as an embedding?",
                 "Or its dots with the embeddings would not exist.", "representation",
                 slip="So that the tables are smaller.", follow="What is a dot of a number and an id?",
                 then="How much this id cares for this mix of numbers."),
        Question("What was it designed for?",
                 "For systems: huge tables that are split over machines, small networks that are copied.", "representation",
                 slip="For the best AUC.", follow="Which part limits it?",
                 then="Memory and network traffic of the tables, not multiplications."),
    ),
)

SYSTEM = System(
    id="dlrm", place=10, name="DLRM", source=PAPER, dataset="ads", picture="crosses",
    lesson=LESSON,
    story="A bottom network makes one vector of all numbers, which then stands beside the embeddings. Every pair of vectors "
          "gives one dot product, and a top network weighs the dots. The embeddings themselves go no further, which keeps the "
          "top network small.",
    blueprint=Blueprint(
        representation=Embeddings(dim=16, numeric="mlp", bottom=(64,)), interaction=(DotPairs(),),
        towers=MlpTower(widths=(256, 128, 64)), tasks=("click",)),
    facts=(stated("top network reads", "the bottom network's vector and the dots of all pairs", PAPER, path="interaction.0.kind"),
           code("pairs", "strict lower triangle; the diagonal as an option", CODE, path="interaction.0.self_interaction"),
           code("bottom network", "ReLU after its last layer too", CODE, path="representation.numeric"),
           code("sizes for Criteo", "embedding 16, bottom 13-512-256-64-16, top 512-256-1", CODE),
           code("training for Criteo", "SGD, learning rate 0.1, batch 128, binary cross-entropy", CODE),
           code("start of the layers", "normal, variance 2/(in + out), of a bias 1/out", CODE),
           stated("on Criteo in another paper", "AUC 0.8092, below a plain DNN's 0.8098", DCN_V2, at="table 6"),
           ours("embedding size", 16, why="trains on a laptop", path="representation.dim"),
           ours("bottom layers", "64", why="the size of the worked table", path="representation.bottom"),
           ours("hidden layers", "256, 128, 64", why="trains on a laptop", path="towers.widths"),
           ours("optimiser here", "Adam", why="one optimiser for all rungs, so that they compare")),
    grew="fm", adds="interaction", tagline="weighs dots",
    answers="FM adds up its dots with equal weight: hand each of them to a network.",
    settings=TrainSettings(epochs=6, batch_size=512, lr=3e-3, schedule="cosine", patience=0),
)
