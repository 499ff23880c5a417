"""YouTube, what to watch next: MMoE with a shallow tower for position bias (Zhao et al., RecSys 2019)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.losses.pointwise import Pointwise
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.sharing.mmoe import MMoE
from rankzoo.components.towers.biased import Biased
from rankzoo.facts import Size, Source, derived, ours, stated, unsure
from rankzoo.lesson import Lesson, Question
from rankzoo.serving.fuse import Fuse
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Zhao et al.", 2019, "Recommending what video to watch next: a multitask ranking system", "RecSys 2019",
               "10.1145/3298689.3346997")

BLUEPRINT = Blueprint(
    representation=Embeddings(dim=16),
    sharing=MMoE(bottom=(64,), experts=4, widths=(16, 8), gate_dropout=0.1),
    towers=Biased(widths=(16,), by=("position", "device"), on=("click", "completion"), drop_position=0.1),
    losses=Pointwise(weights={"completion": 3.0}),
    tasks=("click", "completion", "like", "dismiss"),
)

EXPERTS = stated("experts of the better model", 8, PAPER, at="table 1")
WIDTHS = derived("widths at industry's size", "1560, experts 390, 195, towers 390: the preset's × 24.375", PAPER,
                 at="table 1", why="not disclosed; so the count comes to the 6.1M multiplications that are stated")
COSTS = "the costs are multiplications"

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
    stated("losses", "cross entropy for binary labels, squared error for regressions", PAPER, at="section 4.2",
           path="losses.kind"),
    stated("score", "a weighted multiplication of the predictions", PAPER, at="section 4.2"),
    stated("live gain of 8 experts", "+0.45 % engagement, +3.07 % satisfaction at 6.1M, over a shared bottom of 3.7M", PAPER,
           at="table 1", why=COSTS),
    stated("live gain of a shared bottom as large", "+0.1 % engagement, +1.89 % satisfaction at 6.1M, over one of 3.7M", PAPER,
           at="table 1", why=COSTS),
    derived("live gain of the gates at equal cost", "+0.35 and +1.18 points, at 6.1M multiplications", PAPER, at="table 1",
            why="the difference of the two"),
    stated("live gain of the side tower", "+0.24 % engagement; position as an input −0.07 %", PAPER, at="section 5.3"),
    stated("live gain of an adversarial loss on the position", "+0.01 % engagement", PAPER, at="section 5.3"),
    stated("what the gains are of", "time spent on recommendations; answers to surveys", PAPER),
    stated("gates that collapsed without dropout", "about 20 % of the distributed runs", PAPER, at="section 5.2.4"),
    derived("layers in an expert", "two", PAPER, at="figures 1 and 2b", why="drawn, not written"),
    derived("dismissal's loss", "cross entropy", PAPER, at="section 4.1", why="a behaviour predicted as a probability"),
    unsure("widths of embeddings, shared layer, experts and towers", "not disclosed", PAPER),
    WIDTHS,
    ours("embedding size", 16, why="not disclosed; 16 trains on a laptop", path="representation.dim"),
    ours("shared layer", 64, why="not disclosed", path="sharing.bottom"),
    ours("expert widths", "16, 8", why="not disclosed; where one expert is enough, gates have nothing to choose",
           path="sharing.widths"),
    ours("tower widths", 16, why="not disclosed", path="towers.widths"),
    unsure("weights in the paper", "not disclosed", PAPER),
    ours("weights here", "completion 3, else 1", path="losses.weights",
         why="at 1 the squared error of a share, a sixth of a cross entropy, is hardly learned"),
    ours("experts", 4, why="the smaller of the two that the paper compares", path="sharing.experts"),
    ours("completion's loss", "squared error behind a sigmoid",
         why="fits both the drawn sigmoid and the squared loss of the text"),
    ours("learning rate of the side tower", "× 5", why="scalars that start at 0 stop short otherwise", path="towers.rate"),
    ours("weight of dismiss in the score", "−1", why="a dismissal counts against a video"),
)

LESSON = Lesson(
    problem="One list has to please in several ways at once, and some of them disagree: what is clicked is not always liked. "
            "Besides, logged clicks say partly where a video stood, because the last ranker put it there.",
    why={
        "representation": "Ids and properties of the video being watched, of the candidate, of the user and of the moment get "
                          "vectors; numbers join them as they are.",
        "sequence": "Nothing: what the user watched before is used by the candidate generators. Attention designs that were "
                    "tried in the ranker did not fit.",
        "interaction": "Nothing in the main path; the only cross is position with device, in the side tower.",
        "concatenation": "All vectors side by side: one shared layer cuts the long input down before the experts see it.",
        "sharing": "Experts that all tasks may use, and a gate for each task: tasks that disagree can lean on other experts, "
                   "at nearly the cost of one shared network.",
        "towers": "A small network for each task, and a side tower on position and device that is added to the engagement "
                  "logits only: it explains away what the position did.",
        "losses": "Cross entropy for what happens or does not, squared error for amounts; each row is scored by itself, so "
                  "that serving stays cheap.",
    },
    sure=("stated",) * 7,
    measured=("live gain of 8 experts", "live gain of a shared bottom as large", "live gain of the gates at equal cost",
              "live gain of the side tower", "live gain of an adversarial loss on the position",
              "gates that collapsed without dropout", "what the gains are of"),
    misreadings={
        "The gates read the raw features.": "They read the shared layer; the MMoE paper's own gates read the input.",
        "There is one dropout of ten per cent.": "There are two: on the gates, and on the position.",
        "The bias is added to every head.": "Only to the engagement heads, click and completion.",
        "Serving sets the position to 1, or cuts the tower off.":
            "The position is served as missing, a value that training has seen.",
        "The score is a weighted sum.": "It is a weighted product of the predictions.",
        "Eight experts beat four at the same cost.":
            "Eight experts cost more multiplications; equal costs are compared with a shared bottom.",
        "The ranker attends to the user's history.": "That stands in candidate generation.",
        "Engagement means clicks.": "The engagement that is reported is time spent.",
        "It is the ranker of Covington et al.": "That one, of the year 2016, weighs a logistic regression by watch time.",
    },
    questions=(
        Question("Why MMoE and not one shared bottom?",
                 "Tasks that are hardly related fight over the weights that they must share. With gates each task chooses its "
                 "own mix of experts, at nearly the same compute.", "sharing",
                 slip="Because MMoE is sparse and therefore cheaper. It is not: every expert is computed for every row.",
                 follow="Then why not only the best two experts for each row?",
                 then="There are few experts, a dense mix trains more easily, and it shares more. It is soft sharing and not a "
                      "way to save compute.",
                 facts=("live gain of 8 experts",)),
        Question("Why is there a shared layer under the experts?",
                 "The joined input is far wider than a layer: every expert that read it would pay for that width. It costs some "
                 "modularity, as all experts see the same mix.", "sharing",
                 slip="To make the network deeper.", follow="And what do the gates read?",
                 then="The shared layer as well; gates on the raw input made no substantial difference.",
                 facts=("one shared layer under the experts", "gates read")),
        Question("You double the experts. How many parameters does the model gain?",
                 "Each expert is a small network, so the cost grows linearly, and every gate gets a row for each new expert. "
                 "The embeddings do not change.", "sharing",
                 number="gain", of="sharing.experts", slip="Forgetting the gates: each of them gets new weights as well.",
                 follow="What could become worse with eight experts and only two tasks?",
                 then="Experts can be redundant or idle: look at the gates' entropy, and compare with a single task's model."),
        Question("How many parameters do all the gates have together?",
                 "A gate is one linear map without bias: what it reads times the number of experts, once for each task. Next "
                 "to the experts it is nothing.", "sharing",
                 number="gate parameters", slip="Taking a gate for a small network with hidden layers, or adding biases.",
                 follow="What is gate polarisation, and what helps?",
                 then="A softmax that ends on one or two experts. Gates are dropped out in training and the rest renormalised; "
                      "since then no run has ended so.",
                 facts=("gates that collapsed without dropout", "gate dropout")),
        Question("Why a side tower for the position, instead of the position as one more feature?",
                 "A deep network would mix position and relevance beyond untangling. A tower whose output is only added keeps "
                 "them apart: utility plus bias.", "towers",
                 slip="Because the position is not known in training. It is known there; it is missing when serving.",
                 follow="Why is the position dropped out in training?",
                 then="So that the missing value used in serving is trained, and the model does not lean on the position too "
                      "much.",
                 facts=("live gain of the side tower", "position dropout", "position when serving")),
        Question("Is the ranker unbiased after that?",
                 "No guarantee. It assumes that the bias adds to the logit and that items were seen at several positions; what "
                 "was relevant stood on top, and that confounding stays.", "towers",
                 slip="Yes, the tower removes position bias.", follow="How would you check it?",
                 then="Shuffle the results of a small part of the traffic, and compare the learned curve with the clicks "
                      "there."),
        Question("Four predictions, one list. How are they put together?",
                 "By a weighted product of the predictions, whose weights are set by hand against live metrics.", "losses",
                 slip="The weights of the losses do it. Those shape training; the order is made by the weights of the score.",
                 follow="Could the weights be learned?",
                 then="By black-box search on live metrics, for instance; by a model of long-term satisfaction, if there is a "
                      "label.",
                 facts=("score",)),
        Question("Why is it pointwise?",
                 "One pass for each candidate. Pairs and lists may model the order better, but must be scored together when "
                 "serving.", "losses",
                 slip="Because pointwise losses give the better order.", follow="Where would a list loss pay?",
                 then="Late in the pipeline, on few candidates that compete for one page."),
    ),
)

SYSTEM = System(
    id="youtube", place=1, company="YouTube", name="MMoE with a bias tower", domain="video", source=PAPER,
    lesson=LESSON,
    story="What to watch next. Four tasks share experts, and each has a gate that chooses its own mix. "
          "A side tower soaks up the effect of the position.",
    blueprint=BLUEPRINT, dataset="video", facts=FACTS, serving=Fuse(weights={"dismiss": -1.0}), picture="gates", grew="mmoe",
    industry=(Size("sharing.experts", 8, EXPERTS), Size("sharing.bottom", (1_560,), WIDTHS),
              Size("sharing.widths", (390, 195), WIDTHS), Size("towers.widths", (390,), WIDTHS)),
    plain={"sharing": {"kind": "shared_bottom", "widths": [64, 48, 32]}},  # as many multiplications, as in table 1
    settings=TrainSettings(epochs=6, batch_size=256, lr=4e-3, patience=0),
)
