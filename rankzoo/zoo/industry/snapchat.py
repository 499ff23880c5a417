"""Snapchat, ad ranking: two towers, cross layers and multi-task experts (Snap Engineering, 2022)."""
from rankzoo.facts import Source, derived, known, ours, stated, unsure
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

SYSTEM = System(
    id="snapchat", place=5, company="Snapchat", name="DCN v2 and PLE", domain="ads", source=PAPER,
    story="An auction weighs bids with probabilities, so an ad's probabilities must be right and not only in order. "
          "User and ad have towers of their own, cross layers multiply features, and experts serve several conversions. "
          "A calibration layer corrects the probabilities, which come out too high for ads that win the auction.",
    facts=FACTS, tasks=("swipe", "install", "purchase", "sign_up"),
    words={"representation": "ids", "interaction": "DCN v2", "concatenation": "join", "sharing": "PLE", "towers": "MLP",
           "losses": "BCE"},
)
