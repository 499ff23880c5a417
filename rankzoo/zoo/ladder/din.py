"""DIN: the candidate asks each past item how much it matters (Zhou et al., KDD 2018)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.concatenation.join import Join
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.sequence.target_attention import TargetAttention
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.facts import Source, code, known, ours
from rankzoo.lesson import Lesson, Question
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Zhou et al.", 2018, "Deep interest network for click-through rate prediction", "KDD 2018",
               "10.1145/3219819.3219823")
DEMO = Source("Zhou et al.", 2018, "DeepInterestNetwork, the authors' demo code")

LESSON = Lesson(
    problem="A person has many interests, and one vector for all of them shows each candidate the same mixture.",
    why={
        "sequence": "A small network scores every past item against the candidate, and the items are added up by their scores: "
                    "another candidate, another user vector.",
        "concatenation": "The interest, the candidate and their product.",
        "towers": "A network over the joined vector.",
    },
    unmeasured="The paper's numbers were not read again for this page.",
    misreadings={
        "The weights add up to one.": "The paper keeps them raw, so that much interest stays much.",
        "It is self-attention.": "Past items do not read each other; the candidate reads them.",
        "A weight is the cause of a score.": "It says where the model reads; drop the item to see what it does.",
    },
    questions=(
        Question("Why no softmax over the past items?",
                 "Two people with one and with ten items of the kind would look the same. Raw scores keep the "
                 "intensity.", "sequence",
                 slip="It was forgotten.", follow="What is the price?", then="The sum grows with the length of the history.",
                 facts=("no softmax over the history",)),
        Question("How many numbers does the history hold before attention reads it?",
                 "Its positions times the width of one past item.", "sequence",
                 number="history numbers", slip="The width of one item.", follow="And after?",
                 then="One vector, whatever the length."),
        Question("How many parameters does the attention own?",
                 "Maps of the past item and of the candidate to a token, and the small network that scores one against the "
                 "other.", "sequence",
                 number="parameters", of="sequence", slip="Times the length of the history: the unit is the same for all.",
                 follow="What can be computed before the request?", then="The tokens; the scores need the candidate."),
    ),
)

SYSTEM = System(
    id="din", place=18, name="DIN", source=PAPER, dataset="history", picture="attention",
    lesson=LESSON,
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
