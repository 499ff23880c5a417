"""YouTube, what to watch next: MMoE with a shallow tower for position bias (Zhao et al., RecSys 2019)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.losses.pointwise import Pointwise
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.sharing.mmoe import MMoE
from rankzoo.components.towers.biased import Biased
from rankzoo.facts import Size, Source, derived, ours, stated, unsure
from rankzoo.serving.fuse import Fuse
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Zhao et al.", 2019, "Recommending what video to watch next: a multitask ranking system", "RecSys 2019",
               "10.1145/3298689.3346997")

BLUEPRINT = Blueprint(
    representation=Embeddings(dim=16),
    sharing=MMoE(bottom=(128,), experts=4, widths=(64, 32), gate_dropout=0.1),
    towers=Biased(widths=(16,), by=("position", "device"), on=("click", "completion"), drop_position=0.1),
    losses=Pointwise(),
    tasks=("click", "completion", "like", "dismiss"),
)

FACTS = (
    stated("experts compared", "4 and 8", PAPER, at="table 1"),
    stated("one shared layer under the experts", "ReLU", PAPER, at="figure 2b, section 5.2.1"),
    stated("gates", "softmax of one linear map, without bias", PAPER, at="equation 2", path="sharing.kind"),
    stated("gates read", "the shared layer; the raw input made no substantial live difference", PAPER, at="section 5.2",
           path="sharing.gate_input"),
    stated("gate dropout", "10 %, renormalised", PAPER, at="section 5.2.4", path="sharing.gate_dropout"),
    stated("position dropout", "10 %", PAPER, at="section 4.4", path="towers.drop_position"),
    stated("position when serving", "missing", PAPER, at="section 4.4", path="towers.serve"),
    stated("side tower reads", "position and device", PAPER, at="figures 1 and 3", path="towers.by"),
    stated("side tower adds to", "the engagement heads: click and watch completion", PAPER, at="figure 3", path="towers.on"),
    stated("no sequence model in the ranker", "transplanted attention designs did not fit", PAPER, at="section 5.4.1"),
    stated("losses", "cross entropy for binary labels, squared error for regressions", PAPER, at="section 4.2"),
    stated("score", "a weighted multiplication of the predictions", PAPER, at="section 4.2"),
    stated("live gain of 8 experts", "+0.45 % engagement, +3.07 % satisfaction, at 6.1M multiplications", PAPER, at="table 1"),
    stated("live gain of the side tower", "+0.24 % engagement; position as an input −0.07 %", PAPER, at="section 5.3"),
    stated("gates that collapsed without dropout", "about 20 % of the distributed runs", PAPER, at="section 5.2.4"),
    derived("layers in an expert", "two", PAPER, at="figures 1 and 2b", why="drawn, not written"),
    derived("dismissal's loss", "cross entropy", PAPER, at="section 4.1", why="a behaviour predicted as a probability"),
    unsure("embedding size", "16", PAPER, why="not disclosed; 16 trains on a laptop", path="representation.dim"),
    unsure("shared layer", "128", PAPER, why="not disclosed", path="sharing.bottom"),
    unsure("expert widths", "64, 32", PAPER, why="not disclosed", path="sharing.widths"),
    unsure("tower widths", "16", PAPER, why="not disclosed", path="towers.widths"),
    unsure("weights of the tasks", "1 each", PAPER, why="not disclosed", path="losses.weights"),
    ours("experts", 4, why="the smaller of the two that the paper compares", path="sharing.experts"),
    ours("completion's loss", "squared error behind a sigmoid",
         why="fits both the drawn sigmoid and the squared loss of the text"),
    ours("learning rate of the side tower", "× 5", why="scalars that start at 0 stop short otherwise", path="towers.rate"),
    ours("weight of dismiss in the score", "−1", why="a dismissal counts against a video"),
)

SYSTEM = System(
    id="youtube", place=1, company="YouTube", name="MMoE with a bias tower", domain="video", source=PAPER,
    story="What to watch next. Four tasks share experts, and each has a gate that chooses its own mix. "
          "A side tower soaks up the effect of the position.",
    blueprint=BLUEPRINT, dataset="video", facts=FACTS, serving=Fuse(weights={"dismiss": -1.0}), picture="gates", grew="mmoe",
    industry=(Size("sharing.experts", 8, stated("experts of the better model", 8, PAPER, at="table 1")),),
    settings=TrainSettings(epochs=6, batch_size=256, lr=4e-3, schedule="cosine", patience=0),
)
