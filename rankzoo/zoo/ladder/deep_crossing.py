"""Deep Crossing: residual units over embeddings, no crosses made by hand (Shan et al., KDD 2016)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.towers.residual import Residual
from rankzoo.facts import Source, ours, stated
from rankzoo.lesson import Lesson, Question
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Shan et al.", 2016, "Deep Crossing: web-scale modeling without manually crafted combinatorial features",
               "KDD 2016", "10.1145/2939672.2939704")

LESSON = Lesson(
    problem="More layers ought to find more crosses, but plain deep networks get harder to train with every layer.",
    why={
        "representation": "Vectors cut off below zero, as the paper has them.",
        "towers": "Residual units: each adds a correction to what came in, so that a gradient always finds a way through.",
    },
    measured=("AUC relative to production",),
    misreadings={
        "It crosses features explicitly.": "Its name promises it; the crosses are whatever the layers find.",
        "The sum is left as it is.": "A ReLU follows it.",
    },
    questions=(
        Question("What does a residual unit compute?",
                 "ReLU of its input plus two layers of it: a correction. With weights of zero it hands on the positive part of "
                 "what it got.", "towers",
                 slip="The difference of two layers.", follow="Why does it train more easily?",
                 then="The identity carries the gradient past the layers.", facts=("residual unit",)),
        Question("How many parameters do the towers own?",
                 "Two matrices for each unit: from the input's width to the hidden one and back.", "towers",
                 number="parameters", of="towers", slip="One matrix for each unit.", follow="Which size of a unit is free?",
                 then="The hidden one; its output is as wide as its input."),
        Question("Explicit or implicit crosses: which are these?",
                 "Implicit: no formula says their degree, and no weight can be read as a pair.", "towers",
                 slip="Explicit.", follow="How do you see then which pairs it uses?",
                 then="From its predictions: change two fields, together and one by one."),
    ),
)

SYSTEM = System(
    id="deep_crossing", place=5, name="Deep Crossing", source=PAPER, dataset="ads",
    lesson=LESSON,
    story="All crosses are left to a deep network of residual units. Each unit adds a correction to the vector that it reads, so "
          "that more of them do no harm. The crosses stay implicit: nobody can say which ones it has formed.",
    blueprint=Blueprint(
        representation=Embeddings(dim=16, relu=True, init=0.2), towers=Residual(units=(256, 128, 64)), tasks=("click",)),
    facts=(stated("embedding", "max(0, W x + b), numbers as they are", PAPER, path="representation.relu"),
           stated("residual unit", "ReLU(X + W₁ ReLU(W₀ X + b₀) + b₁)", PAPER, path="towers.kind",
                  at="the CNTK macro; equation 4 lacks the last ReLU"),
           stated("hidden layers of the units", "512, 512, 256, 128, 64", PAPER),
           stated("embedding size of text and ids", 256, PAPER),
           stated("AUC relative to production", "101.02, with fewer features and 2.2 billion samples", PAPER),
           ours("embedding size", 16, why="trains on a laptop", path="representation.dim"),
           ours("spread of the starting embeddings", 0.2, why="the ReLU silences half of the numbers at the start, and at 0.05 "
                "the model learns less", path="representation.init"),
           ours("units", "256, 128, 64", why="trains on a laptop", path="towers.units")),
    grew="dnn", adds="towers", tagline="residual units",
    answers="A plain deep network gets harder to train with every layer: let each unit add a correction.",
    settings=TrainSettings(epochs=6, batch_size=512, lr=5e-3, schedule="cosine", patience=0),
)
