"""The Home Depot, next product in a session: a transformer over attributes (M2TRec; Shalaby et al., RecSys 2022)."""
from rankzoo.facts import Source, code, derived, ours, stated, unsure
from rankzoo.system import System

PAPER = Source("Shalaby et al.", 2022, "M2TRec: metadata-aware multi-task transformer for large-scale and cold-start free "
               "session-based recommendations", "RecSys 2022")
FAPAT = Source("HKUST-KnowComp", 2023, "FAPAT, which re-implements M2TRec as a baseline", "NeurIPS 2023")
FIGURE = "caption of figure 1, as a review quotes it"

FACTS = (
    stated("item ids", "not an input", PAPER, at="abstract"),
    stated("predicted together", "next item and its categories", PAPER, at="abstract"),
    stated("data", "one public and one large industrial set", PAPER, at="abstract"),
    stated("several tasks", "converge faster and improve the overall accuracy", PAPER, at="abstract"),
    stated("vector of an item", "the embeddings of its attributes, concatenated", PAPER, at=FIGURE),
    stated("session", "transformer, then the average over its items", PAPER, at=FIGURE),
    stated("heads", "several softmaxes on one session vector", PAPER, at=FIGURE),
    derived("direction of the attention", "both ways", PAPER, why="one pooled vector, and the targets are not in the input"),
    code("weights of the losses", "1.0 each", FAPAT),
    unsure("layers, heads, widths, attributes", "not known", PAPER, why="only the abstract and a caption were read"),
    unsure("output layer", "not known", PAPER, why="only the abstract and a caption were read"),
    ours("score of an item", "dot product with the encoding of its attributes", why="only this can score an unseen item"),
)

SYSTEM = System(
    id="homedepot", place=9, company="Home Depot", name="M2TRec-style", domain="products", source=PAPER,
    story="A vector for each product costs memory in a huge catalogue and is bad for rare and new products. "
          "A transformer reads the attributes of the products seen in a session and predicts the next one. "
          "It uses no product id, so a new product can be recommended at once.",
    facts=FACTS, tasks=("next_item", "category", "subcategory"),
    words={"representation": "attributes", "sequence": "transformer", "concatenation": "join", "sharing": "one session",
           "towers": "dot", "losses": "softmax"},
)
