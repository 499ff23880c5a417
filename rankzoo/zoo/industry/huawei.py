"""Huawei, news: BERT trained with two auxiliary tasks and gradient surgery (MTRec; Bi et al., Findings of ACL 2022)."""
from rankzoo.facts import Source, code, ours, stated, unsure
from rankzoo.system import System

PAPER = Source("Bi et al.", 2022, "MTRec: multi-task learning over BERT for news recommendation", "Findings of ACL 2022")
FLORIS = "re-implementation by Floris6D"
OTHER = "a re-implementation on MIND"

FACTS = (
    stated("auxiliary tasks", "category and entities, as targets and not as inputs", PAPER, at="abstract"),
    stated("gradient surgery", "auxiliary gradients change by their conflict with the main task", PAPER, at="abstract"),
    stated("data", "MIND", PAPER, at="abstract"),
    code("vector of an article", "BERT's state at [CLS] over the title", PAPER, at="third parties' notes"),
    code("vector of the user", "additive attention over the clicked articles", PAPER, at=FLORIS),
    code("score", "dot product of user and article", PAPER, at=FLORIS),
    code("main loss", "softmax over 1 positive and 4 negatives", PAPER, at=FLORIS),
    code("scale of the auxiliary losses", "0.3", PAPER, at=FLORIS),
    code("history and title length on MIND", "50 articles, titles of length 20", PAPER, at=OTHER),
    unsure("which gradients are projected", "only the auxiliary ones", PAPER, why="the two abstracts differ"),
    unsure("negatives, learning rate, attention size", "not known", PAPER, why="the full text was not found"),
    ours("heads", "linear", why="the re-implementations differ"),
)

SYSTEM = System(
    id="huawei", place=8, company="Huawei", name="MTRec-style", domain="news", source=PAPER,
    story="Small encoders for category and entities do not fit well beside a deep encoder of the title. "
          "So one BERT learns to predict category and entities while it learns to rank. "
          "Where an auxiliary gradient works against the click task, the part that does so is removed.",
    facts=FACTS, tasks=("click", "category", "entities"),
    words={"representation": "BERT", "sequence": "additive", "concatenation": "pool", "sharing": "one trunk",
           "towers": "dot", "losses": "softmax"},
)
