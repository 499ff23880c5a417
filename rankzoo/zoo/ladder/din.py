"""DIN: the candidate asks each past item how much it matters (Zhou et al., KDD 2018)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.concatenation.join import Join
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.sequence.target_attention import TargetAttention
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.facts import Source, code, known, ours
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Zhou et al.", 2018, "Deep interest network for click-through rate prediction", "KDD 2018",
               "10.1145/3219819.3219823")
DEMO = Source("Zhou et al.", 2018, "DeepInterestNetwork, the authors' demo code")

SYSTEM = System(
    id="din", place=18, name="DIN", source=PAPER, dataset="history", picture="attention",
    story="A person has many interests, and a candidate touches few of them. A small network scores every past item against "
          "the candidate, and the sum of the items follows the scores.",
    blueprint=Blueprint(
        representation=Embeddings(dims={"item": 8, "topic": 16, "history.age": 4, "history.dwell": 4}, init=0.3),
        sequence=(TargetAttention(token=16, unit=(80, 40), activation="prelu", softmax=False),),
        concatenation=Join(fields=("history", "candidate"), products=(("history", "candidate"),)),
        towers=MlpTower(widths=(32,)), tasks=("click",)),
    facts=(known("no softmax over the history", "keeps the intensity of the interest", PAPER, path="sequence.0.softmax"),
           known("activation unit in the paper", "36 units with PReLU or Dice", PAPER),
           code("activation unit", "80, 40", DEMO, path="sequence.0.unit"),
           ours("activation inside the unit", "PReLU", why="the paper's; the demo code has sigmoids",
                path="sequence.0.activation"),
           code("input of the unit", "c, h, c − h, c ⊙ h", DEMO, path="sequence.0.kind"),
           code("the demo code does apply a softmax", "after dividing by the square root of the width", DEMO),
           code("joined vector", "u, c, u ⊙ c", DEMO, path="concatenation.products"),
           ours("start of the unit", "a weight of 1 for every past item",
                why="as sum pooling; the sign of the weights is free otherwise"),
           ours("embedding sizes", "item 8, topic 16, age 4, dwell 4", why="fit the sample data", path="representation.dims"),
           ours("token width", 16, why="the past items know age and dwell, which a candidate has not", path="sequence.0.token"),
           ours("hidden layers", "32", why="trains on a laptop", path="towers.widths")),
    grew="dnn", adds="sequence", tagline="uses history",
    answers="The DNN does not look at what the user did, and pooling would give every past item the same say: let the candidate "
            "decide.",
    settings=TrainSettings(epochs=12, batch_size=512, lr=4e-3, schedule="cosine", patience=0),
)
