"""LinkedIn, the homepage feed: two groups of tasks over the leaves of a tree ensemble (Ackerman and Kataria, 2021)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.losses.pointwise import Pointwise
from rankzoo.components.representation.tree_leaves import TreeLeaves
from rankzoo.components.sharing.groups import Groups
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.facts import Size, Source, derived, ours, stated, unsure
from rankzoo.serving.utility import Utility
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Ackerman and Kataria", 2021, "Homepage feed multi-task learning using TensorFlow",
               "LinkedIn Engineering, 3 June 2021")
LIRANK = Source("Borisyuk et al.", 2024, "LiRank, arXiv 2402.06859", "KDD 2024")

PASSIVE, ACTIVE = ("click", "long_dwell"), ("like", "comment", "reshare")

BLUEPRINT = Blueprint(
    representation=TreeLeaves(trees=50, leaves=16, dim=8),
    sharing=Groups(groups=(PASSIVE, ACTIVE), widths=(128, 64)),
    towers=MlpTower(widths=()),
    losses=Pointwise(),
    tasks=(*PASSIVE, *ACTIVE),
)

FACTS = (
    stated("inputs", "the leaf that each XGBoost tree picks, looked up in an embedding table", PAPER, path="representation.kind"),
    stated("networks", "two, for passive and for active responses, with common inputs", PAPER, at="figure's caption",
           path="sharing.kind"),
    stated("passive responses", "click and dwell time", PAPER),
    stated("active responses", "comment and reshare, the latter sparse", PAPER),
    stated("sharing", "by the group of a task; no gates, no experts", PAPER, path="sharing.groups"),
    stated("losses", "cross entropy for every objective", PAPER, path="losses.kind"),
    stated("sampling", "all recorded interactions, no down-sampling per objective", PAPER),
    stated("learning rate", "ramped up slowly, as runs of rare tasks differed much", PAPER),
    ours("steps of the ramp", 50, why="a quarter of the preset's training"),
    stated("terms of the score", "a passive, an active and another one, with α and λ tuned", PAPER),
    stated("latency once spent on feature conversion", "about 20 % of the feed model's", PAPER),
    stated("like in the later model", "in the contribution tower, with comment and share", LIRANK),
    derived("heads", "a sigmoid of one linear map for each task", PAPER, why="cross entropy per objective", path="towers.kind"),
    derived("dwell time's label", "binary", PAPER, why="cross entropy for every objective"),
    unsure("joining of the leaf embeddings", "concatenated", PAPER, why="that part could not be read; a sum can be chosen",
           path="representation.pooling"),
    unsure("labels that grow the trees", "each task's, ten trees for each", PAPER,
           why="not said; the first task's alone can be chosen", path="representation.labels"),
    unsure("table of the leaves", "one for both networks", PAPER, why="the caption says common inputs, not whose table"),
    unsure("form of the score", "a weighted sum", PAPER, why="the terms were read, the printed formula was not"),
    unsure("group of the like", "active", PAPER, why="known of the later model alone"),
    ours("trees", 50, why="not disclosed; enough for the sample", path="representation.trees"),
    ours("leaves of a tree", 16, why="not disclosed", path="representation.leaves"),
    ours("embedding size of a leaf", 8, why="not disclosed", path="representation.dim"),
    ours("layers of a group", "128, 64", why="not disclosed", path="sharing.widths"),
    ours("layers of a task", "none but its logit", why="tasks of a group share every other weight", path="towers.widths"),
    ours("trees grown by", "LightGBM", why="the same kind of trees as XGBoost; only their leaves are read"),
    ours("ids, dense embeddings, histories", "none", why="the sample has numbers alone, as the trees' inputs"),
    ours("weights of the tasks", "1 each", why="not disclosed", path="losses.weights"),
    ours("α, and what a response is worth", "1 each", why="not disclosed"),
    ours("tasks", "click, long dwell, like, comment, reshare", why="the named ones and the like", path="tasks"),
)

SYSTEM = System(
    id="linkedin", place=2, company="LinkedIn", name="Two-group-style towers", domain="feed", source=PAPER,
    story="One model for each kind of response shares nothing and costs more with every new objective. "
          "Here a single model predicts them all, with one tower for passive and one for active responses. "
          "Its inputs are the leaves of a tree ensemble, so that raw numbers need no scaling.",
    blueprint=BLUEPRINT, dataset="professional", facts=FACTS, serving=Utility(active=ACTIVE), picture="tasks",
    grew="shared_bottom", settings=TrainSettings(epochs=4, batch_size=512, lr=2e-3, schedule="cosine", warmup=50,
                                                   patience=0),
    industry=(Size("sharing.widths", (100, 100, 100, 100), unsure(
        "layers of a tower", "4 × 100", LIRANK, why="a third party's note on a later model")),),
)
