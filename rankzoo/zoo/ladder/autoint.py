"""AutoInt: every field attends to all fields, layer by layer (Song et al., CIKM 2019)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.interaction.self_attention import SelfAttention
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.towers.bare import Bare
from rankzoo.facts import Source, known, ours
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Song et al.", 2019, "AutoInt: automatic feature interaction learning via self-attentive neural networks",
               "CIKM 2019", "10.1145/3357384.3357925")

SYSTEM = System(
    id="autoint", place=11, name="AutoInt", source=PAPER, dataset="ads", picture="crosses",
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
