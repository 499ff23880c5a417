"""Kuaishou, short videos re-ranked on the phone: two attentions, MMoE, beam search (Gong et al., CIKM 2022)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.concatenation.join import Join
from rankzoo.components.losses.pointwise import Pointwise
from rankzoo.components.representation.auto_dis import AutoDis
from rankzoo.components.sequence.context_attention import ContextAttention
from rankzoo.components.sharing.mmoe import MMoE
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.facts import Size, Source, derived, known, ours, stated, unsure
from rankzoo.serving.arrange import Arrange
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Gong et al.", 2022, "Real-time short video recommendation on mobile devices", "CIKM 2022",
               "10.1145/3511808.3557065")
AUTODIS = Source("Guo et al.", 2021, "An embedding learning framework for numerical features in CTR prediction", "KDD 2021",
                 "10.1145/3447548.3467077")

BLUEPRINT = Blueprint(
    representation=AutoDis(dim=8, dims={"category": 16}, init=0.3, buckets=8),
    sequence=(ContextAttention(history="watched", heads=2, width=8), ContextAttention(history="placed", heads=2, width=8)),
    concatenation=Join(products=(("category", "watched"), ("category", "placed"))),
    sharing=MMoE(experts=4, widths=(32,)),
    towers=MlpTower(widths=(32, 16)),
    losses=Pointwise(),
    tasks=("has_next", "effective_view", "like"),
)

HEADS = stated("heads of each attention", "8 × 16, side by side", PAPER, at="figure 3")
EXPERTS = stated("experts", "12, hidden size 64, one gate per task", PAPER)
TOWERS = stated("towers", "128, 64, 32, 1 with ReLU", PAPER)

FACTS = (
    stated("place", "after the server's re-ranking: the rest of a page, on the phone, at every swipe", PAPER, at="section 3"),
    stated("attention", "the target asks the watch history, and the videos already placed", PAPER, at="figure 3"),
    stated("context", "history, videos placed before, slot, network; not the unplaced ones", PAPER,
           at="equation 1"),
    HEADS,
    stated("inputs without ids", "no user id, no video id; the server's predictions are inputs", PAPER, at="table 1"),
    stated("feedback", "of what was watched only; placed videos have none yet", PAPER, at="figure 3"),
    stated("differences with each past item", "predictions, time and position, crossed with category and feedback", PAPER,
           at="section 4"),
    stated("embeddings", "8 for floats (AutoDis) and feedback, 16 for duration and category", PAPER, path="representation.dims"),
    EXPERTS,
    TOWERS,
    stated("loss", "weighted sum of three log losses (the minus in the print is a misprint)", PAPER, at="equation 3",
           path="losses.kind"),
    stated("training", "Adam, learning rate 0.001, batch 1024", PAPER),
    stated("size", "1.32M parameters, below 6 MB on the phone", PAPER),
    stated("reward of a list", "what its videos are worth, times the chance that each is reached", PAPER, at="equations 4 and 5"),
    stated("beam search", "4 beams, stops at a stability of 0.95, on average after fewer than 3 steps", PAPER, at="algorithm 1"),
    stated("AUC without the watch history", "−0.0072 has_next, −0.0038 effective view, −0.0004 like", PAPER),
    stated("live gain with a greedy list", "+0.907 % effective view, +5.956 % like, +11.795 % follow", PAPER),
    stated("live gain with beam search", "+1.277 % effective view, +8.218 % like, +13.598 % follow", PAPER),
    stated("on the device, with beam search", "120.80 ms on Android, 49.39 ms on iOS", PAPER),
    derived("gates", "softmax of a linear map of the MMoE input", PAPER, why="not spelled out; the text cites MMoE",
            path="sharing.kind"),
    derived("weights of the two attentions", "separate", PAPER, why="the text speaks of another module"),
    known("soft buckets of a float", "softmax(W h + α h), h = LeakyReLU(w s)", AUTODIS, path="representation.kind"),
    unsure("number of soft buckets", 8, PAPER, why="not disclosed", path="representation.buckets"),
    unsure("length of the history, shared layer, weights of the tasks", "not disclosed", PAPER, path="losses.weights"),
    unsure("shared layer under the experts", "none", PAPER, why="drawn, not described", path="sharing.bottom"),
    ours("scale of the scores", "√ of a head's width", why="the paper names it the embedding dimension"),
    ours("heads here", "2 × 8", why="a tenth of the paper's size trains in seconds", path="sequence.0.heads"),
    ours("width of a head here", 8, why="see heads", path="sequence.0.width"),
    ours("heads for placed videos", "2 × 8", why="as for the history", path="sequence.1.heads"),
    ours("scores of past videos", "in seven levels, whose tables the candidate shares", path="representation.dim",
         why="past items hold ids; the levels have the floats' size, 8"),
    ours("differences with past videos", "of the score's level, crossed with feedback; of place for placed videos",
         why="the other crosses, of time and category, have nothing to find in these data"),
    ours("spread of the starting values", 0.3, why="with 0.05 the softmax stays flat", path="representation.init"),
    ours("products of category and context", "added", path="concatenation.products",
         why="stand for the hand-made crosses with the category; without them −0.009 AUC"),
    ours("experts here", "4 × 32", why="see heads", path="sharing.experts"),
    ours("expert width here", 32, why="see heads", path="sharing.widths"),
    ours("towers here", "32, 16", why="see heads", path="towers.widths"),
    ours("weights of the list reward", "1 for effective view, 2 for like", why="not disclosed"),
)

SYSTEM = System(
    id="kuaishou", place=10, company="Kuaishou", name="Two attentions and MMoE", domain="video", source=PAPER,
    story="A server cannot reorder a page that it has sent, and feedback reaches it late. "
          "A tiny model on the phone attends to what was just watched and to the videos already placed. "
          "A beam search then arranges the remaining videos as a list and stops once its beams agree.",
    blueprint=BLUEPRINT, dataset="lists", facts=FACTS, serving=Arrange(),
    industry=(Size("sequence.0.heads", 8, HEADS), Size("sequence.0.width", 16, HEADS),
              Size("sequence.1.heads", 8, HEADS), Size("sequence.1.width", 16, HEADS),
              Size("sharing.experts", 12, EXPERTS), Size("sharing.widths", (64,), EXPERTS),
              Size("towers.widths", (128, 64, 32), TOWERS), Size("concatenation.products", (), ours(
                  "products of category and context", "left out", why="they need vectors of one width, here 16 and 128"))),
    picture="attention", grew="mmoe",
    settings=TrainSettings(epochs=6, batch_size=512, lr=8e-3, schedule="cosine", patience=0),
)
