"""Shared bottom: one network under the towers of all tasks (Caruana 1997; as in Ma et al., KDD 2018, equation 1)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.sharing.shared_bottom import SharedBottom
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.facts import Source, known, ours, stated
from rankzoo.lesson import Lesson, Question
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Caruana", 1997, "Multitask learning", "Machine Learning 28", "10.1023/A:1007379606734")
MMOE = Source("Ma et al.", 2018, "Modeling task relationships in multi-task learning with multi-gate mixture-of-experts",
              "KDD 2018", "10.1145/3219819.3220007")

LESSON = Lesson(
    problem="A model for each task repeats tables and compute, and leaves rare tasks to the few labels that they have.",
    why={
        "sharing": "One network for all tasks below, so that dense tasks help rare ones.",
        "towers": "A small tower for each task: what is its own.",
        "losses": "The sum of the tasks' losses: every task's gradient reaches the shared layers.",
    },
    measured=("live at Google, over single tasks", "loss when tasks are less related"),
    misreadings={
        "Sharing always helps.": "It helps related tasks; unrelated ones lose.",
        "Only the top of the network is shared.": "The bottom is: tables and lower layers.",
        "A gain over a shared bottom is a gain.": "Compare with single tasks as well.",
    },
    questions=(
        Question("When does it hurt?",
                 "When tasks are hardly related: their gradients pull the same weights in different directions.", "sharing",
                 slip="When one task has more rows.", follow="How do you see it coming?",
                 then="From the cosine of the tasks' gradients in the last shared layer.",
                 facts=("loss when tasks are less related",)),
        Question("How many parameters does the shared bottom own?",
                 "Its layers, once for all tasks.", "sharing",
                 number="parameters", of="sharing", slip="Times the number of tasks.", follow="What does a fifth task add?",
                 then="A tower and a logit."),
        Question("Why does a rare task gain?",
                 "Its vectors and lower layers are trained by the labels of the dense tasks.", "sharing",
                 slip="Because its loss has a larger weight.", follow="And the dense task?", then="It hardly moves."),
    ),
)

SYSTEM = System(
    id="shared_bottom", place=12, name="Shared bottom", source=PAPER, dataset="feed", grew="dnn",
    lesson=LESSON,
    story="One model serves several tasks. The lower layers are shared and every task has a small tower on them, so that rare "
          "tasks learn from what the frequent ones show. All tasks pull on the same layers, whether they agree or not.",
    blueprint=Blueprint(
        representation=Embeddings(dim=16), sharing=SharedBottom(widths=(64, 32)), towers=MlpTower(widths=(8,)),
        tasks=("click", "completion", "like", "dismiss")),
    facts=(known("hard sharing of the lower layers", "one network, a head per task", PAPER, path="sharing.kind"),
           stated("output of a task", "y_k = h_k(f(x))", MMOE, at="equation 1"),
           stated("synthetic study", "bottom of one layer of 113, towers of one layer of 8: as many weights as 8 experts of 16",
                  MMOE, at="section 5.1"),
           stated("loss when tasks are less related", "higher, falling with every step of the correlation", MMOE, at="figure 3"),
           stated("live at Google, over single tasks", "engagement −0.22 %, satisfaction +19.72 %", MMOE, at="table 4"),
           ours("shared layers", "64, 32", why="one layer of 64 stayed behind in two of five seeds", path="sharing.widths"),
           ours("tower widths", 8, why="as in the MMoE paper's synthetic study", path="towers.widths")),
    adds="sharing", tagline="shares layers",
    answers="A network for each task leaves rare tasks to the few labels that they have: share the lower layers.",
    settings=TrainSettings(epochs=8, batch_size=256, lr=4e-3, schedule="cosine", patience=0),
)
