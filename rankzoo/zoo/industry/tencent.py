"""Tencent Kandian, a content feed: one network with a mask for each task (CSRec; Bai et al., WWW 2022)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.losses.pointwise import Pointwise
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.sharing.task_masks import TaskMasks
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.facts import Size, Source, code, known, ours, stated, unsure
from rankzoo.lesson import Lesson, Question
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
    stated("a task beside an unrelated one", "F1 71.05 alone, 61.62 with hard, 71.46 with sparse sharing", SPARSE),
    stated("overlap of masks and gain over hard sharing", "0.18: +0.40; 0.20: +0.34; 0.50: +0.05", SPARSE),
    code("cut-off", "one over all layers", SPARSE, at="the authors' code, choosewhatulike/sparse-sharing"),
    code("biases", "never pruned", SPARSE, at="the authors' code, choosewhatulike/sparse-sharing"),
    known("losses", "cross entropy, one task in each step", path="losses.kind"),
    unsure("score of a weight", "|weight × gradient|, the first-order change of the loss without it", PAPER,
           why="a reconstruction; only the abstract was read", path="sharing.contribution"),
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
    ours("share kept", "0.31", why="within the range of Sun et al.", path="sharing.kept"),
    ours("mask of a task here", "the last of its rounds", path="sharing.pick",
         why="the best on validation rows can be chosen: mean AUC over three seeds .710 instead of .715"),
    ours("steps before pruning", 300, why="the embeddings must say something first; they rest while masks are found",
         path="sharing.warmup_steps"),
    ours("steps of a round", 250, why="with fewer, the masks follow the common start alone", path="sharing.round_steps"),
    ours("step of a task", "the move is masked, not the gradient", why="Adam's momentum would else move other tasks' weights"),
    ours("score of an item", "product of the probabilities, hide counts against it", why="the paper's is not known"),
)

LESSON = Lesson(
    problem="Tasks that share weights can hold each other back. Give each task its own part of one network, and some weights "
            "still belong to two tasks that pull in opposite directions.",
    why={
        "representation": "Embeddings, as in any ranker; they are left out of the pruning.",
        "sequence": "Nothing in the sources.",
        "interaction": "Nothing in the sources: any network can be the one that is shared.",
        "concatenation": "All vectors side by side are the input of the one network.",
        "sharing": "One network larger than any task needs, and a mask for each task that says which weights it uses. Where "
                   "two masks hold the same weight and the tasks disagree, the task that depends on it more has more say.",
        "towers": "A small head for each task, never masked.",
        "losses": "Cross entropy, one task in each step: the tasks take turns, so that it is visible who moves a weight.",
    },
    sure=("ours", "unsure", "unsure", "known", "unsure", "stated", "known"),
    measured=("a task beside an unrelated one", "overlap of masks and gain over hard sharing"),
    unmeasured="The abstract claims gains over other models offline and online; the numbers were not found, so none is "
               "printed. Those above are of the method that it extends, on texts.",
    misreadings={
        "It is contrastive learning of users or items.": "It contrasts a parameter's effect: with it and without it.",
        "Masks are learned by gradients or gates.": "In the method that it extends they are found by pruning, round by round.",
        "The sparsity is the share of weights that go.": "There it is the share that is kept.",
        "It needs weights for the tasks' losses.": "The tasks alternate, so none are needed.",
        "Masks are searched while the tasks train together.":
            "In the method that it extends these are two stages; whether it mixes them is not known.",
        "Every paper on CSRec is about this model.": "Others have that name as well; the DOI tells them apart.",
        "Kandian is Tencent Video.": "They are different products; PLE comes from the video one.",
    },
    questions=(
        Question("Hard, soft, expert, sparse sharing: what is the difference?",
                 "Hard: the same weights for all. Soft: copies that are kept alike. Experts: networks mixed by gates. Sparse: "
                 "one set of weights, and a mask for each task.", "sharing",
                 slip="Sparse sharing is MMoE with few experts.", follow="And what do masks route that gates do not?",
                 then="Gates mix outputs row by row; masks choose parameters once, for a task, and stay as they are when "
                      "serving."),
        Question("How many parameters does the shared network own, all masks together?",
                 "As many as one network: masks choose among its weights, they do not copy them.", "sharing",
                 number="parameters", of="sharing", slip="Multiplying by the number of tasks.",
                 follow="And what does serving cost?",
                 then="A pass through the network for each task; sparse weights rarely make it faster."),
        Question("After its rounds of pruning, how many weights of the shared network does a task keep?",
                 "Every round prunes the same share of what is left, so that the rest shrinks by powers; biases, embeddings and "
                 "heads stay whole.", "sharing",
                 number="kept weights", slip="Pruning the share of all weights in each round.",
                 follow="Do all layers keep the same share?",
                 then="No: the cut-off is one over all layers, so a layer with small weights loses more.",
                 facts=("weights that a task keeps", "cut-off")),
        Question("What does the lottery ticket have to do with it?",
                 "A large random network contains small ones that train as well from their own starting weights. Pruning the "
                 "smallest weights finds them, and that is why the weights are reset afterwards.", "sharing",
                 slip="The tickets are weights drawn at random.", follow="How would you test that a mask is worth something?",
                 then="Against random masks that keep as many weights and overlap as much.",
                 facts=("pruned in a round", "after a round")),
        Question("Each task has its own mask. Why can tasks still hurt each other?",
                 "A weight in two masks is pulled by each task in turn; opposite gradients waste or undo progress.", "sharing",
                 slip="Masks do not overlap, so they cannot.", follow="When does all this not help?",
                 then="When tasks are closely related: masks overlap, conflicts are few, and hard sharing is as good.",
                 facts=("problem", "update of such a weight")),
        Question("How does it differ from projecting conflicting gradients (PCGrad)?",
                 "PCGrad turns the whole gradients of two tasks. This decides for each weight, by how much each task depends "
                 "on it.", "losses",
                 slip="It is the same idea on another layer.", follow="What is «contrastive» here?",
                 then="The effect of a weight with it and without it, as the abstract can be read; no pairs of samples.",
                 facts=("score of a weight",)),
        Question("Why do the tasks take turns instead of adding up their losses?",
                 "Every step belongs to one task, so that competition for a weight is visible and no loss weights are "
                 "needed.", "losses",
                 slip="To save memory.", follow="What must an optimiser with momentum take care of?",
                 then="Its momentum moves weights outside the mask: the move must be masked, not only the gradient.",
                 facts=("training", "step of a task")),
        Question("Which weights are never masked, and why?",
                 "Embeddings, biases and heads. Embeddings say what a value is, for whatever task; a head belongs to one task "
                 "anyway.", "representation",
                 slip="None: the masks cover the whole model.", follow="Then can tasks still meet in the embeddings?",
                 then="Yes: there they share as in any hard sharing.", facts=("heads", "biases")),
        Question("How many multiplications does one example cost here, all tasks together?",
                 "The shared network runs once for each task, because each task masks other weights.", "sharing",
                 number="multiplications", slip="Counting one pass, as for a shared bottom.",
                 follow="What would a shared bottom of the same widths cost?", then="One pass, and then the heads."),
    ),
)

SYSTEM = System(
    id="tencent", place=3, company="Tencent", name="CSRec-style", domain="feed", source=PAPER,
    lesson=LESSON,
    story="Tasks that share weights can hold each other back. "
          "Every task gets a mask that picks its own part of one large network. "
          "Where two tasks pull a shared weight in opposite directions, the one that depends on it more has more say.",
    blueprint=BLUEPRINT, dataset="masks", facts=FACTS, serving=Fuse(weights={"hide": -1.0}), picture="masks",
    grew="shared_bottom",
    industry=(Size("sharing.widths", (256, 128, 64), unsure("layers of a network per task", "256, 128, 64", PLE,
                                                            why="of another model from the same company, on Ali-CCP")),),
    plain={"sharing": {"kind": "shared_bottom", "widths": [64, 32]}},
    settings=TrainSettings(epochs=85, batch_size=512, lr=1e-2, schedule="cosine", patience=0),
)
