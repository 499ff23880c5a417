"""Microsoft News: a pretrained language model as the encoder of the news (PLM-NR; Wu et al., SIGIR 2021)."""
from rankzoo.facts import Source, code, known, stated, unsure
from rankzoo.system import System

PAPER = Source("Wu et al.", 2021, "Empowering news recommendation with pre-trained language models", "SIGIR 2021")
AUTHORS = "the authors' code, wuch15/PLM4NewsRec"
TINY = Source("yflyl613", 2022, "Tiny-NewsRec, a later release of the code", "EMNLP 2022")

FACTS = (
    stated("input", "titles only", PAPER),
    stated("trained layers of the language model", "the last two", PAPER),
    stated("pooling of the words", "attention beats the average, which beats [CLS]", PAPER),
    stated("language models", "UniLM best; RoBERTa ahead of BERT", PAPER),
    stated("optimiser", "Adam, learning rate 1e-5, batch 128", PAPER),
    stated("live gain, NAML-UniLM in English", "+8.53 % clicks, +2.63 % page views", PAPER),
    stated("live gain, NAML-InfoXLM in 43 other markets", "+10.68 % clicks, +6.04 % page views", PAPER),
    code("history", "50 articles", PAPER, at=AUTHORS),
    code("loss", "softmax over 1 positive and 4 negatives", PAPER, at=AUTHORS),
    code("vector of an article", "256 wide", TINY),
    known("serving", "each article is encoded once; the score is a dot product"),
    unsure("sizes of the attention and of the vectors", "only in the code", PAPER, why="the paper does not print them"),
)

SYSTEM = System(
    id="microsoft", place=11, company="Microsoft", name="PLM-NR", domain="news", source=PAPER,
    story="News are short-lived, so the text has to say what an item is. "
          "A pretrained language model encodes each title, and attention over the clicked titles makes the user's vector. "
          "Only the encoder of the news is exchanged, and just its last two layers are trained.",
    facts=FACTS, tasks=("click",),
    words={"representation": "PLM", "sequence": "additive", "concatenation": "pool", "towers": "dot", "losses": "softmax"},
)
