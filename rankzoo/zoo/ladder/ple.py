"""PLE: own and shared experts in several levels, separated step by step (Tang et al., RecSys 2020)."""
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
    problem="CGC parts own from shared in a single step, though low features are useful to all tasks and high ones are not.",
    why={
        "sharing": "Several levels of own and shared experts. Below, the shared gate mixes everything; above, a task keeps to "
                   "its own and the shared ones: separation grows with depth.",
        "towers": "A tower for each task, on the last level's mixture.",
    },
    measured=("view-through AUC and completion error", "live gain over single tasks", "seesaw"),
    misreadings={
        "The shared gate mixes the shared experts.": "All experts of its level.",
        "All gates read the raw input.": "Only those of the first level.",
        "Every level has a shared gate.": "Not the last: nothing would read it.",
    },
    questions=(
        Question("How many parameters does the sharing own?",
                 "On each level the experts and the tasks' gates; a shared gate on all but the last. Above the first level "
                 "experts read narrower vectors.", "sharing",
                 number="parameters", of="sharing", slip="Multiplying the first level by the number of levels.",
                 follow="What does it become with one level?", then="CGC."),
        Question("What is the seesaw?",
                 "One task rises above its single model only while another falls below its own.", "sharing",
                 slip="Another word for negative transfer: there the joint model is worse as a whole.",
                 follow="How would you plot it?", then="Gain of one task against gain of the other.", facts=("seesaw",)),
        Question("Why levels instead of one wide CGC?",
                 "Routing is parted progressively: what is common is learned below by all, what is special above.", "sharing",
                 slip="Deeper is better.", follow="What do upper gates read?", then="What the level below mixed for them.",
                 facts=("gates above the first level read",)),
    ),
)

SYSTEM = System(
    id="ple", place=16, name="PLE", source=PAPER, dataset="feed", picture="gates", grew="cgc",
    lesson=LESSON,
    story="Levels of own and shared experts. Below, a shared gate still mixes the experts of all tasks; from level to level each "
          "task keeps more to itself, and on top it reads its own experts and the shared ones alone.",
    blueprint=Blueprint(
        representation=Embeddings(dim=16), sharing=PLE(levels=2, own=1, shared=2, widths=(32, 16)), towers=MlpTower(widths=(16,)),
        tasks=("click", "completion", "like", "dismiss")),
    facts=(stated("levels", "two, for every model of several levels", PAPER, path="sharing.levels"),
           stated("experts", "of a single layer; their number was tuned and is not given", PAPER),
           stated("gates above the first level read", "what the level below mixed for them, not the input", PAPER,
                  path="sharing.kind"),
           stated("shared gate", "mixes all experts of its level; the last level has none", PAPER),
           stated("networks of the paper", "256-128-64 with ReLU for each task", PAPER),
           stated("view-through AUC and completion error", "0.6831 and 0.1307; single tasks 0.6787 and 0.1321, MMoE 0.6803 and "
                  "0.1319", PAPER),
           stated("live gain over single tasks", "views +4.17 %, watch time +3.57 %; MMoE +1.94 % and +1.73 %", PAPER),
           stated("seesaw", "one task gains where another falls below its own model, when their relation differs from row to row",
                  PAPER),
           ours("own experts", 1, why="four tasks; trains on a laptop", path="sharing.own"),
           ours("shared experts", 2, why="one for each planted pair of tasks", path="sharing.shared"),
           ours("expert widths", "32, 16", why="a single layer in each level learns less of the sample", path="sharing.widths"),
           ours("tower widths", 16, why="with 8 a tower went silent in two of five seeds", path="towers.widths")),
    adds="sharing", tagline="levels",
    answers="CGC parts own from shared in one step: part them level by level.",
    settings=TrainSettings(epochs=8, batch_size=256, lr=4e-3, schedule="cosine", patience=0),
)
