"""OMoE: a mixture of experts with one gate for all tasks, MMoE's own point of comparison (Ma et al., KDD 2018)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.sharing.omoe import OMoE
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.facts import Source, ours, stated
from rankzoo.lesson import Lesson, Question
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Ma et al.", 2018, "Modeling task relationships in multi-task learning with multi-gate mixture-of-experts",
               "KDD 2018", "10.1145/3219819.3220007")

LESSON = Lesson(
    problem="A shared bottom treats all rows by the same weights.",
    why={
        "sharing": "Several experts, and one gate that mixes them row by row, for all tasks alike.",
        "towers": "A tower for each task, on the same mixture.",
    },
    measured=("synthetic study", "engagement AUC at Google"),
    misreadings={
        "One gate lets tasks choose.": "It chooses for rows; all tasks get the same mixture.",
        "It is only there to be used.": "It is the step between shared bottom and MMoE, to see what the gates add.",
    },
    questions=(
        Question("What can it do that a shared bottom cannot, and what not?",
                 "Treat rows differently. It cannot treat tasks differently.", "sharing",
                 slip="Separate tasks.", follow="What does it become with one expert?",
                 then="A shared bottom: the gate is always one."),
        Question("How many parameters does its gate own?",
                 "One linear map without bias: input times experts, once.", "sharing",
                 number="gate parameters", slip="Once for each task: that is MMoE.", follow="And in MMoE?",
                 then="Once for each task."),
        Question("Why build it at all?",
                 "As an ablation: the difference to MMoE is what gates of the tasks' own bring.", "sharing",
                 slip="It is cheaper by half.", follow="What did it show?",
                 then="A mixture alone trains better; with less related tasks it falls behind.", facts=("synthetic study",)),
    ),
)

SYSTEM = System(
    id="omoe", place=13, name="OMoE", source=PAPER, dataset="feed", picture="gates", grew="shared_bottom",
    lesson=LESSON,
    story="The shared network becomes several experts, and a gate mixes them row by row. There is one gate for all tasks: "
          "rows may use different experts, tasks may not. MMoE's authors built it to see what a gate for each task adds.",
    blueprint=Blueprint(
        representation=Embeddings(dim=16), sharing=OMoE(experts=4, widths=(32, 16)), towers=MlpTower(widths=(8,)),
        tasks=("click", "completion", "like", "dismiss")),
    facts=(stated("gate", "one for all tasks, softmax of one linear map of the input", PAPER, path="sharing.kind"),
           stated("experts", "identical MLPs with ReLU", PAPER, at="section 4.1"),
           stated("synthetic study", "loss between shared bottom and MMoE, and worse the less related the tasks", PAPER,
                  at="figure 4"),
           stated("engagement AUC at Google", "0.6893, shared bottom 0.6900, MMoE 0.6908", PAPER, at="table 3"),
           stated("income AUC on the census, mean", "0.9319, shared bottom 0.9295, MMoE 0.9359", PAPER),
           ours("experts", 4, why="as in the MMoE preset, so that only the gate differs", path="sharing.experts"),
           ours("expert widths", "32, 16", why="as in the MMoE preset", path="sharing.widths"),
           ours("tower widths", 8, why="as in the paper's synthetic study", path="towers.widths")),
    adds="sharing", tagline="one gate",
    answers="A shared network treats every row by the same weights: let a gate mix several, row by row.",
    settings=TrainSettings(epochs=8, batch_size=256, lr=4e-3, patience=0),
)
