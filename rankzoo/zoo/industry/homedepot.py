"""The Home Depot, next product in a session: a transformer over attributes (M2TRec; Shalaby et al., RecSys 2022)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.representation.attributes import Attributes
from rankzoo.components.sequence.encoder import Encoder
from rankzoo.components.towers.classes import Classes
from rankzoo.facts import Size, Source, code, derived, known, ours, stated, unsure
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Shalaby et al.", 2022, "M2TRec: metadata-aware multi-task transformer for large-scale and cold-start free "
               "session-based recommendations", "RecSys 2022")
FAPAT = Source("HKUST-KnowComp", 2023, "FAPAT, which re-implements M2TRec as a baseline", "NeurIPS 2023")
FIGURE = "caption of figure 1, as a review quotes it"
LITTLE = "only the abstract and a caption were read"

BLUEPRINT = Blueprint(
    representation=Attributes(dim=16, unknown=0.05, init=0.3),
    sequence=(Encoder(token=32, blocks=1, heads=4, ffn=128, norm="pre", positions="none", read="mean"),),
    towers=Classes(widths=(), tied=True),
    tasks=("next_item", "category", "subcategory"),
)

FACTS = (
    stated("item ids", "not an input", PAPER, at="abstract", path="representation.kind"),
    stated("predicted together", "next item and its categories", PAPER, at="abstract"),
    stated("data", "one public and one large industrial set", PAPER, at="abstract"),
    stated("several tasks", "converge faster and improve the overall accuracy", PAPER, at="abstract"),
    stated("vector of an item", "the embeddings of its attributes, concatenated", PAPER, at=FIGURE),
    stated("session", "transformer, then the average over its items", PAPER, at=FIGURE, path="sequence.0.read"),
    stated("heads", "several softmaxes on one session vector", PAPER, at=FIGURE, path="towers.kind"),
    derived("direction of the attention", "both ways", PAPER, why="one pooled vector, and the targets are not in the input"),
    code("weights of the losses", "1.0 each", FAPAT, path="losses.weights"),
    known("metrics of the field", "Recall@20 and MRR@20"),
    unsure("blocks, heads, widths", "1 block, 4 heads, 32 and 128", PAPER, why=LITTLE, path="sequence.0.blocks"),
    unsure("attributes", "category, sub-category, brand, price, title", PAPER, why="the abstract names the categories alone",
           path="representation.items"),
    unsure("words of a title", "mean of their vectors", PAPER, why=LITTLE),
    unsure("output layer", "not known", PAPER, why=LITTLE),
    unsure("layer norm", "before", PAPER, why=LITTLE, path="sequence.0.norm"),
    ours("embedding size", 16, why="trains on a laptop", path="representation.dim"),
    ours("score of an item", "dot product with the encoding of its attributes", why="only this can score an unseen item",
         path="towers.tied"),
    ours("attributes hidden in training", "5 %", why="else an unknown value's vector is never trained, and a new brand is noise",
         path="representation.unknown"),
    ours("width of a token", 32, why="trains in seconds", path="sequence.0.token"),
    ours("positions", "none", why="the order in a session says nothing in the sample data", path="sequence.0.positions"),
    ours("rows", "every prefix of a session predicts what follows", why="common practice; the paper's is not known"),
    ours("softmax", "over all products that training knows", why="1,500 products need no sampling"),
    ours("categories when serving", "not used for the ranking", why="the source does not say that they are"),
    ours("starting spread", 0.3, why="with 0.05 the first epoch is spent on growing the vectors", path="representation.init"),
)

SYSTEM = System(
    id="homedepot", place=9, company="Home Depot", name="M2TRec-style", domain="products", source=PAPER,
    story="A vector for each product costs memory in a huge catalogue and is bad for rare and new products. "
          "A transformer reads the attributes of the products seen in a session and predicts the next one. "
          "It uses no product id, so a new product can be recommended at once.",
    blueprint=BLUEPRINT, dataset="sessions", facts=FACTS, picture="items",
    industry=(Size("sequence.0.token", 128, code("hidden size of the re-implementation", 128, FAPAT)),
              Size("sequence.0.ffn", 512, unsure("width of the feed-forward part", "4 × hidden", PAPER, why="the usual ratio"))),
    settings=TrainSettings(epochs=6, batch_size=256, lr=6e-3, schedule="cosine", patience=0),
)
