"""Kuaishou, short videos re-ranked on the phone: two attentions, MMoE, beam search (Gong et al., CIKM 2022)."""
from rankzoo.facts import Source, derived, ours, stated, unsure
from rankzoo.system import System

PAPER = Source("Gong et al.", 2022, "Real-time short video recommendation on mobile devices", "CIKM 2022",
               "10.1145/3511808.3557065")

FACTS = (
    stated("attention", "the target asks the watch history, and the videos already placed", PAPER, at="figure 3"),
    stated("heads of each attention", "8 × 16", PAPER),
    stated("inputs without ids", "no user id, no video id; the server's predictions are inputs", PAPER, at="table 1"),
    stated("experts", "12, hidden size 64, one gate per task", PAPER),
    stated("towers", "128, 64, 32, 1 with ReLU", PAPER),
    stated("training", "Adam, learning rate 0.001, batch 1024", PAPER),
    stated("size", "1.32M parameters, below 6 MB on the phone", PAPER),
    stated("beam search", "4 beams, stops at a stability of 0.95", PAPER),
    stated("live gain with beam search", "+1.277 % effective view, +8.218 % like, +13.598 % follow", PAPER),
    derived("gates", "softmax of a linear map of the MMoE input", PAPER, why="not spelled out; the text cites MMoE"),
    unsure("length of the history, weights of the tasks", "not disclosed", PAPER),
    ours("weights of the list reward", "1 for effective view, 2 for like", why="not disclosed"),
)

SYSTEM = System(
    id="kuaishou", place=10, company="Kuaishou", name="Two attentions and MMoE", domain="video", source=PAPER,
    story="A server cannot reorder a page that it has sent, and feedback reaches it late. "
          "A tiny model on the phone attends to what was just watched and to the videos already placed. "
          "A beam search then arranges the remaining videos as a list and stops once its beams agree.",
    facts=FACTS, tasks=("has_next", "effective_view", "like"),
    words={"representation": "AutoDis", "sequence": "2 × target", "concatenation": "join", "sharing": "12 experts",
           "towers": "MLP", "losses": "BCE"},
)
