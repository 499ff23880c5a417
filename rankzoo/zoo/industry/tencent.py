"""Tencent Kandian, a content feed: one network with a mask for each task (CSRec; Bai et al., WWW 2022)."""
from rankzoo.facts import Source, code, known, stated, unsure
from rankzoo.system import System

PAPER = Source("Bai et al.", 2022, "A contrastive sharing model for multi-task recommendation", "WWW 2022",
               "10.1145/3485447.3512043")
SPARSE = Source("Sun et al.", 2020, "Learning sparse sharing architectures for multiple tasks", "AAAI 2020")
PLE = Source("Tang et al.", 2020, "Progressive layered extraction (PLE)", "RecSys 2020", "10.1145/3383313.3412236")

FACTS = (
    stated("problem", "a weight of two tasks gets updates that disagree", PAPER, at="abstract"),
    stated("update of such a weight", "relies more on the task that it impacts more", PAPER, at="abstract"),
    stated("training", "alternates between the tasks", PAPER, at="abstract"),
    stated("datasets", "Tencent Kandian, Ali-CCP, Census-income", PAPER, at="abstract"),
    stated("sharing", "one large network and a binary mask for each task", SPARSE),
    stated("pruned in a round", "0.1 of the weights that remain, the smallest first", SPARSE, at="algorithm 1"),
    stated("weights that a task keeps", "25 to 56 %", SPARSE),
    code("biases", "never pruned", SPARSE, at="the authors' code, choosewhatulike/sparse-sharing"),
    stated("tasks of Census-income", "income over 50K; never married", PLE),
    known("losses", "cross entropy, one task in each step"),
    unsure("contrast score of a weight", "|weight × gradient|", PAPER, why="a reconstruction; only the abstract was read"),
    unsure("tasks and sizes in the Kandian feed", "not known", PAPER, why="only the abstract was read"),
)

SYSTEM = System(
    id="tencent", place=3, company="Tencent", name="CSRec-style", domain="feed", source=PAPER,
    story="Tasks that share weights can hold each other back. "
          "Every task gets a mask that picks its own part of one large network. "
          "Where two tasks pull a shared weight in opposite directions, the one that depends on it more has more say.",
    facts=FACTS, tasks=("income", "never_married"),
    words={"representation": "ids", "concatenation": "join", "sharing": "task masks", "towers": "MLP", "losses": "BCE"},
)
