"""The industry table: eleven rows in the order of the brief, each with facts, a story and a word for what it uses."""
import re

import pytest

from rankzoo import registry
from rankzoo.blueprint import SLOTS, kinds
from rankzoo.facts import PROVENANCES
from rankzoo.system import System

TABLE = (
    ("youtube", "YouTube", 2019, "Zhao et al.", "recommending what video to watch next: a multitask ranking system",
     "RecSys 2019"),
    ("linkedin", "LinkedIn", 2021, "Ackerman and Kataria", "homepage feed multi-task learning using tensorflow",
     "LinkedIn Engineering, 3 June 2021"),
    ("tencent", "Tencent", 2022, "Bai et al.", "a contrastive sharing model for multi-task recommendation", "WWW 2022"),
    ("spotify", "Spotify", 2021, "Saravanou et al.",
     "multi-task learning of graph-based inductive representations of music content", "ISMIR 2021"),
    ("snapchat", "Snapchat", 2022, "Snap Engineering", "machine learning for snapchat ad ranking", "11 February 2022"),
    ("bytedance", "ByteDance", 2022, "Liu et al.",
     "monolith: real time recommendation system with collisionless embedding table", "2022"),
    ("alibaba", "Alibaba", 2022, "Zheng et al.", "multi-objective personalized product retrieval in taobao search", "2022"),
    ("huawei", "Huawei", 2022, "Bi et al.", "mtrec: multi-task learning over bert for news recommendation",
     "Findings of ACL 2022"),
    ("homedepot", "Home Depot", 2022, "Shalaby et al.", "m2trec: metadata-aware multi-task transformer for large-scale and "
     "cold-start free session-based recommendations", "RecSys 2022"),
    ("kuaishou", "Kuaishou", 2022, "Gong et al.", "real-time short video recommendation on mobile devices", "CIKM 2022"),
    ("microsoft", "Microsoft", 2021, "Wu et al.", "empowering news recommendation with pre-trained language models",
     "SIGIR 2021"),
)
DOI = {"youtube": "10.1145/3298689.3346997", "tencent": "10.1145/3485447.3512043", "spotify": "10.5281/zenodo.5624379",
       "kuaishou": "10.1145/3511808.3557065", "huawei": "10.18653/v1/2022.findings-acl.209",
       "microsoft": "10.48550/arXiv.2104.07413"}
FULL, FULL_AND_CODE, WITHOUT_DIAGRAM, PART = "text and figures", "text and the authors' code", "text without its diagram", "part"
READ = {"youtube": FULL, "linkedin": PART, "tencent": PART, "spotify": PART, "snapchat": WITHOUT_DIAGRAM,
        "bytedance": FULL_AND_CODE, "alibaba": PART, "huawei": PART, "homedepot": PART, "kuaishou": FULL,
        "microsoft": FULL_AND_CODE}
"""How much of its source stands behind a system. LinkedIn's post was read without its figures, formula and results; of
the papers of Tencent, Spotify, Alibaba, Huawei and Home Depot the abstract was, and what others write of them."""


def industry() -> list[System]:
    """The industry systems as the registry orders them."""
    return [system for system in registry.systems().values() if system.kind == "industry"]


each = pytest.mark.parametrize("system", industry(), ids=lambda system: system.id)


def test_the_eleven_rows_stand_in_the_order_of_the_brief():
    rows = [(s.id, s.company, s.source.year, s.source.by, s.source.title.lower()) for s in industry()]
    assert rows == [row[:5] for row in TABLE]
    assert [system.place for system in industry()] == list(range(1, 12))
    for system, row in zip(industry(), TABLE, strict=True):
        assert row[5] in system.source.short, system.id


def test_identifiers_are_those_of_the_sources():
    assert {system.id: system.source.doi for system in industry() if system.source.doi} == DOI


def test_a_source_that_was_not_read_in_full_makes_a_style():
    """A model bears «-style» where its source's text was not read in full, or its figures and tables were not seen and nothing of
    the authors' own says in their place how the network is built: of Snapchat's post the diagram is missing, and no code is
    known. ByteDance (a full translation) and Microsoft bear none: their texts were read in full, their figures and tables were
    not, but the text names the network and the authors' code was read. What only the tables hold is no fact of theirs tagged
    as read in the source."""
    styled = {system.id: "-style" in system.name for system in industry()}
    assert styled == {arch: read in (PART, WITHOUT_DIAGRAM) for arch, read in READ.items()}
    for system in industry():
        own = [fact for fact in system.facts if fact.tag == "code" and fact.source == system.source]
        assert (READ[system.id] != FULL_AND_CODE) or own, "the authors' code that was read backs some fact"
        assert READ[system.id] != FULL_AND_CODE or not any("table" in fact.at for fact in system.facts if fact.tag == "stated")


@each
def test_every_fact_says_where_it_is_from(system):
    assert len(system.facts) >= 6
    names = [fact.name for fact in system.facts]
    assert len(set(names)) == len(names)
    for fact in system.facts:
        assert fact.tag in PROVENANCES
        assert fact.name and fact.value and len(fact.value) <= 80, fact.name
        assert fact.source or fact.tag not in ("stated", "code", "derived"), fact.name
        assert fact.why or fact.tag not in ("derived", "ours"), fact.name


@each
def test_story_is_three_plain_sentences(system):
    sentences = re.split(r"(?<=[.?!])\s+", system.story)
    assert len(sentences) == 3
    assert all(re.fullmatch(r"[A-Z][^!?]*\.", sentence) for sentence in sentences)
    assert system.domain and system.blueprint.tasks


def test_task_names_fit_a_blueprint():
    for system in industry():
        assert 1 <= len(system.blueprint.tasks) <= 8 and len(set(system.blueprint.tasks)) == len(system.blueprint.tasks)
        assert all(re.fullmatch(r"[A-Za-z0-9_ ]{1,60}", name) for name in system.blueprint.tasks), system.id


@pytest.mark.parametrize("slot, kind", [(slot, kind) for slot in SLOTS for kind in kinds(slot)])
def test_a_component_leads_to_its_paper(slot, kind):
    """Where a paper has the component, one click leads to it; a post of a company has no DOI."""
    source = kinds(slot)[kind].source
    if source is not None and "Engineering" in source.venue:
        assert source.venue.startswith("LinkedIn Engineering, 3 June 2021")
    elif source is not None:
        assert re.fullmatch(r"https://doi\.org/10\.\d{4,}/\S+", source.url)
    else:
        assert (slot, kind) in {("concatenation", "join"), ("sharing", "direct"), ("towers", "bare"), ("losses", "pointwise")}
