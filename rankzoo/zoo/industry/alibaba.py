"""Alibaba, product search in Taobao: two towers, one score, four objectives in its loss (MOPPR; Zheng et al., 2022)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.losses.graded import Graded
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.sequence.ask import Ask
from rankzoo.components.sequence.fusion import Fusion
from rankzoo.components.sequence.lstm import Lstm
from rankzoo.components.sequence.query_unit import QueryUnit
from rankzoo.components.sequence.self_attention import SelfAttention
from rankzoo.components.towers.two_towers import TwoTowers
from rankzoo.facts import Size, Source, derived, known, ours, stated, unsure
from rankzoo.lesson import Lesson, Question
from rankzoo.serving.terms import Terms
from rankzoo.system import Before, Earlier, System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Zheng et al.", 2022, "Multi-objective personalized product retrieval in Taobao search",
               "arXiv 2210.04170, October 2022")
BEFORE = Source("Li et al.", 2021, "Embedding-based product retrieval in Taobao search (MGDSPR)", "KDD 2021")
BODY = "the text of MOPPR was not found"

BLUEPRINT = Blueprint(
    representation=Embeddings(dim=8, dims={"item.item": 32, "item.title": 32}, init=0.4),
    sequence=(
        Lstm(history="real_time", width=32),
        SelfAttention(history="real_time", heads=2, width=16), SelfAttention(history="short_term", heads=2, width=16),
        QueryUnit(history="query", earlier="earlier", heads=2, ffn=64), Ask(history="long_term", query="query", token=32),
        Ask(history="short_term", query="query"), Ask(history="real_time", query="query"),
        Fusion(history="query", heads=2),
    ),
    towers=TwoTowers(known=("title",)),
    losses=Graded(mode="moppr", random=512),
    tasks=("relevance", "exposure", "click", "purchase"),
)

KEPT = {"real-time clicks": "sequence.0.kind", "short-term clicks": "sequence.2.kind", "readings": "sequence.3.grains",
        "slot of zeros": "sequence.4.zero", "scores in attention": "sequence.4.scale", "fusion": "sequence.7.how",
        "towers": "towers.kind", "what products are known by": "towers.known"}
SIZES = stated("MGDSPR's sizes", "128 wide everywhere, 8 heads", BEFORE)
SERVED = stated("MGDSPR served", "100M products in clusters, 1 % of them scanned: 98 % of exact search in 10 ms", BEFORE)
LENGTHS = stated("MGDSPR's histories", "50 products in real time, 100 of 10 days, 100 of a month at most", BEFORE)

FACTS = (
    stated("objectives", "relevance, exposure, click and purchase, in this order", PAPER, at="abstract"),
    stated("samples", "several positives from the entire space", PAPER, at="abstract"),
    stated("loss", "a modified softmax", PAPER, at="abstract", path="losses.kind"),
    stated("compared with MGDSPR", "poor relevance and weak personalisation were to be mended", PAPER, at="abstract"),
    stated("live gain over MGDSPR", "+0.96 % transactions, +1.29 % GMV in 28 days", PAPER, at="abstract"),
    stated("MGDSPR's attention", "the query asks each history, with an all-zero slot", BEFORE),
    stated("MGDSPR's query", "five ways of reading and their sum, six vectors", BEFORE),
    stated("MGDSPR's real-time clicks", "LSTM, then self-attention", BEFORE),
    stated("MGDSPR's short-term clicks", "self-attention", BEFORE),
    stated("MGDSPR's long-term behaviour", "clicks, purchases, favourites of a month by item, shop, leaf, brand", BEFORE),
    stated("MGDSPR's fusion", "[CLS] and 24 tokens by self-attention, its first output", BEFORE),
    stated("MGDSPR's item", "e + tanh(W · mean of the title's words); nothing else helped", BEFORE),
    SIZES, LENGTHS, SERVED,
    stated("MGDSPR's score", "inner product of the user's and the item's vector", BEFORE),
    stated("MGDSPR's scores in attention", "inner products, not divided by √d", BEFORE),
    stated("MGDSPR's softmax temperature", "2: more relevant products at little cost", BEFORE),
    stated("MGDSPR's live gain", "+0.77 % GMV, +0.33 % transactions in 10 days", BEFORE),
    stated("MGDSPR's recall and relevance", "86.8 and 79.2 % at best; with harder negatives 84.7 and 80.0 %", BEFORE),
    stated("MGDSPR's temperature, relevant products", "70.8, 71.6, 76.8, 79.2, 79.3 % at 0.1, 1, 1.5, 2, 3", BEFORE),
    stated("MGDSPR's harder negatives", "0.4 of the positive at least, in the best random ones", BEFORE, path="losses.least"),
    stated("most of the positive in them", 0.6, BEFORE, path="losses.most"),
    ours("harder negatives here", "none", why="they belong to one positive (losses.mode single_pos)", path="losses.mixed"),
    stated("MGDSPR's training", "AdaGrad at 0.1, batches of 256, gradient norm cut at 3", BEFORE),
    stated("after the search", "a product must hold the query's key terms; earlier that took out about 30 %", BEFORE),
    ours("key terms", "two of the query's words", why="no tagger of queries stands behind the sample's"),
    derived("attention asks with the query, not the product", "products' vectors are made beforehand", BEFORE,
            why="the index of products is searched with one vector"),
    known("place", "the first stage: from billions of products to tens of thousands"),
    unsure("form of the modified softmax", "each positive meets negatives only", PAPER, why="reconstructed", path="losses.mode"),
    unsure("sharing", "none: four losses on one score", PAPER, why="one index needs one vector", path="sharing.kind"),
    ours("weights of the objectives, temperatures", "1 each; one for all", why=BODY, path="losses.weights"),
    unsure("where relevance labels come from", "a rule here", PAPER, why=BODY),
    *(unsure(part, "MGDSPR's", BEFORE, why="whether MOPPR kept it is not known", path=path) for part, path in KEPT.items()),
    ours("width of all vectors", 32, why="trains in seconds", path="representation.dims"),
    ours("past products", "id, title, category and brand, 80 numbers", why="what the sample's products have",
         path="sequence.2.token"),
    ours("category and brand of a past product", 8, why="see width", path="representation.dim"),
    ours("heads", 2, why="see width", path="sequence.7.heads"),
    ours("layers of the LSTM", 1, why="MGDSPR's two, with dropout 0.2, are not built, and not counted at industry's size"),
    ours("width of the LSTM", 32, why="as wide as all vectors", path="sequence.0.width"),
    ours("query", "its words", why="characters and segments need a language; maps stand for their tables",
         path="sequence.3.kind"),
    ours("long-term behaviour", "clicks alone, asked one by one", why="the sample has one kind of behaviour",
         path="sequence.4.token"),
    ours("one positive (losses.mode single_pos)", "against random products and grade 0", why="the list is there",
         path="losses.mode"),
    ours("random products", 512, why="with fewer, hardly one is of the query's own category", path="losses.random"),
    ours("words in a title that make a random product relevant", 0, path="losses.words",
         why="5 of the 512 are relevant unlisted; with 2 relevance finds .008 more of its products, purchase .011 fewer"),
    ours("temperature", 1, why="scores of 32 numbers are smaller than those of 128", path="losses.temperature"),
    ours("starting spread", 0.4, why="at 0.2 the query leaves long-term clicks alone in some seeds", path="representation.init"),
    ours("optimiser", "Adam", why="reaches the same in fewer steps here"),
)

LESSON = Lesson(
    problem="Retrieval by embeddings learned from clicks alone: it found products that were less relevant than those of the "
            "lexical channel and less personal than those of collaborative filtering.",
    why={
        "representation": "Ids and words of the query, of the product and of what was done before; in the predecessor the "
                          "query is read in several granularities.",
        "sequence": "The query asks the history, because the product is not known in the user's tower. A slot of zeros lets it "
                    "say that nothing fits.",
        "interaction": "Nothing: products are indexed beforehand, so user and product meet only in the inner product.",
        "concatenation": "In the predecessor the query's and the history's vectors are stacked, and attention makes them one.",
        "sharing": "Nothing: one index needs one vector for each product, so the objectives share one score.",
        "towers": "An inner product of the user's and the product's vector.",
        "losses": "Four nested objectives on one score, each a softmax in which positives do not compete with each other.",
    },
    sure=("unsure", "unsure", "derived", "unsure", "unsure", "unsure", "unsure"), measured=("live gain over MGDSPR",),
    misreadings={
        "It is a ranker with four heads.": "It is retrieval with one score; the four are terms of the loss (as we read it).",
        "The granularities and the stack of tokens are its own.":
            "They are the predecessor's; whether they were kept is not known.",
        "The paper is of KDD 2022.": "Lists say so; the record that was found is arXiv's alone.",
        "The live gain is over having no such retrieval.": "It is over the predecessor.",
        "Exposed means relevant.": "What was shown has passed rankers; relevant products may never have been shown.",
        "The predecessor's temperature fits everywhere.":
            "It fits inner products that are not normalised; cosines need a far smaller one.",
    },
    questions=(
        Question("Why does the query attend to the history, and not the candidate?",
                 "Products are encoded beforehand, so the user's tower knows none of them. The query is all that can select "
                 "from the past.", "sequence",
                 slip="Because target attention is too slow.", follow="Why is there a slot of zeros?",
                 then="A softmax must spend its weight; with the slot it can say that nothing in the past fits this query.",
                 facts=("MGDSPR's attention",)),
        Question("Why not four towers, or PLE?",
                 "One index holds one vector for each product and is asked once. The objectives are merged in the "
                 "loss.", "sharing", slip="The tasks are too alike.", follow="And what would four indexes cost?",
                 then="Four searches, and a fusion of candidates whose scores do not compare.", facts=("sharing",)),
        Question("Why is a positive kept out of the other positives' denominators?",
                 "In a plain softmax two true positives cannot both come near to one: they push each other down. Here each "
                 "meets negatives only.", "losses", slip="To save memory.", follow="Why are the objectives nested?",
                 then="A bought product is also clicked, exposed and relevant: it is pushed up by four terms.",
                 facts=("form of the modified softmax", "objectives")),
        Question("Shown and not clicked: positive or negative?",
                 "Both: positive for relevance and exposure, negative for click and purchase.", "losses",
                 slip="Negative.", follow="Why is training on clicks alone bad for relevance?",
                 then="Random negatives are easy, and a click reflects price and picture too."),
        Question("How is relevance finally made sure of?",
                 "After the search: a product stays only where its title holds the query's key terms, such as type, brand or "
                 "colour.", "", slip="By the loss alone.", follow="What does that cost?",
                 then="What is relevant under another word is lost, and places at the end of the list stay empty.",
                 facts=("after the search",)),
        Question("What does the temperature do?",
                 "Higher, it fits clicks less sharply and gives relevance more room, at little cost in recall.", "losses",
                 slip="It only scales the learning rate.", follow="Why a softmax rather than a hinge?",
                 then="Serving takes the best of all products: a softmax compares with all, a hinge with one.",
                 facts=("MGDSPR's softmax temperature",)),
        Question("How many numbers does the history hold before the query reads it?",
                 "For each list, the query's words among them, its positions times its width.", "sequence",
                 number="history numbers", slip="Counting the vector after the attention.", follow="And after it?",
                 then="As many as the query asks with, whatever the length."),
        Question("What share of the parameters lies in tables, in per cent?",
                 "Most of them, and the more the longer the tables of ids: towers of retrieval are small beside "
                 "them.", "representation",
                 number="embedding share", slip="Looking at the towers only.", follow="Why is recall measured and not AUC?",
                 then="Retrieval fills a set; in the predecessor AUC did not go along with sales."),
    ),
)

ONE = {"losses.mode": "single_pos", "losses.weights": {"relevance": 0, "exposure": 0, "purchase": 0}}
SYSTEM = System(
    id="alibaba", place=7, company="Alibaba", name="MOPPR-style", domain="products", source=PAPER, lesson=LESSON,
    story="Retrieval by embeddings found products that were less relevant and less personal than the other channels found. "
          "In its predecessor, and so here, the query attends to the user's history, and one inner product scores a product. "
          "Four objectives from relevant to bought are learned together: here all shape that one score, a reconstruction.",
    blueprint=BLUEPRINT, dataset="search", facts=FACTS, serving=Terms(), picture="grades",
    industry=(Size("representation.dims", {"item.item": 128, "item.title": 128}, SIZES),
              *(Size(at, 128, SIZES) for at in ("representation.dim", "sequence.0.width", "sequence.3.ffn", "sequence.4.token")),
              *(Size(f"sequence.{i}.heads", 8, SIZES) for i in (1, 2, 3, 7)), Size("item", 100_000_000, SERVED, table=True),
              *(Size(h, n, LENGTHS, history=True) for h, n in (("real_time", 50), ("short_term", 100), ("long_term", 100)))),
    plain=ONE, before=Before((Earlier("two towers", "two towers over averages, with one clicked product as the positive", ONE | {
        "sequence": [{"kind": "pooling", "history": name} for name in ("query", "real_time", "short_term", "long_term")],
        "towers.widths": [64, 32]}),), seconds=270),
    settings=TrainSettings(epochs=6, batch_size=128, lr=1e-2, schedule="cosine", patience=0),
)
