"""Alibaba, product search in Taobao: one score with four objectives in its loss (MOPPR; Zheng et al., 2022)."""
from rankzoo.facts import Source, ours, stated, unsure
from rankzoo.system import System

PAPER = Source("Zheng et al.", 2022, "Multi-objective personalized product retrieval in Taobao search",
               "arXiv 2210.04170, October 2022")
BEFORE = Source("Li et al.", 2021, "Embedding-based product retrieval in Taobao search (MGDSPR)", "KDD 2021")

FACTS = (
    stated("objectives", "relevance, exposure, click and purchase, in this order", PAPER, at="abstract"),
    stated("samples", "several positives from the entire space", PAPER, at="abstract"),
    stated("loss", "a modified softmax", PAPER, at="abstract"),
    stated("live gain over MGDSPR", "+0.96 % transactions, +1.29 % GMV in 28 days", PAPER, at="abstract"),
    stated("MGDSPR's attention", "the query asks the history, with an all-zero slot", BEFORE),
    stated("MGDSPR's query", "five granularities and their sum, six vectors", BEFORE),
    stated("MGDSPR's sizes", "128 wide, 8 heads, 2 LSTM layers", BEFORE),
    stated("MGDSPR's score", "inner product of the user's and the item's vector", BEFORE),
    stated("MGDSPR's softmax temperature", "2", BEFORE),
    unsure("form of the modified softmax", "each positive meets negatives only", PAPER,
           why="a reconstruction from the abstract"),
    unsure("sharing", "none: four losses on one score", PAPER, why="one index needs one vector"),
    ours("towers", "those of MGDSPR", why="the text of MOPPR was not found"),
)

SYSTEM = System(
    id="alibaba", place=7, company="Alibaba", name="MOPPR-style", domain="products", source=PAPER,
    story="Retrieval by embeddings found products that were less relevant and less personal than the other channels found. "
          "As in its predecessor, the query attends to the user's history, and one inner product scores each product. "
          "Four nested objectives from relevant to bought shape that one score through the loss.",
    facts=FACTS, tasks=("relevance", "exposure", "click", "purchase"),
    words={"representation": "ids, words", "sequence": "query", "concatenation": "stack", "towers": "dot",
           "losses": "4 softmaxes"},
)
