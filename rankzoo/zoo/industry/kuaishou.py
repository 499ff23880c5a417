"""Kuaishou, short videos re-ranked on the phone: two attentions, MMoE, beam search (Gong et al., CIKM 2022)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.concatenation.join import Join
from rankzoo.components.losses.pointwise import Pointwise
from rankzoo.components.representation.auto_dis import AutoDis
from rankzoo.components.sequence.context_attention import ContextAttention
from rankzoo.components.sharing.mmoe import MMoE
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.facts import Size, Source, derived, known, ours, stated, unsure
from rankzoo.lesson import Lesson, Question
from rankzoo.serving.arrange import Arrange
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Gong et al.", 2022, "Real-time short video recommendation on mobile devices", "CIKM 2022",
               "10.1145/3511808.3557065")
AUTODIS = Source("Guo et al.", 2021, "An embedding learning framework for numerical features in CTR prediction", "KDD 2021",
                 "10.1145/3447548.3467077")

BLUEPRINT = Blueprint(
    representation=AutoDis(dim=8, dims={"category": 16, "duration": 16}, init=0.3, buckets=8),
    sequence=(ContextAttention(history="watched", heads=2, width=8), ContextAttention(history="placed", heads=2, width=8)),
    concatenation=Join(products=(("category", "watched"), ("category", "placed"))),
    sharing=MMoE(experts=4, widths=(32,)), towers=MlpTower(widths=(32, 16)), losses=Pointwise(),
    tasks=("has_next", "effective_view", "like"))

HEADS = stated("heads of each attention", "8 × 16, side by side", PAPER, at="figure 3")
EXPERTS = stated("experts", "12, hidden size 64, one gate per task", PAPER)
VALUES = stated("values of duration and category", "below 10,000 together; durations are cut at 1,800 s", PAPER, at="table 1")
BOTTOM = derived("shared layer at industry's size", "885: the width at which the count comes to the 1.32M that the paper states",
                 PAPER, at="figure 3", why="drawn, its width not told; with 10,000 values, 8 soft buckets, the crosses as here")
ROWS = "the difference of two rows of the table"
TOWERS = stated("towers", "128, 64, 32, 1 with ReLU", PAPER)

FACTS = (
    stated("place", "after the server's re-ranking: the rest of a page, on the phone, at every swipe", PAPER, at="section 3"),
    stated("attention", "the target asks the watch history and the videos placed", PAPER, at="figure 3", path="sequence.0.kind"),
    stated("context", "history, videos placed before, slot, network; not the unplaced ones", PAPER, at="equation 1"),
    stated("what only the phone knows", "network, seconds loaded and watched, slot, time, feedback", PAPER, at="table 1"),
    stated("inputs without ids", "no user id, no video id; the server's predictions are inputs", PAPER, at="table 1"),
    stated("feedback", "of what was watched only; placed videos have none yet", PAPER, at="figure 3"),
    stated("differences with each past item", "predictions, time and position × category and feedback", PAPER, at="section 4"),
    stated("embeddings", "8 for floats (AutoDis) and feedback, 16 for duration and category", PAPER, path="representation.dims"),
    stated("loss", "weighted sum of three log losses (the printed minus is a slip)", PAPER, at="equation 3", path="losses.kind"),
    stated("training", "Adam, learning rate 0.001, batch 1024", PAPER),
    stated("size", "1.32M parameters, below 6 MB on the phone", PAPER),
    HEADS, EXPERTS, TOWERS, VALUES, BOTTOM,
    stated("reward of a list", "what its videos are worth, times the chance that each is reached", PAPER, at="equations 4 and 5"),
    stated("beam search", "4 beams, stops at a stability of 0.95, on average after fewer than 3 steps", PAPER, at="algorithm 1"),
    stated("stability of 4 beams, step by step", "0.672, 0.942, 0.992, 0.994, 0.995", PAPER),
    derived("AUC without the watch history", "−0.0072 has_next, −0.0038 effective view, −0.0004 like", PAPER, why=ROWS),
    derived("AUC without the phone's own features", "−0.0253 has_next, −0.0020 effective view, −0.0001 like", PAPER, why=ROWS),
    derived("AUC without crosses and soft buckets", "−0.0188 has_next, −0.0084 effective view, −0.0283 like", PAPER, why=ROWS),
    stated("AUC of the server's scores", "0.7728 view, 0.9483 like; EdgeRec's 0.7812, 0.9432; the model's 0.7884, 0.9496", PAPER),
    stated("live gain with a greedy list", "+0.907 % effective view, +5.956 % like, +11.795 % follow", PAPER),
    stated("live gain with beam search", "+1.277 % effective view, +8.218 % like, +13.598 % follow", PAPER),
    stated("on the device, with beam search", "120.80 ms on Android, 49.39 ms on iOS", PAPER),
    derived("gates", "softmax of a linear map of the MMoE input", PAPER, why="not spelled out; cites MMoE", path="sharing.kind"),
    derived("weights of the two attentions", "separate", PAPER, why="another module, says the text"),
    known("soft buckets of a float", "softmax(W h + α h), h = LeakyReLU(w s)", AUTODIS, path="representation.kind"),
    ours("number of soft buckets", 8, why="not disclosed", path="representation.buckets"),
    unsure("network and loaded seconds enter as", "an id, and soft buckets like all floats", PAPER, why="not disclosed"),
    unsure("length of the history", "not disclosed", PAPER),
    ours("weights of the tasks", "1 each", why="not disclosed", path="losses.weights"),
    unsure("shared layer under the experts", "none", PAPER, why="drawn, not described", path="sharing.bottom"),
    ours("scale of the scores", "√ of a head's width", why="the paper names it the embedding dimension"),
    ours("heads here", 2, why="a tenth of the size trains in seconds", path="sequence.0.heads"),
    ours("width of a head here", 8, why="see heads", path="sequence.0.width"),
    ours("heads for placed videos", 2, why="as for the history", path="sequence.1.heads"),
    ours("scores of past videos", "in seven levels of width 8", why="past items hold ids", path="representation.dim"),
    ours("duration and seconds watched", "in seven intervals each", why="see heads; past items hold ids"),
    ours("differences with past videos", "in buckets: one id with the past video's category and, if watched, its feedback",
         why="how is not told; in a list each video counts as watched to its end, since a search cannot know better"),
    unsure("the candidate's own differences", "with the newest watched video", PAPER, why="drawn, not described"),
    ours("spread of the starting values", 0.3, why="with 0.05 the softmax stays flat", path="representation.init"),
    ours("products of category and context", "added", path="concatenation.products",
         why="stand for the hand-made crosses with the category; without them −0.009 AUC"),
    ours("experts here", 4, why="see heads", path="sharing.experts"),
    ours("expert width here", 32, why="see heads", path="sharing.widths"),
    ours("towers here", "32, 16", why="see heads", path="towers.widths"),
    ours("weights of the list reward", "1 for effective view, 2 for like", why="not disclosed"),
)

LESSON = Lesson(
    problem="A server answers with a page of videos and cannot reorder it any more. What the viewer just did reaches it late, "
            "and the slot and the network of the phone it never sees.",
    why={
        "representation": "No ids of users or videos: the server's predictions are inputs, cut softly into levels, so that the "
                          "model fits on a phone.",
        "sequence": "Two attentions ask with the candidate: what was watched, with its feedback, and what is placed already.",
        "interaction": "No layer: differences with past videos, crossed with category and feedback, are made by hand.",
        "concatenation": "Both attentions' outputs, the context and the candidate side by side.",
        "sharing": "Experts and a gate for each task: going on, watching and liking are related, but not alike.",
        "towers": "A small network for each task.",
        "losses": "A weighted sum of log losses; going on is a task too, as it decides whether the rest is seen.",
    },
    sure=("known", "stated", "stated", "stated", "derived", "stated", "stated"),
    measured=("AUC without the watch history", "AUC without the phone's own features", "AUC without crosses and soft buckets",
              "AUC of the server's scores", "live gain with a greedy list", "live gain with beam search",
              "on the device, with beam search"),
    misreadings={
        "The tasks are view, like and follow.": "The third is going on; follow is only measured online.",
        "The phone trains the model.": "It only runs it.",
        "It is self-attention over the history.": "It is target attention, with one query.",
        "Beam search improves the AUC.": "It makes the list; the AUC is the ranker's.",
        "The lift in follows is due to beam search.": "Most of it comes from the ranker with a greedy list.",
        "The search goes on to the end of the list.": "It stops once the beams agree, which is early.",
        "Videos that are not placed yet are encoded.": "They are left out on purpose.",
        "Slot and network are missing when serving.": "YouTube's position is; here the phone knows all it was trained on.",
        "The loss has the printed minus; n ≤ l is n ≤ 1.": "Both log terms are added; n goes up to l, the search's last step.",
        "Fifty candidates compete.": "That is another system's page, EdgeRec's; here a request has nine.",
    },
    questions=(
        Question("Why rank on the device?",
                 "Feedback counts at once, some signals only the phone has, and a page is reordered while it is read.", "",
                 slip="To save the server's compute.", follow="How can so small a model beat a huge one on the server?",
                 then="It reads the huge one's predictions and only models what has changed since.",
                 facts=("place", "inputs without ids", "size")),
        Question("Why two attention blocks?",
                 "One reads what was watched, with feedback. The other reads what is already placed, so that a list can be "
                 "searched in its context.", "sequence", slip="One for clicks and one for likes.",
                 follow="What differs between training and search there?",
                 then="In training the placed videos were watched; in the search they are hypothetical. They carry no feedback "
                      "in either.", facts=("attention", "feedback")),
        Question("How many numbers do the histories hold before attention reads them?",
                 "For each history its positions times the width of one past video, added up.", "sequence",
                 number="history numbers", slip="Forgetting the second history.", follow="Does a longer history add parameters?",
                 then="No: the same maps are used at every position. It adds multiplications."),
        Question("Why differences between the candidate's and past videos' predictions?",
                 "They show a change of mood: liked despite a low prediction, ignored despite a high one. The anchor is what was "
                 "just watched and not a lifetime.", "interaction", slip="To normalise the inputs.", follow="What is the price?",
                 then="The history must be built anew for each candidate.", facts=("differences with each past item",)),
        Question("You double the experts. How many parameters does the model gain?",
                 "Each expert is one layer on the joined vector, and each gate gets a row for each. The towers stay as they are.",
                 "sharing", number="gain", of="sharing.experts", slip="Counting larger towers too.",
                 follow="How many experts are too many for a phone?",
                 then="The budget decides: memory and milliseconds are measured on the device."),
        Question("Why is going on to the next video a task of the model?",
                 "Its probabilities multiply along the list: they say how likely each slot is reached at all. A video that "
                 "ends the session forfeits all that follows.", "losses",
                 slip="To have a third head for MMoE.", follow="What reward has a list then?",
                 then="The sum of what its videos are worth, each times the chance that it is reached.",
                 facts=("reward of a list",)),
        Question("Which inputs are worth most?",
                 "By what the AUC loses without them: slot, network and buffer for going on, where the watch history is third; "
                 "crosses and soft buckets for views and likes, where it is second.", "representation",
                 slip="The watch history, since it is the newest.", follow="How would you find that out on other data?",
                 then="Train without each kind on the same rows and seeds, and compare task by task.",
                 facts=("AUC without the phone's own features", "AUC without crosses and soft buckets",
                        "AUC without the watch history")),
        Question("EdgeRec reads the server's order of the candidates by a GRU. Why not here?",
                 "That order goes stale with the first video that is moved. What is really placed before is read instead, and a "
                 "list is searched in that context.", "sequence",
                 slip="A GRU is too slow for a phone.", follow="And the videos that are not placed yet?",
                 then="They are left out: that was checked offline and hardly matters.", facts=("context",)),
        Question("Why may the search stop after few steps?", "Only the next video is shown, and the beams soon agree on it.", "",
                 slip="Because long lists are never watched.", follow="When is the stopping rule wrong?",
                 then="When beams are close in score but begin with different videos: it stops all the same.",
                 facts=("beam search",)),
        Question("YouTube's position is missing when serving. And here?",
                 "The phone knows the real slot, network and buffer when it ranks: they are inputs. No server sees a stall.",
                 "representation", slip="They must be dropped out as there.", follow="What must hold for such an input?",
                 then="That it means the same in training and when serving.", facts=("what only the phone knows",)),
    ),
)

SYSTEM = System(
    id="kuaishou", place=10, company="Kuaishou", name="Two attentions and MMoE", domain="video", source=PAPER,
    story="A server cannot reorder a page that it has sent, and feedback reaches it late. "
          "A tiny model on the phone attends to what was just watched and to the videos already placed. "
          "A beam search then arranges the remaining videos as a list and stops once its beams agree.",
    blueprint=BLUEPRINT, dataset="lists", facts=FACTS, serving=Arrange(), picture="attention", grew="mmoe", lesson=LESSON,
    industry=(*(Size(f"sequence.{i}.{name}", n, HEADS) for i in (0, 1) for name, n in (("heads", 8), ("width", 16))),
              Size("sharing.experts", 12, EXPERTS), Size("sharing.widths", (64,), EXPERTS),
              Size("towers.widths", (128, 64, 32), TOWERS), Size("sharing.bottom", (885,), BOTTOM),
              Size("category", 8_199, VALUES, table=True), Size("duration", 1_801, VALUES, table=True),
              Size("concatenation.products", (), ours("products of category and context", "left out", why="need one width"))),
    plain={"sequence": [{"kind": "pooling", "history": "watched"}, {"kind": "pooling", "history": "placed"}],
           "concatenation.products": []},
    settings=TrainSettings(epochs=6, batch_size=512, lr=8e-3, schedule="cosine", patience=0))
