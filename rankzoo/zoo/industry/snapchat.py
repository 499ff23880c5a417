"""Snapchat, ad ranking: two towers, cross layers and multi-task experts (Snap Engineering, 2022)."""
from rankzoo.facts import Source, derived, known, ours, stated, unsure
from rankzoo.lesson import Lesson, Question
from rankzoo.system import System

PAPER = Source("Snap Engineering", 2022, "Machine learning for Snapchat ad ranking", "blog, 11 February 2022")
PLE = Source("Tang et al.", 2020, "Progressive layered extraction (PLE)", "RecSys 2020", "10.1145/3383313.3412236")

FACTS = (
    stated("towers", "one for the user and one for the ad, to save cost", PAPER),
    stated("interaction", "DCN and DCN v2 cross layers as building blocks", PAPER),
    stated("sharing", "MMoE and PLE over conversion events", PAPER),
    stated("events predicted together", "installs, purchases, sign-ups", PAPER),
    stated("losses", "binary cross entropy, several tasks, possibly auxiliary losses", PAPER),
    stated("calibration", "a layer after the model: Platt, isotonic or a small network", PAPER),
    stated("size", "hundreds of millions of parameters", PAPER),
    stated("PLE's levels", "two, with experts of a single layer", PLE),
    derived("join of the towers", "their outputs are concatenated", PAPER, why="two towers must meet"),
    known("main offline metric", "normalised cross entropy; below 1 beats the base rate"),
    unsure("order of the blocks, MMoE or PLE, widths", "not disclosed", PAPER, why="the diagram was not visible"),
    ours("swipe as a task", "predicted beside the other three", why="the blog names it only as an event to bid for"),
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
    unmeasured="The article gives no gain of a model, so none is printed.",
    misreadings={
        "Snap compared MMoE and PLE, and PLE won.": "The article has no such comparison.",
        "Snap uses DeepFM or Wide & Deep.": "They are only in its list of references.",
        "PLE's shared gate mixes the shared experts.": "It mixes all experts of its level.",
        "All gates of PLE read the raw input.": "Only those of the first level.",
        "Towers mean two-tower retrieval.": "Here they save cost inside a ranker; there is no dot product at the end.",
        "Calibration is checked for the model as a whole.": "For all major segments of the business.",
    },
    questions=(
        Question("Why calibrate here, and not always in a feed?",
                 "Bids are multiplied by the probabilities: a biased one changes price and winner and not only the "
                 "order.", "losses",
                 slip="Because ads have more data.", follow="The AUC rises and the log loss gets worse. Do you ship?",
                 then="No. The order is better, the probabilities are not: recalibrate and look again."),
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
    id="snapchat", place=5, company="Snapchat", name="DCN v2 and PLE", domain="ads", source=PAPER,
    lesson=LESSON,
    story="An auction weighs bids with probabilities, so an ad's probabilities must be right and not only in order. "
          "User and ad have towers of their own, cross layers multiply features, and experts serve several conversions. "
          "A calibration layer corrects the probabilities, which come out too high for ads that win the auction.",
    facts=FACTS, tasks=("swipe", "install", "purchase", "sign_up"),
    words={"representation": "ids", "interaction": "DCN v2", "concatenation": "join", "sharing": "PLE", "towers": "MLP",
           "losses": "BCE"},
)
