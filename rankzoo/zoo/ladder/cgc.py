"""CGC: experts of a task's own beside shared ones, mixed by the task's gate (Tang et al., RecSys 2020); PLE with one level."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.sharing.ple import PLE
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.facts import Source, ours, stated
from rankzoo.lesson import Lesson, Question
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Tang et al.", 2020, "Progressive layered extraction (PLE): a novel multi-task learning model for personalized "
               "recommendations", "RecSys 2020", "10.1145/3383313.3412236")

LESSON = Lesson(
    problem="MMoE's experts are open to all tasks, so tasks still disturb each other, and their gates end up alike.",
    why={
        "sharing": "Each task has experts of its own beside the shared ones; its gate sees those and no other task's.",
        "towers": "A tower for each task.",
    },
    measured=("view-through AUC and completion error", "live gain over single tasks"),
    misreadings={
        "A gate of zero would do the same in MMoE.": "In principle; in practice no gate went to zero.",
        "More experts make the difference.": "The forbidden paths do: no edge leads to another task's experts.",
        "The shared experts are gone.": "They stay; only what is shared is shared.",
    },
    questions=(
        Question("What distinguishes it from MMoE?",
                 "Own experts, and gates that see own and shared ones only.", "sharing",
                 slip="A second level: that is PLE.", follow="What does it become without own experts?",
                 then="MMoE with the shared ones."),
        Question("How many parameters do the gates own?",
                 "For each task, input times own and shared experts. There is no gate for the shared ones on a single "
                 "level.", "sharing",
                 number="gate parameters", slip="Times all experts of all tasks.", follow="Why no shared gate?",
                 then="Nothing above would read it."),
        Question("Which gradients reach a task's own experts?",
                 "Only its own loss's. The shared ones get those of all tasks.", "sharing",
                 slip="All losses', through the sum.", follow="And in PLE, below the last level?",
                 then="Others' too, through the shared gate."),
    ),
)

SYSTEM = System(
    id="cgc", place=15, name="CGC", source=PAPER, dataset="feed", picture="gates", grew="mmoe",
    lesson=LESSON,
    story="Every task gets experts of its own beside the shared ones, and its gate mixes these and no others. What only one task "
          "needs no longer moves what all tasks use.",
    blueprint=Blueprint(
        representation=Embeddings(dim=16), sharing=PLE(levels=1, own=1, shared=2, widths=(32, 16)), towers=MlpTower(widths=(8,)),
        tasks=("click", "completion", "like", "dismiss")),
    facts=(stated("a task's mixture", "its own experts and the shared ones, none of another task", PAPER, path="sharing.kind"),
           stated("gate", "softmax of one linear map of the input", PAPER),
           stated("levels", "one", PAPER, path="sharing.levels"),
           stated("experts", "of a single layer; their number was tuned and is not given", PAPER),
           stated("view-through AUC and completion error", "0.6832 and 0.1320; single tasks 0.6787 and 0.1321, MMoE 0.6803 and "
                  "0.1319", PAPER),
           stated("live gain over single tasks", "views +3.92 %, watch time +2.75 %; MMoE +1.94 % and +1.73 %", PAPER),
           stated("mean gate of view-through", "own experts 0.86, shared 0.14, where MMoE's gates are nearly the same", PAPER,
                  at="figure 8"),
           ours("own experts", 1, why="four tasks; trains on a laptop", path="sharing.own"),
           ours("shared experts", 2, why="one for each planted pair of tasks", path="sharing.shared"),
           ours("expert widths", "32, 16", why="as in the MMoE preset; one layer learns less of the sample",
                path="sharing.widths"),
           ours("tower widths", 8, why="as in the MMoE preset; the paper's networks are 256-128-64", path="towers.widths")),
    adds="sharing", tagline="own experts",
    answers="MMoE's tasks share every expert, so they still disturb each other: give each task experts of its own.",
    settings=TrainSettings(epochs=8, batch_size=256, lr=4e-3, schedule="cosine", patience=0),
)
