"""Tencent Kandian, a content feed: one network with a mask for each task (CSRec; Bai et al., WWW 2022)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.losses.pointwise import Pointwise
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.sharing.task_masks import TaskMasks
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.facts import Size, Source, code, known, ours, stated, unsure
from rankzoo.serving.fuse import Fuse
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Bai et al.", 2022, "A contrastive sharing model for multi-task recommendation", "WWW 2022",
               "10.1145/3485447.3512043")
PLE = Source("Tang et al.", 2020, "Progressive layered extraction (PLE)", "RecSys 2020", "10.1145/3383313.3412236")
SPARSE = Source("Sun et al.", 2020, "Learning sparse sharing architectures for multiple tasks", "AAAI 2020")

BLUEPRINT = Blueprint(
    representation=Embeddings(dim=8),
    sharing=TaskMasks(widths=(64, 32), kept=0.31, alpha=0.33, warmup_steps=300, round_steps=250, conflict="soft"),
    towers=MlpTower(widths=(16,)),
    losses=Pointwise(),
    tasks=("click", "read", "share", "hide"),
)

FACTS = (
    stated("problem", "a weight of two tasks gets updates that disagree", PAPER, at="abstract"),
    stated("update of such a weight", "relies more on the task that it impacts more", PAPER, at="abstract"),
    stated("contribution of a weight", "evaluated by a contrastive mask", PAPER, at="abstract"),
    stated("training", "alternates between the tasks", PAPER, at="abstract"),
    stated("datasets", "Tencent Kandian, Ali-CCP, Census-income", PAPER, at="abstract"),
    stated("sharing", "one large network and a binary mask for each task", SPARSE, path="sharing.kind"),
    stated("heads", "private to each task, never masked", SPARSE, path="towers.kind"),
    stated("pruned in a round", "0.1 of the weights that remain, the smallest first", SPARSE, at="algorithm 1"),
    stated("after a round", "weights are reset to where the search began", SPARSE, at="algorithm 1"),
    stated("weights that a task keeps", "25 to 56 %", SPARSE),
    stated("mask of a task", "the candidate that is best on development data", SPARSE, at="algorithm 1"),
    code("cut-off", "one over all layers", SPARSE, at="the authors' code, choosewhatulike/sparse-sharing"),
    code("biases", "never pruned", SPARSE, at="the authors' code, choosewhatulike/sparse-sharing"),
    known("losses", "cross entropy, one task in each step", path="losses.kind"),
    unsure("score of a weight", "|weight × gradient|, the first-order change of the loss without it", PAPER,
           why="a reconstruction; only the abstract was read"),
    unsure("say in a weight where tasks disagree", "in proportion to the scores", PAPER,
           why="a reconstruction; winner and none can be chosen too", path="sharing.conflict"),
    unsure("order of the tasks", "in turns, a batch each", PAPER, why="only the abstract was read", path="sharing.alternate"),
    unsure("pruned by", "magnitude, as in the method that it extends", PAPER, why="the score may decide this too",
           path="sharing.prune_score"),
    unsure("contrastive loss on representations", "none", PAPER, why="the abstract contrasts parameters"),
    unsure("tasks and sizes in the Kandian feed", "not known", PAPER, why="only the abstract was read"),
    ours("tasks", "click, read, share, hide", why="plausible in a feed; the sample's own", path="tasks"),
    ours("embedding size", 8, why="trains on a laptop", path="representation.dim"),
    ours("shared layers", "64, 32", why="small, and still more than one task needs", path="sharing.widths"),
    ours("tower widths", 16, why="a small private head", path="towers.widths"),
    ours("pruned in a round here", "a third", why="three rounds reach the share instead of eleven", path="sharing.alpha"),
    ours("share kept", "0.31", why="within the range of Sun et al.; every task keeps the last mask, none is picked",
         path="sharing.kept"),
    ours("steps before pruning", 300, why="the embeddings must say something first; they rest while masks are found",
         path="sharing.warmup_steps"),
    ours("steps of a round", 250, why="with fewer, the masks follow the common start alone", path="sharing.round_steps"),
    ours("step of a task", "the move is masked, not the gradient", why="Adam's momentum would else move other tasks' weights"),
    ours("score of an item", "product of the probabilities, hide counts against it", why="the paper's is not known"),
)

SYSTEM = System(
    id="tencent", place=3, company="Tencent", name="CSRec-style", domain="feed", source=PAPER,
    story="Tasks that share weights can hold each other back. "
          "Every task gets a mask that picks its own part of one large network. "
          "Where two tasks pull a shared weight in opposite directions, the one that depends on it more has more say.",
    blueprint=BLUEPRINT, dataset="masks", facts=FACTS, serving=Fuse(weights={"hide": -1.0}), picture="masks",
    grew="shared_bottom",
    industry=(Size("sharing.widths", (256, 128, 64), unsure("layers of a network per task", "256, 128, 64", PLE,
                                                            why="of another model from the same company, on Ali-CCP")),),
    settings=TrainSettings(epochs=85, batch_size=512, lr=1e-2, schedule="cosine", patience=0),
)
