"""ByteDance, BytePlus Recommend: a table without collisions under a DeepFM, trained online (Monolith; Liu et al., 2022)."""
from rankzoo.facts import Source, code, known, stated, unsure
from rankzoo.system import System

PAPER = Source("Liu et al.", 2022, "Monolith: real time recommendation system with collisionless embedding table",
               "arXiv 2209.07663, 2022")
TEXT = "a full translation"
CODE = "bytedance/monolith, commit 135c491"

FACTS = (
    stated("embedding table", "cuckoo hashing, so no two ids share a row", PAPER, at=TEXT),
    stated("admission", "an id enters once it was seen often enough", PAPER, at=TEXT),
    stated("expiry", "a row goes after a time without activity", PAPER, at=TEXT),
    stated("model of the public experiments", "a standard DeepFM", PAPER, at=TEXT),
    stated("towers in production", "one for each behaviour", PAPER, at=TEXT),
    stated("updates sent to serving", "touched rows every minute, dense weights daily", PAPER, at=TEXT),
    stated("snapshots", "once a day", PAPER, at=TEXT),
    stated("baseline in production", "quotient-remainder sum: 2^48 ids in 2^25 rows", PAPER, at=TEXT),
    code("unknown id", "reads zeros; its row is made at the first update", PAPER, at=CODE),
    code("start of a row", "uniform between −0.05 and 0.05", PAPER, at=CODE),
    known("loss", "binary cross entropy"),
    unsure("embedding size, widths, optimiser, learning rate", "not disclosed", PAPER),
)

SYSTEM = System(
    id="bytedance", place=6, company="ByteDance", name="Monolith with DeepFM", domain="platform", source=PAPER,
    story="Ids keep growing, and what people like drifts within minutes. "
          "A factorisation machine and a deep network read a hash table that gives every id a row of its own. "
          "Training goes on online, and the touched rows reach the serving model every minute.",
    facts=FACTS, tasks=("click",),
    words={"representation": "own rows", "interaction": "FM", "concatenation": "join", "towers": "MLP", "losses": "BCE"},
)
