"""LinkedIn, the homepage feed: two groups of tasks over the leaves of a tree ensemble (Ackerman and Kataria, 2021)."""
from rankzoo.facts import Source, derived, ours, stated, unsure
from rankzoo.system import System

PAPER = Source("Ackerman and Kataria", 2021, "Homepage feed multi-task learning using TensorFlow",
               "LinkedIn Engineering, 3 June 2021")
LIRANK = Source("Borisyuk et al.", 2024, "LiRank, arXiv 2402.06859", "KDD 2024")

FACTS = (
    stated("inputs", "the leaf that each XGBoost tree picks, looked up in an embedding table", PAPER),
    stated("networks", "two, for passive and for active responses, with common inputs", PAPER, at="figure's caption"),
    stated("sharing", "by the group of a task; no gates, no experts", PAPER),
    stated("losses", "cross entropy for every objective", PAPER),
    stated("sampling", "all recorded interactions, no down-sampling per objective", PAPER),
    stated("learning rate", "ramped up slowly, as runs of rare tasks differed much", PAPER),
    stated("latency once spent on feature conversion", "about 20 % of the feed model's", PAPER),
    stated("like in the later model", "in the contribution tower, with comment and share", LIRANK),
    derived("heads", "a sigmoid for each task", PAPER, why="cross entropy per objective"),
    unsure("joining of the leaf embeddings", "concatenated or summed", PAPER, why="that part could not be read"),
    unsure("sizes", "trees, leaves, embedding and tower widths", PAPER, why="not disclosed"),
    ours("weights of the tasks", "1 each", why="not disclosed"),
)

SYSTEM = System(
    id="linkedin", place=2, company="LinkedIn", name="Two-group-style towers", domain="feed", source=PAPER,
    story="One model for each kind of response shares nothing and costs more with every new objective. "
          "Here a single model predicts them all, with one tower for passive and one for active responses. "
          "Its inputs are the leaves of a tree ensemble, so that raw numbers need no scaling.",
    facts=FACTS, tasks=("click", "long_dwell", "like", "comment", "reshare"),
    words={"representation": "leaves", "concatenation": "join", "sharing": "two groups", "towers": "MLP", "losses": "BCE"},
)
