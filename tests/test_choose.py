"""From words of the command line to one checked document: what a change takes along, and what it must say."""
from __future__ import annotations

import pyarrow as pa
import pytest

from rankzoo.blueprint import kinds
from rankzoo.commands.choose import chosen
from rankzoo.components.interaction.linear import widest
from rankzoo.data.load import from_table
from rankzoo.data.roles import guess
from rankzoo.document import Document
from rankzoo.errors import ZooError

SHOP = "city,device,price,bought\n" + "\n".join(f"{'abcd'[i % 4]},{'xyz'[i % 3]},{i % 7},{i * i % 5 // 4}" for i in range(300))


@pytest.fixture
def shop(tmp_path) -> str:
    path = tmp_path / "shop.csv"
    path.write_text(SHOP)
    return str(path)


FOLLOWED = {"query_attention": ["sequence.0.token=16"], "transformer": ["sequence.0.token=16"],
            **dict.fromkeys(("self_attention", "lstm", "query_unit"), ["sequence.1.kind=additive_attention"])}


@pytest.mark.parametrize("change", ["sequence=[]", *(f"sequence.0.kind={kind}" for kind in kinds("sequence") if kind != "ask")])
def test_din_stands_with_every_kind_of_its_slot_and_without_one(change):
    """Its concatenation names what the sequence slot makes: names that nothing makes any more go, and all is joined. A kind
    whose own settings do not fit says what must be set beside it, and stands with that."""
    more = FOLLOWED.get(change.rpartition("=")[2], [])
    if more:
        with pytest.raises(ZooError, match="Set one token width|such as additive_attention"):
            chosen("din", [change], "", (), [])
    choice = chosen("din", [change, *more], "", (), [])
    blueprint, schema = choice.document.blueprint, choice.document.schema()
    joined = blueprint.concatenation.fields or blueprint.offered(schema)
    assert set(joined) <= set(blueprint.offered(schema)) and blueprint.count(schema).parameters > 0
    gone = [notice for notice in choice.notices if "candidate" in notice and "⊙" not in notice]
    assert bool(gone) == (blueprint.concatenation.fields is None)


def test_a_query_cannot_ask_where_there_is_none():
    with pytest.raises(ZooError, match="There is no other history that could ask 'history'"):
        chosen("din", ["sequence.0.kind=ask"], "", (), [])


def test_a_product_goes_where_its_fields_no_longer_have_one_width():
    """A transformer that is read whole has (20 + 1) × 16 numbers, the candidate 16."""
    choice = chosen("din", ["sequence.0.kind=transformer", "sequence.0.token=16"], "", (), [])
    assert choice.document.blueprint.concatenation.products == () and any("history ⊙ candidate" in n for n in choice.notices)


def test_din_on_a_file_says_what_to_empty_and_then_stands(shop):
    with pytest.raises(ZooError, match=r"no history.*empty the Attention column") as refused:
        chosen("din", [], shop, (), [])
    assert refused.value.at == "sequence.0"
    document = chosen("din", ["sequence=[]"], shop, (), []).document
    assert document.blueprint.offered(document.schema()) == ("city", "device", "price")


def test_nrms_on_a_file_offers_user_and_item_for_its_dot_product(tmp_path):
    """Whole numbers that are ids have vectors; read as amounts, they left «watch_time» as the item."""
    path = tmp_path / "log.csv"
    path.write_text("\n".join(["user,movie,genre,watch_time,label",
                              *(f"{i % 90},{i % 70},{'abc'[i % 3]},{i % 13}.5,{i % 3 % 2}" for i in range(300))]))
    with pytest.raises(ZooError, match="no history") as refused:
        chosen("nrms", [], str(path), (), [])
    assert refused.value.cure == (("sequence", []), ("towers.user", "user"), ("towers.item", "movie"))
    with pytest.raises(ZooError, match="no history") as refused:
        chosen("nrms", [], str(path), (), [], ("user=numeric", "movie=numeric"))
    assert ("towers.item", "movie") not in refused.value.cure


def test_null_empties_a_list_that_may_be_empty():
    document = chosen("din", ["concatenation.fields=null", "concatenation.products=[]"], "", (), []).document
    assert document.blueprint.concatenation.fields is None


@pytest.mark.parametrize(("columns", "cross"), [
    (("receipt", "user_id", "word", "movie"), ("movie", "user_id")), (("receipt", "user_id", "word"), ("word", "user_id")),
    (("receipt", "word"), None)])
def test_a_cross_leaves_out_what_hardly_comes_twice_and_is_of_user_and_item_where_it_can(columns, cross):
    """1,500 rows: receipts number them but for a few, 400 words, 90 movies, 80 users. A receipt's cross would come once."""
    sizes = {"receipt": 1490, "user_id": 80, "word": 400, "movie": 90}
    table = pa.table({name: [f"{name}{i % sizes[name]}" for i in range(1500)] for name in columns}
                     | {"label": [i % 2 for i in range(1500)]})
    schema = from_table("own", table, guess(table), "").schema
    assert [f.name for f in schema.features if f.single] == ["receipt"]
    assert widest(schema) == cross
    crosses = Document.preset("wide_deep").blueprint.interaction[0].fitted(schema)[0].crosses
    assert crosses == ((cross,) if cross else ())


def test_a_wide_part_keeps_a_cross_on_other_data(shop):
    """Without one it would be a first-order model beside the deep one: the two fields with the most values take its place."""
    choice = chosen("wide_deep", [], shop, (), [])
    assert choice.document.blueprint.interaction[0].crosses == (("city", "device"),)
    assert any("country × advertiser (now city × device)" in notice for notice in choice.notices)
