"""BST: past items and the candidate as tokens of one transformer (Chen et al., DLP-KDD 2019)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.concatenation.join import Join
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.sequence.transformer import Transformer
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.facts import Source, code, known, ours, unsure
from rankzoo.lesson import Lesson, Question
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Chen et al.", 2019, "Behavior sequence transformer for e-commerce recommendation in Alibaba", "DLP-KDD 2019",
               "10.1145/3326937.3341261")
NOTES = "reading notes on the paper; FuxiCTR's code"

LESSON = Lesson(
    problem="DIN scores each past item by itself: what came before and after it does not count.",
    why={
        "sequence": "A transformer block in which past items and the candidate read each other.",
        "concatenation": "The candidate's output, the candidate and their product.",
        "towers": "A network over the joined vector.",
    },
    measured=("click rate online", "blocks", "AUC offline"),
    misreadings={
        "The candidate waits outside.": "It is one more token of the sequence.",
        "More blocks are better.": "One was best: clicks have less structure than language.",
        "Positions are sines.": "Time since the click, in buckets.",
    },
    questions=(
        Question("Where does the candidate stand?",
                 "As a token behind the past items, so that both read each other.", "sequence",
                 slip="As the query only: that is DIN.", follow="What does that cost?",
                 then="A pass through the block for each candidate.", facts=("candidate",)),
        Question("How many parameters does the sequence own?",
                 "Four maps for the attention, two for the feed-forward network, two norms, and the maps to the "
                 "token.", "sequence",
                 number="parameters", of="sequence", slip="Times the heads: heads share the width.",
                 follow="What grows with the square of the length?", then="The scores, so the compute."),
        Question("Why divide scores by the root of the width?",
                 "The spread of a dot product grows with the width; large scores saturate the softmax.", "sequence",
                 slip="To make them probabilities.", follow="Why several heads?",
                 then="Several notions of likeness at the same cost."),
    ),
)

SYSTEM = System(
    id="bst", place=19, name="BST", source=PAPER, dataset="history", picture="attention",
    lesson=LESSON,
    story="Past items say more together than one by one: a phone, then a case for it. A transformer lets every past item and "
          "the candidate read all others, so that the candidate meets items that already know of each other.",
    blueprint=Blueprint(
        representation=Embeddings(dims={"item": 8, "topic": 16, "history.age": 4, "history.dwell": 4}, init=0.3),
        sequence=(Transformer(token=16, blocks=1, heads=2, ffn=32, norm="post", positions="none", read="target"),),
        concatenation=Join(fields=("history", "candidate"), products=(("history", "candidate"),)),
        towers=MlpTower(widths=(32,)), tasks=("click",)),
    facts=(code("candidate", "one more token behind the past items", PAPER, at=NOTES, path="sequence.0.kind"),
           code("past items", "20 at most", PAPER, at=NOTES),
           code("block", "attention and a LeakyReLU network, layer norm after each", PAPER, at=NOTES, path="sequence.0.norm"),
           code("blocks", "1; two and three are worse", PAPER, at=NOTES, path="sequence.0.blocks"),
           code("position", "bucketed time since the click, joined to the item; beats sine and cosine", PAPER, at=NOTES),
           code("click rate online", "+7.57 % over Wide & Deep", PAPER, at=NOTES),
           known("AUC offline", "BST 0.7894, DIN 0.7866, Wide & Deep 0.7734", PAPER),
           known("what is read", "all 21 outputs side by side, then layers of 1024, 512, 256", PAPER),
           known("heads in the paper", 8, PAPER),
           known("training in the paper", "Adagrad 0.01, batch 256, dropout 0.2, one epoch", PAPER),
           unsure("biases of the attention", "not known", PAPER, why="here all four maps have one, as in torch"),
           ours("positions", "none of their own", why="the age of a past item is a field of the sample: it is the time gap",
                path="sequence.0.positions"),
           ours("read here", "the candidate's output, with the candidate and their product",
                why="the past then speaks through the weights on show alone; the AUC is 0.80 either way", path="sequence.0.read"),
           ours("joined vector", "u, c, u ⊙ c", why="as in DIN's preset, so that the two compare", path="concatenation.products"),
           ours("heads", 2, why="a token has 16 numbers", path="sequence.0.heads"),
           ours("width of the feed-forward network", 32, why="twice the token; trains on a laptop", path="sequence.0.ffn"),
           ours("embedding sizes", "item 8, topic 16, age 4, dwell 4", why="fit the sample data", path="representation.dims"),
           ours("token width", 16, why="the past items know age and dwell, which a candidate has not", path="sequence.0.token"),
           ours("hidden layers", "32", why="trains on a laptop", path="towers.widths")),
    grew="din", adds="sequence", tagline="items meet",
    answers="DIN scores each past item by itself: let the items read each other first.",
    settings=TrainSettings(epochs=8, batch_size=512, lr=8e-3, schedule="cosine", patience=0),
)
