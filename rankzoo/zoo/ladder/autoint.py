"""AutoInt: every field attends to all fields, layer by layer (Song et al., CIKM 2019)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.interaction.self_attention import SelfAttention
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.towers.bare import Bare
from rankzoo.facts import Source, known, ours
from rankzoo.lesson import Lesson, Question
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Song et al.", 2019, "AutoInt: automatic feature interaction learning via self-attentive neural networks",
               "CIKM 2019", "10.1145/3357384.3357925")

LESSON = Lesson(
    problem="FM gives a pair of values the same weight in every row, whatever else is in it.",
    why={
        "interaction": "Fields attend to fields: how much each reads of another depends on the row.",
        "towers": "One linear map behind the layers; a deep network may stand beside them.",
    },
    unmeasured="Its numbers were not read again for this page.",
    misreadings={
        "Its weights are the strength of an interaction.": "They say where a field reads from.",
        "Attention needs a history.": "Here the fields of one row attend to each other.",
        "Scores are divided by the root of the width.": "Not in this model.",
    },
    questions=(
        Question("What do its layers attend to?",
                 "To the other fields of the same row: a token is a field, and there is no order and no "
                 "padding.", "interaction",
                 slip="To past items.", follow="Is its map the same in every row?",
                 then="No, that is the difference from FM and DCN."),
        Question("How many parameters do its attention layers own?",
                 "Queries, keys, values and a residual map, each from a field's width to all heads'.", "interaction",
                 number="parameters", of="interaction", slip="Times the number of fields: all share the maps.",
                 follow="And what grows with the square of the fields?", then="The scores, and with them the multiplications."),
        Question("A high weight between two fields: do they interact?",
                 "Not necessarily: the value may be small, and another head may undo it. Change both fields and look at the "
                 "prediction.", "interaction",
                 slip="Yes.", follow="Why does it need a larger start than others?",
                 then="With small embeddings its softmax is flat, and hardly a gradient leads out of it."),
    ),
)

SYSTEM = System(
    id="autoint", place=11, name="AutoInt", source=PAPER, dataset="ads", picture="crosses",
    lesson=LESSON,
    story="Every field reads the other fields with weights that depend on their values, so which fields meet is decided row by "
          "row. Each layer raises the order of the crosses. The weights show where a field reads from, not how strongly two "
          "fields cross.",
    blueprint=Blueprint(
        representation=Embeddings(dim=16, numeric="vector", init=0.2),
        interaction=(SelfAttention(layers=1, heads=2, width=16, structure="stacked"),), towers=Bare(), tasks=("click",)),
    facts=(known("numbers", "value × a vector of its own", PAPER, path="representation.numeric"),
           known("scores", "plain dot products, not divided by the square root of the width", PAPER, path="interaction.0.kind"),
           known("embedding size", 16, PAPER, path="representation.dim"),
           known("attention layers in the paper", 3, PAPER),
           ours("attention layers", 1, why="three take three times as long and learn no more from the sample",
                path="interaction.0.layers"),
           known("heads", 2, PAPER, path="interaction.0.heads"),
           known("width of a head in the paper", 32, PAPER),
           ours("width of a head", 16, why="32 takes twice as long and learns no more from the sample",
                path="interaction.0.width"),
           known("behind the layers", "one linear map; AutoInt+ has a deep network beside them", PAPER,
                 path="interaction.0.structure"),
           ours("spread of the starting embeddings", 0.2, why="where it is small the softmax starts flat",
                path="representation.init"),
           ours("learning rate", 0.02, why="the softmax must leave its flat start: at 0.003 the model gets hardly further than "
                "logistic regression")),
    grew="fm", adds="interaction", tagline="attends",
    answers="FM weighs every pair the same in every row: let each field choose what it reads.",
    settings=TrainSettings(epochs=6, batch_size=512, lr=2e-2, schedule="cosine", patience=0),
)
