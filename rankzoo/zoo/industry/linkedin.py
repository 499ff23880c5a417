"""LinkedIn, the homepage feed: two groups of tasks over the leaves of a tree ensemble (Ackerman and Kataria, 2021)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.losses.pointwise import Pointwise
from rankzoo.components.representation.tree_leaves import TreeLeaves
from rankzoo.components.sharing.groups import Groups
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.facts import Size, Source, derived, ours, stated, unsure
from rankzoo.lesson import Lesson, Question
from rankzoo.serving.utility import Utility
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Ackerman and Kataria", 2021, "Homepage feed multi-task learning using TensorFlow",
               "LinkedIn Engineering, 3 June 2021")
LIRANK = Source("Borisyuk et al.", 2024, "LiRank, arXiv 2402.06859", "KDD 2024")

PASSIVE, ACTIVE, CREATOR = ("click", "long_dwell"), ("like", "comment", "reshare"), ("creator_feedback",)

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
    stated("sharing", "by the group of a task; no gates, no experts", PAPER),
    stated("losses", "cross entropy for every objective", PAPER, path="losses.kind"),
    stated("sampling", "all recorded interactions, no down-sampling per objective", PAPER),
    stated("embeddings as inputs", "need batch normalisation or a translation layer, which leaves do not", PAPER),
    stated("learning rate", "ramped up slowly, as runs of rare tasks differed much", PAPER),
    ours("steps of the ramp", 50, why="that it ramps up is stated, how long is not; a quarter of the preset's training",
         path="settings.warmup"),
    stated("terms of the score", "a passive, an active and another one, with α and λ tuned", PAPER),
    stated("latency once spent on feature conversion", "about 20 % of the feed model's", PAPER),
    stated("groups of tasks in the later model", "+0.75 % contributions, offline replay", LIRANK),
    stated("like in the later model", "in the contribution tower, with comment and share", LIRANK),
    derived("heads", "a sigmoid of one linear map for each task", PAPER, why="cross entropy per objective", path="towers.kind"),
    derived("dwell time's label", "binary", PAPER, why="cross entropy for every objective"),
    unsure("joining of the leaf embeddings", "concatenated", PAPER, why="that part could not be read; a sum can be chosen",
           path="representation.pooling"),
    unsure("table of the leaves", "one for both networks", PAPER, path="representation.share_table",
           why="the caption says common inputs, not whose table; one for each network can be chosen"),
    unsure("labels that grow the trees", "each task's, ten trees for each", PAPER,
           why="not said; the first task's alone can be chosen", path="representation.labels"),
    unsure("form of the score", "a weighted sum", PAPER, why="the terms were read, the printed formula was not"),
    unsure("group of the like", "active", PAPER, why="known of the later model alone", path="sharing.groups"),
    ours("trees", 50, why="not disclosed; enough for the sample", path="representation.trees"),
    ours("leaves of a tree", 16, why="not disclosed", path="representation.leaves"),
    ours("embedding size of a leaf", 8, why="not disclosed", path="representation.dim"),
    ours("layers of a group", "128, 64", why="not disclosed", path="sharing.widths"),
    ours("layers of a task", "none but its logit", why="tasks of a group share every other weight", path="towers.widths"),
    ours("trees grown by", "LightGBM", why="the same kind of trees as XGBoost; only their leaves are read"),
    ours("a missing number", "goes where the trees' library learned to send it",
         why="as in XGBoost, each split has a default direction; to a dense number beside the leaves it is the mean"),
    ours("ids, dense embeddings, histories", "none", why="the sample has numbers alone, as the trees' inputs",
         path="representation.dense"),
    ours("weights of the tasks", "1 each", why="not disclosed", path="losses.weights"),
    ours("α, λ, and what a response is worth", "1 each", why="not disclosed"),
    unsure("creator's side in the score", "no task of the preset; creator_feedback is in the data and can be added", PAPER,
           why="that this model predicts it is not said, and its networks are two"),
    stated("behind the network", "linear models for each member and item, on its calibrated score", PAPER),
    ours("models for each member and item", "not built", why="the sample has no ids of members or posts"),
    ours("tasks", "click, long dwell, like, comment, reshare", why="the named ones and the like", path="tasks"),
)

LESSON = Lesson(
    problem="A feed needs the chances of a click, a long read, a comment and a reshare. One model for each of them shares "
            "nothing, and every new objective costs compute and latency again.",
    why={
        "representation": "Each tree of an ensemble says in which leaf a row falls, and every leaf owns a vector: binning, "
                          "crosses and scaling come from the trees.",
        "sequence": "Nothing that could be read; a later model of the company adds a transformer over past actions.",
        "interaction": "No layer of its own: a path through a tree is already a cross of the features that it asks about.",
        "concatenation": "The vectors of all leaves side by side are the common input of both networks.",
        "sharing": "Two networks, one for passive and one for active responses: like tasks help each other, unlike ones are "
                   "kept apart. What MMoE learns is decided here by hand.",
        "towers": "Here no layers but the logits: tasks of a group share every other weight.",
        "losses": "Cross entropy for each response; the probabilities must be right, because they are added up afterwards.",
    },
    sure=("stated", "unsure", "derived", "unsure", "stated", "ours", "stated"),
    measured=("latency once spent on feature conversion",),
    unmeasured="What it gained offline and online could not be read, so no gain is printed here.",
    misreadings={
        "It is a shared bottom with task heads.": "The figure's caption says two separate networks with common inputs.",
        "The two towers are member and post.": "They are passive and active responses; both read the same input.",
        "LinkedIn used MMoE in 2021.": "Gates and experts appear only in later work.",
        "A warm start loads old weights.": "Here the word describes a learning rate that is ramped up.",
        "The trees were replaced.": "They stayed, as the encoder of the features.",
        "The new model saved the latency of conversion.": "Its share was measured at one time, in another stage of "
                                                    "the move to tensors.",
        "Sizes and gains of LiRank are those of 2021.": "LiRank is the successor of 2024; it is cited for itself alone.",
        "O/E is an error.": "It is observed over expected, a ratio that says whether probabilities are right.",
    },
    questions=(
        Question("Why are the objectives put into two groups?",
                 "Transfer helps among similar responses and hurts across dissimilar ones. The groups are a prior made by "
                 "hand, where MMoE or PLE learn it.", "sharing",
                 slip="To have a network for members and one for posts.",
                 follow="How is that different from two towers in retrieval?",
                 then="There a user tower and an item tower meet in a dot product. Here both read the same row and are split "
                      "by objective.",
                 facts=("networks", "sharing")),
        Question("Why feed the leaves of trees to a neural network?",
                 "The trees bin and cross the numbers and need no scaling, a trusted model is used again, and a look-up is "
                 "fast. The network sees only the splits that the trees chose.", "representation",
                 slip="Because trees are more accurate than networks.", follow="What does it cost?",
                 then="Two stages of training: when the trees are grown anew, the leaves' vectors mean nothing any more."),
        Question("How many parameters does the table of the leaves hold?",
                 "Trees times leaves times the size of a vector. Each row of data reads exactly one leaf of each "
                 "tree.", "representation",
                 number="parameters", of="representation",
                 slip="Counting the trees' thresholds: they are no weights of the network.",
                 follow="How many of them does one row touch?",
                 then="One vector for each tree, whatever the number of leaves."),
        Question("How wide is the vector that both networks read?",
                 "One vector for each tree, side by side. The number of leaves does not matter for it.", "concatenation",
                 number="join width", slip="Multiplying with the leaves as well.",
                 follow="What if the vectors were added up instead?",
                 then="The input would be as wide as one vector: cheaper, and the networks would no longer know which tree "
                      "spoke.",
                 facts=("joining of the leaf embeddings",)),
        Question("How is it different from trees plus logistic regression?",
                 "There each leaf is one weight of a linear model. Here it is a vector that deep networks read, for several "
                 "tasks.", "representation",
                 slip="It is the same with a bigger last layer.",
                 follow="What can the networks say that the linear model cannot?",
                 then="That leaves of two trees mean something only together."),
        Question("Why does calibration matter for a feed?",
                 "The chances of different actions are added up to one score. One that is too high silently gets more weight, "
                 "and models behind it build on the number.", "losses",
                 slip="It does not: only the order counts.",
                 follow="Why stop sampling negatives differently for each objective?",
                 then="One data set serves all tasks, no prior has to be corrected, and observed over expected stays "
                      "comparable.",
                 facts=("sampling", "terms of the score")),
        Question("How is α chosen?",
                 "Online: raise active responses as far as members who only read lose nothing. As the probabilities are "
                 "calibrated, no training is needed for another α.", "",
                 slip="By the loss on validation rows, as a hyperparameter.", follow="What does the curve of α show offline?",
                 then="What passive value each gain of active value costs, in the rows that would rank highest.",
                 facts=("terms of the score",)),
        Question("What would you change today?",
                 "Ids with embeddings, an encoder of past actions, learned crosses and shared experts: the way that the later "
                 "model went.", "",
                 slip="Replace the trees by more trees.", follow="What speaks for keeping the groups?",
                 then="They cost nothing and still gained there, offline.", facts=("groups of tasks in the later model",)),
        Question("A rare head differs from seed to seed. What do you do?",
                 "Ramp the learning rate up slowly, fix the start, share more, use larger batches or several seeds. Report the "
                 "spread and not one run.", "losses",
                 slip="Take the seed with the best result.", follow="What was found to cause it?",
                 then="The start, and Adam in its first steps.", facts=("learning rate",)),
    ),
)

SYSTEM = System(
    id="linkedin", place=2, company="LinkedIn", name="Two-group-style", domain="feed", source=PAPER,
    lesson=LESSON,
    story="One model for each kind of response shares nothing and costs more with every new objective. "
          "Here a single model predicts them all, with one tower for passive and one for active responses. "
          "Its inputs are the leaves of a tree ensemble, so that raw numbers need no scaling.",
    blueprint=BLUEPRINT, dataset="professional", facts=FACTS, serving=Utility(ACTIVE, CREATOR), picture="tasks",
    grew="shared_bottom", settings=TrainSettings(epochs=4, batch_size=512, lr=2e-3, schedule="cosine", warmup=50,
                                                   patience=0),
    industry=(Size("sharing.widths", (100, 100, 100, 100), unsure(
        "layers of a tower", "4 × 100", LIRANK, why="a third party's note on a later model")),),
    plain={"sharing": {"kind": "shared_bottom", "widths": [128, 64]}},
)
