"""NRMS: self-attention and additive attention make one vector of a user, a dot product scores (Wu et al., EMNLP 2019)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.concatenation.join import Join
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.sequence.additive_attention import AdditiveAttention
from rankzoo.components.sequence.self_attention import SelfAttention
from rankzoo.components.towers.dot_product import DotProduct
from rankzoo.facts import Source, code, known, ours, stated
from rankzoo.lesson import Lesson, Question
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Wu et al.", 2019, "Neural news recommendation with multi-head self-attention", "EMNLP 2019",
               "10.18653/v1/D19-1671")
CODE = "later code of its authors, wuch15/PLM4NewsRec and Tiny-NewsRec"
SUMMARY = Source("Third party", 2021, "A summary of the Fastformer paper (arXiv 2108.09084)")

LESSON = Lesson(
    problem="Where the candidate takes part, the history is read again for each candidate; news appear faster than ids learn.",
    why={
        "sequence": "Self-attention among the clicked news, then additive attention that pools them to one vector.",
        "concatenation": "Nothing is joined: the two vectors meet as they are.",
        "towers": "A dot product of user and news: one user vector serves all candidates.",
    },
    measured=("AUC on MIND",),
    misreadings={
        "Its weights follow the candidate.": "They do not know it: they say what an item is worth by itself.",
        "It has positions.": "It has none: the order of the history does not count.",
        "The loss is for each row.": "The paper's is a softmax inside the impression; here rows belong to none.",
    },
    questions=(
        Question("Does the user's vector change with the candidate?",
                 "No. It is computed once, and a dot product scores each candidate.", "towers",
                 slip="Yes, as in DIN.", follow="What is lost by that?", then="The past cannot be weighed for this candidate."),
        Question("How many parameters does the sequence own?",
                 "The maps of the heads, and of the pooling: a matrix, a bias and a query.", "sequence",
                 number="parameters", of="sequence", slip="Times the history's length.",
                 follow="Self-attention or pooling: what is the difference?",
                 then="Items read each other in the one; the other makes one vector of them."),
        Question("What does a shuffled history change?",
                 "Nothing: no positions, and both attentions sum over items.", "sequence",
                 slip="The last click weighs more.", follow="How would you add recency?",
                 then="As a field of the past item, such as its age."),
    ),
)

SYSTEM = System(
    id="nrms", place=20, name="NRMS", source=PAPER, dataset="history", picture="attention",
    lesson=LESSON,
    story="What a user has clicked is read twice: the clicked items read each other, then one learned question picks what "
          "matters. The result is one vector per user, whatever the candidate is, and a dot product with the candidate's vector "
          "scores.",
    blueprint=Blueprint(
        representation=Embeddings(dims={"item": 8, "topic": 16, "history.age": 4, "history.dwell": 4}, init=0.3),
        sequence=(SelfAttention(heads=2, width=12, scale=True, bias=False), AdditiveAttention(width=32, candidate=True)),
        concatenation=Join(fields=()), towers=DotProduct(), tasks=("click",)),
    facts=(known("heads", "softmax of eᵢᵀ Q eⱼ, one matrix Q per head", PAPER, path="sequence.0.kind"),
           stated("what a head lacks", "no W_O, feed-forward network, residual, layer norm or positions", PAPER),
           code("in the code", "W_Q and W_K, divided by the root of the width", PAPER, at=CODE, path="sequence.0.scale"),
           stated("size of the heads", "16 heads of 16 on words of 300 numbers", PAPER),
           stated("pooling", "additive attention with a query of 200", PAPER, path="sequence.1.kind"),
           stated("where", "over the words of a title, and again over the clicked news", PAPER),
           stated("score", "dot product of user and news", PAPER, path="towers.kind"),
           stated("loss in the paper", "softmax over 1 click and 4 others of its impression", PAPER),
           stated("training in the paper", "dropout 0.2, batch 64", PAPER),
           code("AUC on MIND", 0.6818, SUMMARY),
           ours("loss here", "cross-entropy by row", why="the rows of the sample belong to no impression", path="losses.kind"),
           ours("heads here", "2 heads of 12", why="as wide as the candidate, item 8 and topic 16: no map between them",
                path="sequence.0.heads"),
           ours("query", 32, why="trains on a laptop", path="sequence.1.width"),
           ours("embedding sizes", "item 8, topic 16, age 4, dwell 4", why="fit the sample data; a title has no words here",
                path="representation.dims"),
           ours("joined vector", "nothing", why="the dot product reads the two vectors as they are",
                path="concatenation.fields")),
    grew="bst", adds="towers", tagline="user vector",
    answers="BST runs once per candidate: leave the candidate out, and one vector per user serves all.",
    settings=TrainSettings(epochs=6, batch_size=512, lr=8e-3, schedule="cosine", patience=0),
)
