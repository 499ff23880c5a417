"""MMoE: several tasks share experts, and each task has its own gate over them (Ma et al., KDD 2018)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.sharing.mmoe import MMoE
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.facts import Source, ours, stated
from rankzoo.lesson import Lesson, Question
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Ma et al.", 2018, "Modeling task relationships in multi-task learning with multi-gate mixture-of-experts",
               "KDD 2018", "10.1145/3219819.3220007")

LESSON = Lesson(
    problem="One shared bottom forces all tasks into one representation; where they disagree, all of them lose.",
    why={
        "sharing": "Experts that all tasks may use, and for each task a gate of its own: one linear map and a softmax.",
        "towers": "A tower for each task, on its own mixture.",
    },
    measured=("engagement AUC at Google", "live gain over the shared bottom"),
    misreadings={
        "It is sparse and saves compute.": "All experts are computed; the softmax is dense.",
        "Gates are networks with hidden layers.": "One linear map, without bias.",
        "Equal mean gates mean that tasks do the same.": "Rows may differ where means do not: compare row by row.",
    },
    questions=(
        Question("You double the experts. How many parameters does the model gain?",
                 "The new experts, and a row in each gate for each of them.", "sharing",
                 number="gain", of="sharing.experts", slip="Forgetting the gates.", follow="How many experts are usual?",
                 then="Four to eight; watch entropy and redundancy."),
        Question("How many parameters do the gates own?",
                 "Input times experts, for each task, without bias.", "sharing",
                 number="gate parameters", slip="Adding biases and hidden layers.", follow="What if all gates were equal?",
                 then="It would be a mixture with one gate for all (OMoE)."),
        Question("How do you know that it helps?",
                 "Compare with single tasks' models of the same size, on several seeds; a shared bottom alone is too low a "
                 "bar.", "sharing",
                 slip="By looking at the gates.", follow="Tasks are unrelated and it does not help. Why?",
                 then="Every expert still gets gradients of all tasks."),
    ),
)

SYSTEM = System(
    id="mmoe", place=14, name="MMoE", source=PAPER, dataset="feed", picture="gates",
    lesson=LESSON,
    story="One model serves several tasks. Instead of one shared bottom there are several experts, and each task mixes them by "
          "a gate of its own, so that tasks that disagree can use different experts.",
    blueprint=Blueprint(
        representation=Embeddings(dim=16), sharing=MMoE(experts=4, widths=(32, 16)), towers=MlpTower(widths=(8,)),
        tasks=("click", "completion", "like", "dismiss")),
    facts=(stated("gates", "softmax of one linear map of the input, without bias", PAPER, at="section 4.2",
                  path="sharing.gate_input"),
           stated("experts", "identical MLPs with ReLU", PAPER, at="section 4.1"),
           stated("synthetic study", "8 experts of one layer of 16, towers of one layer of 8", PAPER, at="section 5.1"),
           stated("engagement AUC at Google", "0.6908, shared bottom 0.6900", PAPER, at="table 3"),
           stated("live gain over the shared bottom", "engagement +0.25 %, satisfaction +2.65 %", PAPER, at="table 4"),
           ours("experts", 4, why="two pairs of tasks; trains on a laptop", path="sharing.experts"),
           ours("expert widths", "32, 16", why="one layer of 16, as in the paper's synthetic study, learns less of the sample",
                path="sharing.widths"),
           ours("tower widths", 8, why="as in the paper's synthetic study", path="towers.widths")),
    grew="shared_bottom", adds="sharing", tagline="many tasks",
    answers="One shared bottom pulls unrelated tasks into one representation: let each task choose its mix.",
    settings=TrainSettings(epochs=8, batch_size=256, lr=4e-3, patience=0),
)
