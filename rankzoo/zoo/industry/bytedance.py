"""ByteDance, BytePlus Recommend: a table without collisions under a DeepFM, trained online (Monolith; Liu et al., 2022)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.interaction.fm import FM
from rankzoo.components.representation.growing_table import GrowingTable
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.facts import Size, Source, code, derived, known, ours, stated, unsure
from rankzoo.lesson import Lesson, Question
from rankzoo.serving.online import Online
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Liu et al.", 2022, "Monolith: real time recommendation system with collisionless embedding table",
               "arXiv 2209.07663, 2022")
TEXT = "a full translation"
SUMMARY, NOTES = "a third party's summary", "a third party's notes"
CODE = "bytedance/monolith, commit 135c491"

FACTS = (
    stated("embedding table", "cuckoo hashing, so no two ids share a row", PAPER, at=TEXT, path="representation.index"),
    stated("admission", "an id enters once it was seen often enough, or by chance", PAPER, at=TEXT),
    stated("expiry", "a row goes after a time without activity", PAPER, at=TEXT),
    stated("model of the public experiments", "a standard DeepFM", PAPER, at=TEXT),
    stated("towers in production", "one for each behaviour", PAPER, at=TEXT),
    stated("updates sent to serving", "touched rows every minute, dense weights daily", PAPER, at=TEXT),
    stated("what a snapshot a day costs", "of 1000 servers one loses a day of updates every 10 days", PAPER, at=TEXT),
    stated("feedback that is lost then", "of 15,000 users out of 15 million a day", PAPER, at=TEXT),
    stated("online joiner", "pairs features and actions by the key of the request", PAPER, at=TEXT),
    stated("where features wait", "in a cache in memory, then in a key-value store on disk", PAPER, at=TEXT),
    stated("where negatives are sampled", "as they leave the joiner; the log-odds are put right after that", PAPER, at=TEXT),
    stated("baseline in production", "quotient-remainder sum: 2^48 ids in 2^25 rows", PAPER, at=TEXT),
    stated("first five days in a batch, then a stream", "each shard is scored before it is trained on", PAPER, at=TEXT),
    code("collision rates of the public experiment", "users 7.73 %, movies 2.86 %", PAPER, at=NOTES),
    derived("rows of the hashed table", "10^6 for each field", PAPER, at="table 1",
            why="MD5 mod 10^6 of that experiment's ids leaves 149,970 and 57,361 rows, counted here; the paper prints no M"),
    code("on Criteo, online against batch", "AUC 0.20 to 0.40 points higher", PAPER, at=SUMMARY),
    code("live ads, online against batch", "AUC +14 to +18 % on seven days; of which base is not said", PAPER, at=NOTES),
    stated("without collisions, on MovieLens", "a higher AUC from the first epoch on, and no overfitting later", PAPER, at=TEXT),
    stated("touched rows of a minute", "100,000 ids of 1,024 numbers are about 400 MB", PAPER, at=TEXT),
    code("admission threshold", "0, which is off", PAPER, at=CODE, path="representation.min_count"),
    code("expiry in the published code", "36,500 days, which is never", PAPER, at=CODE, path="representation.expire"),
    code("sync in the published code", "every 10 seconds on each server", PAPER, at=CODE),
    code("unknown id", "reads zeros; its row is made at the first update", PAPER, at=CODE),
    code("start of a row", "uniform between −0.05 and 0.05", PAPER, at=CODE, path="representation.init"),
    code("negatives that were sampled", "−ln r on the logit in training; the paper's text adds +ln r in serving", PAPER, at=CODE),
    known("loss", "binary cross entropy", PAPER, path="losses.kind"),
    known("first order", "a weight beside each vector", PAPER, path="representation.first_order"),
    unsure("optimiser, learning rate, batch, embedding size and layers", "not disclosed", PAPER),
    ours("embedding size", 8, why="not disclosed; enough for 6,000 ids", path="representation.dim"),
    ours("hidden layers", "32, 16", why="not disclosed", path="towers.widths"),
    ours("optimiser here", "row-wise Adam", why="not disclosed", path="settings.optimizer"),
    ours("learning rate", "4e-3", why="not disclosed", path="settings.lr"),
    ours("rows of a batch", "1,024", why="not disclosed", path="settings.batch_size"),
    ours("numbers", "value × vector", why="so that the machine can cross them on other data; these have none",
         path="representation.numeric"),
    ours("tasks", "one, the click", why="the public experiments have one; production's towers are not described", path="tasks"),
    ours("how long features wait", "4,000 requests, 1,000 of them in memory", why="not disclosed; actions take 1,000 on average, "
         "drawn, since the sample has no times"),
    ours("syncs", "24 of touched rows, 2 of all else", why="the stream of the sample stands for two days"),
    ours("rows at the start", "one for each id of the training part",
         why="the code makes a row at an id's first update; after one pass over the data all have one"),
)

LESSON = Lesson(
    problem="New ids arrive every minute and what people like drifts as fast. A table of fixed size makes ids share rows, and "
            "a model that was trained yesterday is stale today.",
    why={
        "representation": "A hash table in which every id has a row of its own, that grows, lets an id in once it was seen "
                          "often enough and drops it when it is no longer seen: this is the contribution.",
        "sequence": "Nothing is described.",
        "interaction": "The products of all pairs of fields, as in DeepFM: the public experiments use the standard model.",
        "concatenation": "The same vectors side by side are the input of the deep part.",
        "sharing": "Nothing in the public experiments; in production a tower for each behaviour, without experts named.",
        "towers": "The deep part of DeepFM, whose logit is added to that of the pairs.",
        "losses": "Cross entropy; where negatives were sampled, the log-odds are put right again.",
    },
    sure=("stated", "unsure", "stated", "known", "stated", "known", "known"),
    measured=("without collisions, on MovieLens", "collision rates of the public experiment", "on Criteo, online against batch",
              "live ads, online against batch", "what a snapshot a day costs"),
    misreadings={
        "Monolith is an architecture.": "It is a system for training and serving; the network in its tests is plain DeepFM.",
        "Collisionless means that hashes never collide.": "Buckets do clash, and keys are moved; two ids never share a vector.",
        "The production baseline was a plain hash.": "It was the sum of a quotient's and a remainder's row.",
        "The collision rate is the share of users that collide.":
            "It is the share of rows that are lost; about twice as many users share one.",
        "The gain in live ads comes from the table.": "It is online training against batch training.",
        "Everything is synchronised every minute.": "Only the rows that were touched; dense weights follow daily.",
        "An impression without a click is a negative at once.":
            "It waits for its action, and leaves as a negative once its window is over. Inside, Stream shows what waiting costs.",
        "The published demo repeats the paper.": "It has other data, another network and another loss.",
        "TikTok's ranker is described in full.": "Its features, towers, widths and the way it combines scores are not.",
    },
    questions=(
        Question("Why do collisions of ids hurt?",
                 "Two ids share a vector and its gradients, so the model cannot tell them apart. The harm follows traffic and "
                 "grows as ids grow.", "representation",
                 slip="They do not: hashing is harmless regularisation.",
                 follow="What about the sum of a quotient's and a remainder's vector?",
                 then="Every id has a sum of its own with far fewer rows, but ids are tied through the halves that they share.",
                 facts=("baseline in production",)),
        Question("Why cuckoo hashing?",
                 "Exact keys, a look-up that is constant in the worst case, and a table that may be rather full. Any exact map "
                 "is collisionless; cuckoo is a choice for speed.", "representation",
                 slip="Because its hash function has no collisions.", follow="How does the table stay bounded?",
                 then="An id enters after it was seen often enough, or by chance, and leaves after a time without activity.",
                 facts=("admission", "expiry")),
        Question("What share of the parameters lies in tables, in per cent?",
                 "Nearly all, as where ids are many: the network is small beside them. That is why the table is the subject of "
                 "a paper.", "representation",
                 number="embedding share", slip="Half and half.", follow="What does that mean for synchronising?",
                 then="Send the few rows that changed every minute, and the dense weights seldom.",
                 facts=("updates sent to serving",)),
        Question("A minute touches a hundred thousand ids. How many megabytes must be sent to the serving model?",
                 "Touched rows times the numbers of a row times four bytes. What did not change is not sent.", "representation",
                 number="sent megabytes", slip="Counting the whole table, or the dense weights: these follow daily.",
                 follow="Is it dangerous that the dense weights are older?",
                 then="They move slowly, and everybody reads them; no loss was seen.",
                 facts=("touched rows of a minute", "updates sent to serving")),
        Question("Were every id hashed into a table with one row for each id, how many rows would no id read?",
                 "One id misses a row with probability 1 − 1/n, and all n miss it with about 1/e: more than a third of the rows "
                 "is lost, and the ids crowd in the others.", "representation",
                 number="lost rows", slip="None: there is a row for each.",
                 follow="Is the share of rows that are lost the share of ids that share one?",
                 then="No. Where few are lost about twice as many ids share: of two that meet one row is lost.",
                 facts=("collision rates of the public experiment",)),
        Question("How many pairs of fields does the factorisation machine cross?",
                 "n fields make n · (n − 1) / 2 pairs, and each costs one inner product; by the square of the sum it takes no "
                 "more than one pass over the fields.", "interaction",
                 number="pairs", slip="n², with the field itself and both orders.",
                 follow="How many parameters do the pairs add?",
                 then="None beside the vectors that the deep part reads as well, and a first-order weight for each value."),
        Question("How do you compare online and batch training fairly?",
                 "Score each shard of the stream before training on it. The batch model gets the same shards and stays as it "
                 "is.", "losses",
                 slip="Train on all of it and test on the last day.", follow="Why keep only one snapshot a day?",
                 then="A lost server then costs a day of a small part of the updates, which did not show.",
                 facts=("first five days in a batch, then a stream", "what a snapshot a day costs",
                        "feedback that is lost then"), picture="stream"),
        Question("Negatives were sampled. What happens to the probabilities?",
                 "Kept with rate r, negatives become rarer and the log-odds rise by −ln r. Add ln r when serving, or put it "
                 "into the loss.", "losses",
                 slip="Nothing: the order is the same.", follow="Does the correction change the order?",
                 then="Not if r is the same everywhere; it does where r differs from row to row.",
                 facts=("where negatives are sampled",), picture="stream"),
        Question("A conversion arrives two days after the click. What joins it to its features?",
                 "The joiner keeps features by the request's key, first in memory and then on disk, and waits for the action. "
                 "Where they waited changes how much is read from disk, never what is joined.", "",
                 slip="It is thrown away.", follow="And what is trained before it arrives?",
                 then="Nothing while its window lasts; after that a negative that is false. A short window makes probabilities "
                      "too low; a long one takes memory, and the training learns later.",
                 facts=("online joiner", "where features wait"), picture="stream"),
    ),
)

SYSTEM = System(
    id="bytedance", place=6, company="ByteDance", name="Monolith with DeepFM", domain="platform", source=PAPER,
    lesson=LESSON,
    story="Ids keep growing, and what people like drifts within minutes. "
          "A factorisation machine and a deep network read a hash table that gives every id a row of its own. "
          "Training goes on online, behind a joiner at which impressions wait for their actions, and the touched rows reach the "
          "serving model every minute.",
    blueprint=Blueprint(representation=GrowingTable(dim=8, numeric="vector"), interaction=(FM(),),
                        towers=MlpTower(widths=(32, 16)), tasks=("click",)),
    dataset="ids", facts=FACTS, serving=Online(), picture="rows", grew="deepfm",
    industry=(Size("user_id", 162_542, known("users of the public experiment", "162,541", PAPER), table=True),
              Size("item_id", 59_048, known("films of the public experiment", "59,047", PAPER), table=True)),
    plain={"representation.index": "hash"},
    settings=TrainSettings(epochs=3, batch_size=1024, lr=4e-3, schedule="cosine", patience=0),
)
