"""Industry scale: what a source states or lets estimate is put in, the rest of the tables grow, and counts stay exact."""
from __future__ import annotations

import pytest
import torch

from rankzoo.document import Document
from rankzoo.inspection.memory import memory
from rankzoo.inspection.scale import CARD, FACTOR, Scaled, costs, growing, id_tables, industry, tables
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.schema import Feature, Schema
from tests.test_cli import answer, run

BUILT = list(systems())


@pytest.mark.parametrize("id", BUILT)
class TestEverySystem:
    def test_its_count_is_what_torch_would_hold(self, id: str):
        """Built on the meta device: no memory is taken."""
        large = Document.preset(id).industry()
        with torch.device("meta"):
            model = RankingModel(large.blueprint, large.schema)
        assert sum(weights.numel() for weights in model.parameters()) == large.count.parameters

    def test_every_size_is_taken_and_is_another_than_the_preset_s(self, id: str):
        document = Document.preset(id)
        large = document.industry()
        assert large.sizes == systems()[id].industry and large.factor == FACTOR
        for size in large.sizes:
            assert size.fact.source or size.fact.tag == "ours"
            if size.table:
                assert size.at in tables(document.schema())
            elif size.history:
                now, before = (every_list(schema)[size.at] for schema in (large.schema, document.schema()))
                assert now == size.value > before
            else:
                assert document.but([(size.at, size.value)]) != document

    def test_nothing_gets_smaller(self, id: str):
        document = Document.preset(id)
        count, large = document.blueprint.count(document.schema()), document.industry().count
        assert large.embedding >= count.embedding and large.dense >= count.dense


    def test_training_costs_the_same_wherever_it_is_told(self, id: str):
        """The counts' memory with a batch's activations, 4 bytes each for every example, is what the cards must hold."""
        document = Document.preset(id)
        batch = document.settings.batch_size
        for large in (Scaled("sample", document.blueprint, document.schema(), 1), document.industry()):
            found, told = costs(large, batch), memory(large.count, batch)
            assert (found["float32"], found["training"]) == (told["serving"], told["training"])
            assert found["activations"] == 4 * large.count.kept(batch) < found["training"]
            assert (found["cards"] - 1) * CARD < found["training"] <= found["cards"] * CARD

    def test_whatever_grows_is_named(self, id: str):
        """A count that rests on the factor says which ids have it: with these as they are, it is that of the sizes told."""
        document = Document.preset(id)
        large, schema = document.industry(), document.schema()
        told = {size.at for size in large.sizes if size.table}
        more = growing(document.blueprint, schema, told)
        as_they_were = industry(large.schema, 1, {name: long(schema)[name] for name in (*more.tables, *more.items)})
        rows, lengths = ({s.at: s.value for s in large.sizes if s.unit == unit} for unit in ("rows", "positions"))
        assert large.blueprint.count(as_they_were) == large.blueprint.count(industry(schema, 1, rows, lengths))


def every_list(schema: Schema) -> dict[str, int]:
    """How many positions each history has, and each list of an item."""
    of_items = every_list(schema.catalogue.schema) if schema.catalogue else {}
    return of_items | {history.name: history.length for history in schema.histories}


def long(schema: Schema) -> dict[str, int]:
    """How many rows each table has, and how many items there are."""
    of_items = long(schema.catalogue.schema) if schema.catalogue else {}
    return of_items | {f.name: f.vocabulary for f in schema.categorical}


IDS = {"youtube": {"query_id", "cand_id", "user_id"}, "tencent": {"creator"}, "snapchat": {"advertiser"}, "dnn": {"advertiser"},
       "bytedance": {"user_id", "item_id"}, "alibaba": {"item"}, "din": {"item"}, "linkedin": set(), "spotify": set(),
       "huawei": set(), "microsoft": set(), "homedepot": set(), "kuaishou": set(), "ple": set()}
ITEMS = {"spotify": {"track"}, "huawei": {"news"}, "microsoft": {"news"}, "homedepot": {"product"}}
"""What is scored or encoded one by one although nothing of it is a parameter."""


@pytest.mark.parametrize("id", IDS)
def test_only_ids_grow(id: str):
    """Users, items, queries, advertisers; no words, groups, categories or counts, and no table of items that the model lacks."""
    document = Document.preset(id)
    schema, blueprint = document.schema(), document.blueprint
    found = growing(blueprint, schema)
    assert set(found.tables) == IDS[id] and set(found.items) == ITEMS.get(id, set())
    before, after = blueprint.count(schema), blueprint.count(industry(schema, 10))
    grown = {part.path.split(".")[-1] for part, old in zip(after.parts, before.parts, strict=True)
             if part.parameters != old.parameters} - {"first_order"}
    assert grown == IDS[id] and (after.parameters > before.parameters) == bool(IDS[id])


def test_ids_are_known_by_their_names():
    """As files call them; what only sounds like an id is none."""
    names = ("userId", "movie_id", "uid", "item id", "ID", "Track", "creator", "paid", "grid", "user_group", "valid")
    schema = Schema(tuple(Feature(name, "categorical", 9) for name in names), ())
    assert set(id_tables(schema)) == {"userId", "movie_id", "uid", "item id", "ID", "Track", "creator"}


def test_a_catalogue_costs_nothing_where_items_are_known_by_attributes():
    """M2TRec's few thousand rows however many products there are; MGDSPR's 100 million products are read, 128 numbers each."""
    homedepot, alibaba = (Document.preset(id).industry() for id in ("homedepot", "alibaba"))
    assert homedepot.schema.catalogue.schema.feature("product").vocabulary > 10**8 and homedepot.count.parameters < 10**6
    assert alibaba.count.within("representation.item.item").parameters == 100_000_000 * 128


@pytest.mark.parametrize(("id", "item"), [(id, item) for id, items in ITEMS.items() for item in items])
def test_items_without_a_table_are_said_to_grow(id: str, item: str):
    """150 million products and FLOPs to score them are no source's: the command says so as it says it of a table."""
    assert f"items ({item}) × 100,000 (our choice)" in run("show", id, "--scale", "industry").stdout
    assert answer("show", id, "--scale", "industry")["scale"]["items"] == [item]


def test_whose_code_a_size_is_from_is_said():
    """Not the paper's, of which the code is another's."""
    assert "(code: width of the attention over news, 128; Bi et al., Findings of ACL 2022, re-implementation by Floris6D)" in run(
        "show", "huawei", "--scale", "industry").stdout


def test_the_paper_s_experts_by_hand():
    """YouTube: 177 → 1,560, eight experts of 1,560 → 390 → 195, four gates of 1,560 × 8, four towers of 195 → 390 → 1 beside a
    side tower of 54; tables of three ids × 100,000."""
    document = Document.preset("youtube")
    count, large = document.blueprint.count(document.schema()), document.industry()
    assert large.blueprint.sharing.experts == 8
    experts, gates = 8 * (1_560 * 390 + 390 + 390 * 195 + 195), 4 * 1_560 * 8
    assert large.count.dense == 177 * 1_560 + 1_560 + experts + gates + 4 * (195 * 390 + 390 + 390 + 1) + 54
    assert large.count.embedding - count.embedding == 16 * (FACTOR - 1) * (301 + 601 + 501)


def test_what_is_counted_beside_a_stated_cost_is_that_cost():
    """Table 1 has 6.1 million multiplications: the widths, which nobody tells, are the preset's, all of them times 24.375."""
    document = Document.preset("youtube")
    large = document.industry()
    assert round(large.count.flops / 2 / 100_000) == 61
    for size in large.sizes[1:]:
        path = size.at.split(".")
        here = getattr(getattr(document.blueprint, path[0]), path[1])
        assert size.fact.tag == "derived" and tuple(24.375 * width for width in here) == size.value
    assert "so the count comes to the 6.1M multiplications" in run("show", "youtube", "--scale", "industry").stdout


def test_a_stated_history_is_read_in_full():
    """MGDSPR's 50, 100 and 100 past products and not the sample's 10, 20 and 20; fifty clicked news for a reader of news: no
    parameter more, and their operations times as many. On other data nothing is known of a history."""
    for id, lengths, title in (("alibaba", {"real_time": 50, "short_term": 100, "long_term": 100}, {}),
                               ("microsoft", {"clicked": 50}, {"title": 24}), ("huawei", {"clicked": 50}, {"title": 20})):
        document = Document.preset(id)
        large, schema = document.industry(), document.schema()
        assert {size.at: size.value for size in large.sizes if size.history} == lengths | title
        rows = {size.at: size.value for size in large.sizes if size.table}
        shorter = large.blueprint.count(industry(schema, rows=rows, lengths=title))
        assert large.count.parameters == shorter.parameters
        part = {"alibaba": "sequence.0.state"}.get(id, "sequence.0.map")
        assert large.count.within(part).flops == 5 * shorter.within(part).flops
    assert not [size for size in Document.preset("microsoft").on("history")[0].industry().sizes if size.history]
    assert "real_time = 50 positions (stated: MGDSPR's histories, " in run("show", "alibaba", "--scale", "industry").stdout


def test_a_title_is_as_long_as_its_source_says():
    """Twenty words of MTRec's titles, each with a vector of its position, [CLS] before them and a tag for each; 24 of PLM-NR's.
    Twelve blocks over 48.1 million titles of so many tokens: 2 FLOPs for each weight of a block (4 d² of attention, 8 d² behind
    it), and twice the map of n by n."""
    for id, tokens in (("huawei", 21), ("microsoft", 25)):
        large = Document.preset(id).industry()
        assert large.count.within("representation.positions").parameters == tokens * 768
        blocks = 12 * (tokens * 2 * 12 * 768**2 + 2 * 2 * tokens**2 * 768)
        assert large.count.within("representation.block").once == 48_100_000 * blocks
    (names,) = Document.preset("huawei").industry().count.within("towers.head.entities").parts
    assert names.output == (20, 4)


def test_what_was_changed_by_hand_stays():
    document = Document.preset("youtube")
    assert document.but([("sharing.experts", 3)]).industry().blueprint.sharing.experts == 3
    other = document.but([("sharing.kind", "omoe")]).industry()
    assert [size.at for size in other.sizes] == ["towers.widths"]
    assert other.blueprint.sharing.experts == other.blueprint.sharing.__class__().experts


def test_a_size_that_cannot_stand_is_left_out():
    """Huawei's twelve heads share no 40 numbers; the others are taken, and the count stands."""
    document = Document.preset("huawei").but([("representation.dim", 40)])
    large = document.industry()
    assert "representation.heads" not in [size.at for size in large.sizes] and large.blueprint.representation.dim == 40
    assert large.count.parameters > document.blueprint.count(document.schema()).parameters


def test_other_data_have_no_known_tables():
    assert Document.preset("bytedance").on("census")[0].industry().sizes == ()


def test_a_row_that_scores_every_item_is_a_request():
    """Alibaba's towers meet all products at once; YouTube's network runs for every candidate."""
    for id, times in (("alibaba", 1), ("youtube", 200)):
        document = Document.preset(id)
        found = costs(Scaled("sample", document.blueprint, document.schema(), 1), 256, candidates=200)
        count = document.blueprint.count(document.schema())
        assert found["flops_per_request"] == times * count.flops and found["flops_once"] == count.once
        assert found["flops_request"] + 200 * found["flops_candidate"] == found["flops_per_request"]


def test_a_known_table_has_its_own_length():
    schema = Document.preset("bytedance").schema()
    large = industry(schema, rows={"user_id": 162_542})
    assert large.feature("user_id").vocabulary == 162_542
    assert large.feature("item_id").vocabulary == FACTOR * schema.feature("item_id").vocabulary


def test_snapchat_has_the_hundreds_of_millions_that_are_stated():
    """20 million rows of 16 numbers for what an ad's id would be; an estimate, and marked as one."""
    large = Document.preset("snapchat").industry()
    (size,) = (size for size in large.sizes if size.table)
    assert (size.at, size.value, size.fact.tag) == ("advertiser", 20_000_000, "unsure") and "estimate" in size.fact.why
    assert large.schema.feature("advertiser").vocabulary * 16 == 320_000_000 < large.count.parameters < 10**9


def test_a_short_table_grows_where_a_source_tells():
    """Kuaishou's category and duration have nine and eight rows here and 10,000 together there, 16 numbers each, also where a
    history looks them up; tables of what is crossed by hand stay as they are. With a shared layer of the derived width the count
    comes to the 1.32M that the paper states, and without it to less than half of it."""
    document = Document.preset("kuaishou")
    large, sample = document.industry(), document.schema()
    rows = {name: {sample.feature(name).vocabulary, large.schema.feature(name).vocabulary} for name in ("category", "duration")}
    assert rows == {"category": {9, 8_199}, "duration": {8, 1_801}} and 16 * (8_199 + 1_801) == 160_000
    assert all({f.name: f.vocabulary for f in h.fields}["category"] == 8_199 for h in large.schema.histories)
    assert "view_gap" in sample.made and large.schema.feature("view_gap") == sample.feature("view_gap")
    assert round(large.count.parameters / 1e6, 2) == 1.32
    (bottom,) = (size for size in large.sizes if size.at == "sharing.bottom")
    assert bottom.fact.tag == "derived" and bottom.fact.value.startswith(f"{bottom.value[0]}: the width")
    without = large.blueprint.model_copy(update={"sharing": large.blueprint.sharing.model_copy(update={"bottom": ()})})
    assert without.count(large.schema).parameters < 0.6e6


def test_mgdspr_is_128_wide_everywhere():
    """Every vector of a product, of a word, of the query's network and of the user at industry's size."""
    large = Document.preset("alibaba").industry()
    representation, sequence = large.blueprint.representation, large.blueprint.sequence
    assert {representation.dim, *representation.dims.values(), sequence[3].ffn, sequence[0].width, sequence[4].token} == {128}
    assert {layer.heads * layer.width for layer in sequence[1:3]} == {128}
    assert [large.count.within(f"representation.item.{name}").parameters for name in ("category", "brand")] == [21 * 128, 7 * 128]


def test_costs_by_hand():
    """Gradients and Adam's two states of every dense number, two numbers of row-wise Adam for a row of a table, and what a batch
    of 256 keeps for its backward pass."""
    document = Document.preset("dnn")
    count = document.blueprint.count(document.schema())
    rows = sum(f.vocabulary for f in document.schema().categorical)
    found = costs(Scaled("sample", document.blueprint, document.schema(), 1), 256, candidates=200)
    assert found["float32"] == 2 * found["bfloat16"] == 4 * found["int8"] == 4 * count.parameters
    assert found["training"] == 4 * (count.parameters + 2 * rows + 3 * count.dense + 256 * count.activations)
    assert found["activations"] == 4 * 256 * count.activations and found["cards"] == 1
    assert found["flops_per_request"] == 200 * count.flops
    many = costs(Scaled("× 10^8", document.blueprint, industry(document.schema(), 10**8), 10**8), 256)
    assert many["cards"] == -(-many["training"] // CARD) > 1


def test_industry_scale_takes_the_paper_s_sizes_and_grows_the_ids() -> None:
    sample, industry = answer("show", "youtube"), answer("show", "youtube", "--scale", "industry")
    grown = {f"representation.{name}" for name in industry["scale"]["tables"]}
    before, after = ({part["path"]: part["parameters"] for part in found["modules"]} for found in (sample, industry))
    for path, parameters in before.items():
        if path.startswith("representation"):
            assert after[path] == parameters * (FACTOR if path in grown else 1)
    assert grown and industry["hash"] == sample["hash"] and len(set(after) - set(before)) == 4
    size, *_ = industry["scale"]["sizes"]
    assert (size["path"], size["setting"], size["tag"], size["at"]) == ("sharing.experts", 8, "stated", "table 1")
    assert industry["scale"]["costs"]["float32"] == 4 * industry["parameters"]["total"]
    history = answer("show", "din", "--scale", "industry")
    assert next(p for p in history["modules"] if p["path"] == "representation.item")["parameters"] == 481 * FACTOR * 8
    said = run("show", "bytedance", "--scale", "industry").stdout
    assert "user_id = 162,542 rows (known: users of the public experiment, 162,541; Liu et al." in said
