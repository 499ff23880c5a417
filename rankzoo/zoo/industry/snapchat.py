"""Snapchat, ad ranking: two towers, cross layers, PLE over conversions, a calibration layer (Snap Engineering, 2022)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.interaction.cross_v2 import CrossV2
from rankzoo.components.interaction.sided import Sided
from rankzoo.components.losses.pointwise import Pointwise
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.sharing.ple import PLE
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.facts import Size, Source, derived, known, ours, stated, unsure
from rankzoo.lesson import Lesson, Question
from rankzoo.serving.auction import Auction
from rankzoo.serving.calibrate import Calibrate
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Snap Engineering", 2022, "Machine learning for Snapchat ad ranking", "blog, 11 February 2022")
PLE_PAPER = Source("Tang et al.", 2020, "Progressive layered extraction (PLE)", "RecSys 2020", "10.1145/3383313.3412236")
DCN = Source("Wang et al.", 2021, "DCN V2: improved deep & cross network", "WWW 2021", "10.1145/3442381.3450078")

BLUEPRINT = Blueprint(
    representation=Embeddings(dim=16),
    interaction=(Sided(layers=2, widths=()), CrossV2(layers=1, structure="stacked")),
    sharing=PLE(levels=2, own=1, shared=3, widths=(32,)),
    towers=MlpTower(widths=(32, 16)),
    losses=Pointwise(),
    tasks=("swipe", "install", "purchase", "sign_up"),
)

ADS = unsure("rows of the table for an ad's id", "20 million", PAPER,
             why="an estimate: hundreds of millions of parameters are stated, and 16 numbers a row make 320 of them")
NETWORKS = stated("PLE's task networks", "256-128-64 with ReLU", PLE_PAPER)

FACTS = (
    stated("towers", "one for the user and one for the ad, to save cost", PAPER, path="interaction.0.kind"),
    stated("interaction", "DCN and DCN v2 cross layers as building blocks", PAPER, path="interaction.1.kind"),
    stated("sharing", "MMoE and PLE over conversion events", PAPER),
    stated("events predicted together", "installs, purchases, sign-ups", PAPER),
    stated("inputs", "features of ad, user and context; ad ids as embeddings; numbers; lists", PAPER,
           path="representation.kind"),
    stated("losses", "binary cross entropy, several tasks, possibly auxiliary losses", PAPER, path="losses.kind"),
    stated("calibration", "a layer after the model: Platt, isotonic or a small network", PAPER),
    stated("calibrated for", "all major business segments, not only the whole", PAPER),
    stated("why probabilities come out too high", "training sees the auction's winners, whose scores are outliers", PAPER),
    stated("delayed conversions", "up to weeks late; waiting makes a model stale, not waiting misses some", PAPER),
    stated("updates", "warm start from a checkpoint, hourly to daily", PAPER),
    stated("offline gate", "normalised cross entropy on later days, say seven", PAPER),
    stated("size", "hundreds of millions of parameters, billions of rows", PAPER),
    stated("cost of training on TPU", "more than two thirds lower", PAPER),
    stated("PLE's levels", "two, for every model of several levels", PLE_PAPER),
    stated("PLE's experts", "of a single layer; their number was tuned and is not given", PLE_PAPER),
    NETWORKS,
    stated("PLE's weights of the tasks", "w₀ γᵗ after t epochs: falling or rising", PLE_PAPER, at="equation 10"),
    stated("PLE's live gain over single tasks", "views +4.17 %, watch time +3.57 %", PLE_PAPER),
    derived("PLE's live gain over MMoE", "views +2.23 %, watch time +1.84 %", PLE_PAPER, at="abstract",
            why="the difference of their gains over single tasks"),
    stated("cross layers that help", "1 to 2, then a plateau", DCN),
    derived("join of the towers", "their outputs and the context are concatenated", PAPER, why="two towers must meet",
            path="concatenation.kind"),
    known("normalised cross entropy", "log loss over that of the base rate; below 1 beats it"),
    unsure("order of the blocks, widths, number of towers", "not disclosed", PAPER, why="the diagram was not visible"),
    unsure("MMoE or PLE, DCN or DCN v2", "PLE, DCN v2", PAPER, why="both are named, no comparison is given", path="sharing.kind"),
    unsure("tasks in one network", "not disclosed", PAPER),
    ours("weights of the tasks", "1 each", why="not disclosed", path="losses.weights"),
    ours("cross layers of a tower", 2, why="where they sit is not disclosed", path="interaction.0.layers"),
    ours("layers behind a tower's crosses", "none", path="interaction.0.widths",
         why="a narrow vector (32) lets too little of the user reach the join"),
    ours("cross layer at the join", 1, why="towers alone cross no user with an ad", path="interaction.1.layers"),
    ours("inputs here", "ten fields, advertiser and creative for an ad's id, and four numbers of it",
         why="the sample has no ids of ads or users, and no lists", path="representation.kind"),
    ours("embedding size", 16, why="not disclosed; trains on a laptop", path="representation.dim"),
    ours("levels here", 2, why="as in PLE's own paper; Snap's are not disclosed", path="sharing.levels"),
    ours("own experts of a task", 1, why="the fewer are its own, the more its gate must choose", path="sharing.own"),
    ours("shared experts", 3, why="not disclosed", path="sharing.shared"),
    ours("expert width", 32, why="not disclosed", path="sharing.widths"),
    ours("layers of a task", "32, 16", why="not disclosed", path="towers.widths"),
    ours("swipe as a task", "predicted beside the other three", path="tasks",
         why="the blog names it only as an event to bid for"),
    ours("repeated purchases", "one or more counts as 1", why="a binary label"),
    ours("labels of training rows", "what came within two days; younger rows count for no late task",
         why="a short window is fresh; the calibration layer makes up for what comes later"),
    ours("calibration here", "Platt, a curve for each device", why="devices differ in how late their conversions come"),
    stated("what the auction weighs", "predictions, organic utility, bids, budgets, rules; the top ad is shown", PAPER),
    ours("value of an ad here", "bid · p′ of the event that is paid for", why="the article prints no formula"),
    unsure("organic utility", "left out", PAPER, why="not defined; in the sample an event can be chosen to stand for it"),
    ours("budgets, rules, penalties", "left out", why="the sample has none"),
    ours("bids here", "an advertiser's own, for one event: an average ad is worth about 1", why="no bid is told"),
    ours("small network as a calibrator", "8 units that read the score and the device; beside it on the Inside page",
         why="named without its size or inputs"),
    ours("weights over time here", "constant, γ = 1", why="not disclosed for Snap", path="losses.factors"),
)

LESSON = Lesson(
    problem="An auction multiplies bids with probabilities, so a probability that is wrong changes the price and the winner. "
            "Ads come and go within days, and conversions arrive late.",
    why={
        "representation": "Embeddings and numbers of the user and of the ad; an unknown ad has a row of its own, as a "
                          "vocabulary is outdated after days.",
        "sequence": "Nothing is mentioned.",
        "interaction": "Cross layers multiply features with a learned mix of all of them; where they stand is not said.",
        "concatenation": "The user's and the ad's towers meet here: each runs once and is used many times, only the join is "
                         "for the pair.",
        "sharing": "Experts over several conversions. With PLE each task also has experts of its own, and sharing is undone "
                   "level by level.",
        "towers": "A network for each event, up to its logit.",
        "losses": "Cross entropy for each event; a calibration layer behind it corrects what the auction distorts.",
    },
    sure=("stated", "unsure", "stated", "derived", "unsure", "derived", "stated"),
    measured=("cost of training on TPU", "PLE's live gain over single tasks", "PLE's live gain over MMoE"),
    unmeasured="Snap's article gives no gain of a model, so none is printed; those of PLE come from its own paper, on videos.",
    misreadings={
        "Snap compared MMoE and PLE, and PLE won.": "The article has no such comparison.",
        "Snap uses DeepFM or Wide & Deep.": "They are only in its list of references.",
        "PLE's shared gate mixes the shared experts.": "It mixes all experts of its level.",
        "All gates of PLE read the raw input.": "Only those of the first level.",
        "Towers mean two-tower retrieval.": "Here they save cost inside a ranker; there is no dot product at the end.",
        "Calibration is checked for the model as a whole.": "For all major segments of the business.",
        "The swipe is one of the events predicted together.": "The list names installs, purchases and sign-ups.",
    },
    questions=(
        Question("Why calibrate here, and not always in a feed?",
                 "Bids are multiplied by the probabilities: a biased one changes price and winner and not only the "
                 "order.", "losses",
                 slip="Because ads have more data.", follow="The AUC rises and the log loss gets worse. Do you ship?",
                 then="No. The order is better, the probabilities are not: recalibrate and look again.",
                 facts=("what the auction weighs",)),
        Question("What is the selection bias of an auction?",
                 "The model is trained on ads that won, and scores all. The best of many noisy scores is mostly too "
                 "high.", "losses",
                 slip="That users click more on the first ad.", follow="What helps?",
                 then="Exploration, a calibration layer, and an evaluation on all candidates.", facts=("calibration",)),
        Question("MMoE, CGC, PLE: what is the difference?",
                 "MMoE: all experts are open to all tasks. CGC: own experts and shared ones. PLE: several levels of CGC, with "
                 "a shared gate that mixes all, so that the separation grows with depth.", "sharing",
                 slip="PLE has more experts.", follow="Could MMoE learn the same routing?",
                 then="In principle, by weights of zero; in practice its gates did not get there.", facts=("sharing",)),
        Question("How many parameters does the sharing own?",
                 "Experts of all levels, own and shared, and a gate for each task and level; the shared gates come on top, but "
                 "for the last level.", "sharing",
                 number="parameters", of="sharing", slip="Forgetting that experts above the first level read narrower vectors.",
                 follow="What does one more task add?",
                 then="Its own experts, one gate on each level, a tower, and wider shared gates."),
        Question("How many gates does the sharing have?",
                 "On each level one for every task, and the shared gate where another level follows: it mixes all experts of its "
                 "level.", "sharing",
                 number="gates", slip="One for each expert, or a shared gate on the last level too.",
                 follow="What does a gate above the first level read?",
                 then="What the level below has mixed for it, and not the input."),
        Question("Seesaw and negative transfer: are they the same?",
                 "Negative transfer: the joint model is worse than a single task's. Seesaw: one task rises only while another "
                 "falls.", "sharing",
                 slip="Yes.", follow="How do you see a seesaw?",
                 then="Plot the gain of one task against that of the other, single models at the origin."),
        Question("Why towers for user and ad inside a heavy ranker?",
                 "The user's part runs once for a request, and an ad's can be kept: only the join is computed for each "
                 "pair.", "concatenation",
                 slip="To retrieve ads by a dot product.", follow="What must hold for that?",
                 then="No layer before the join may read both sides.", facts=("towers",)),
        Question("How many parameters do the cross layers own?",
                 "A full matrix and a bias for each layer: the square of the width. A low rank cuts it down.", "interaction",
                 number="parameters", of="interaction", slip="Two vectors for each layer: that is the first DCN.",
                 follow="What is the highest degree of the crosses?", then="One more than there are layers."),
        Question("A conversion may come weeks later. What do you train on?",
                 "Wait and be stale, or train early with false negatives. In between: windows, models of the delay, and a "
                 "later correction.", "losses",
                 slip="Only on conversions of the same day.", follow="Why split budgets in an A/B test?",
                 then="Arms that share a budget take it from each other."),
    ),
)

SYSTEM = System(
    id="snapchat", place=5, company="Snapchat", name="DCN v2 and PLE-style", domain="ads", source=PAPER,
    lesson=LESSON,
    story="An auction weighs bids with probabilities, so an ad's probabilities must be right and not only in order. "
          "User and ad have towers of their own, cross layers multiply features, and experts serve several conversions. "
          "A calibration layer corrects the probabilities, which training on early labels or on an auction's winners bends.",
    blueprint=BLUEPRINT, dataset="goals", facts=FACTS, serving=Auction(Calibrate(by="device")), picture="gates", grew="ple",
    industry=(Size("towers.widths", (256, 128, 64), NETWORKS), Size("advertiser", 20_000_000, ADS, table=True)),
    plain={"sharing": {"kind": "shared_bottom", "widths": [64, 32]}},
    settings=TrainSettings(epochs=6, batch_size=512, lr=4e-3, schedule="cosine", patience=0),
)
