"""Microsoft News: a pretrained language model as the encoder of the news (PLM-NR; Wu et al., SIGIR 2021)."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.concatenation.join import Join
from rankzoo.components.losses.listwise import Listwise
from rankzoo.components.representation.text_encoder import TextEncoder
from rankzoo.components.sequence.additive_attention import AdditiveAttention
from rankzoo.components.towers.dot_product import DotProduct
from rankzoo.facts import Size, Source, code, known, ours, stated, unsure
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

PAPER = Source("Wu et al.", 2021, "Empowering news recommendation with pre-trained language models", "SIGIR 2021",
               "10.48550/arXiv.2104.07413")
AUTHORS = "the authors' code, wuch15/PLM4NewsRec"
TINY = Source("yflyl613", 2022, "Tiny-NewsRec, a later release of the code", "EMNLP 2022")
NRMS = Source("Wu et al.", 2019, "Neural news recommendation with multi-head self-attention", "EMNLP 2019",
              "10.18653/v1/D19-1671")
BERT = Source("Devlin et al.", 2019, "BERT: pre-training of deep bidirectional transformers for language understanding",
              "NAACL 2019", "10.18653/v1/N19-1423")

BLUEPRINT = Blueprint(
    representation=TextEncoder(dim=32, layers=2, heads=4, ffn=64, pooling="attention", query=32, init=0.3),
    sequence=(AdditiveAttention(width=32, candidate=True),),
    concatenation=Join(fields=()),
    towers=DotProduct(bias=False),
    losses=Listwise(),
    tasks=("click",),
)

BASE = stated("language model", "base size: 12 layers of 768", PAPER)
QUERY = code("attention over words and over news", "additive, with a query of 200", PAPER, at=AUTHORS, path="sequence.0.kind")
HEADS = known("a base model", "12 heads, a feed-forward network four times as wide", BERT)
WORDS = known("vocabulary of BERT", "30,522 word pieces", BERT)

FACTS = (
    stated("input", "titles only", PAPER),
    stated("trained layers of the language model", "the last two", PAPER),
    stated("pooling of the words", "attention beats the average, which beats [CLS]", PAPER, path="representation.pooling"),
    stated("language models", "UniLM best; RoBERTa ahead of BERT", PAPER),
    stated("optimiser", "Adam, learning rate 1e-5, batch 128", PAPER),
    stated("live gain, NAML-UniLM in English", "+8.53 % clicks, +2.63 % page views", PAPER),
    stated("live gain, NAML-InfoXLM in 43 other markets", "+10.68 % clicks, +6.04 % page views", PAPER),
    BASE,
    code("history", "50 articles", PAPER, at=AUTHORS),
    code("loss", "softmax over 1 positive and 4 negatives", PAPER, at=AUTHORS, path="losses.kind"),
    QUERY,
    code("score", "dot product of user and news", PAPER, at=AUTHORS, path="towers.kind"),
    code("vector of an article", "256 wide", TINY),
    code("self-attention between words and pooling", "20 heads of 20 in one release, none in the other", PAPER, at=AUTHORS),
    stated("user encoder of NRMS", "self-attention, then additive attention", NRMS),
    known("serving", "each article is encoded once; the score is a dot product"),
    unsure("sizes of the attention and of the vectors", "only in the code", PAPER, why="the paper does not print them"),
    ours("encoder here", "2 layers of 32, 4 heads, from scratch", why="a small encoder of ours: trains on a laptop",
         path="representation.layers"),
    ours("layers that are trained", "all", why="nothing is pretrained, so nothing may be kept frozen"),
    ours("layer norm", "before", why="a few hundred steps are enough from scratch", path="representation.norm"),
    ours("query", 32, why="as wide as a news vector here", path="representation.query"),
    ours("user encoder here", "NAML's additive attention", why="what was deployed; self-attention before it makes NRMS",
         path="sequence.0.width"),
    ours("starting spread", 0.3, why="with 0.05 the first epoch is spent on growing the vectors", path="representation.init"),
    ours("learning rate here", "4e-3; of the words' vectors 5e-2", why="a word stands in few titles"),
    ours("bias of the score", "none", why="a softmax over an impression cannot learn it", path="towers.bias"),
    ours("joined vector", "nothing", why="the dot product reads the two vectors as they are", path="concatenation.fields"),
)

SYSTEM = System(
    id="microsoft", place=11, company="Microsoft", name="PLM-NR", domain="news", source=PAPER,
    story="News are short-lived, so the text has to say what an item is. "
          "A pretrained language model (here a small encoder of ours) encodes each title, and attention over the clicked titles "
          "makes the user's vector. "
          "Only the encoder of the news is exchanged, and just its last two layers are trained.",
    blueprint=BLUEPRINT, dataset="news", facts=FACTS, picture="attention", grew="nrms", tagline="text encoder",
    industry=(Size("representation.dim", 768, BASE), Size("representation.layers", 12, BASE),
              Size("representation.heads", 12, HEADS), Size("representation.ffn", 3_072, HEADS),
              Size("representation.query", 200, QUERY), Size("sequence.0.width", 200, QUERY),
              Size("title.word", 30_522, WORDS, table=True)),
    settings=TrainSettings(epochs=5, batch_size=320, lr=4e-3, table_lr=5e-2, schedule="cosine", patience=0),
)
