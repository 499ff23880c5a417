"""From words of the command line to one checked document: what a change takes along, and what it must say."""
from __future__ import annotations

import pytest

from rankzoo.blueprint import kinds
from rankzoo.commands.choose import chosen
from rankzoo.errors import ZooError

SHOP = "city,device,price,bought\n" + "\n".join(f"{'abcd'[i % 4]},{'xyz'[i % 3]},{i % 7},{i * i % 5 // 4}" for i in range(300))


@pytest.fixture
def shop(tmp_path) -> str:
    path = tmp_path / "shop.csv"
    path.write_text(SHOP)
    return str(path)


@pytest.mark.parametrize("change", ["sequence=[]", *(f"sequence.0.kind={kind}" for kind in kinds("sequence"))])
def test_din_stands_with_every_kind_of_its_slot_and_without_one(change):
    """Its concatenation names what the sequence slot makes: names that nothing makes any more go, and all is joined."""
    choice = chosen("din", [change], "", (), [])
    blueprint, schema = choice.document.blueprint, choice.document.schema()
    joined = blueprint.concatenation.fields or blueprint.offered(schema)
    assert set(joined) <= set(blueprint.offered(schema)) and blueprint.count(schema).parameters > 0
    assert any("candidate" in notice for notice in choice.notices) == (blueprint.concatenation.fields is None)


def test_din_on_a_file_says_what_to_empty_and_then_stands(shop):
    with pytest.raises(ZooError, match=r"no history.*sequence=\[\]") as refused:
        chosen("din", [], shop, (), [])
    assert refused.value.at == "sequence.0"
    document = chosen("din", ["sequence=[]"], shop, (), []).document
    assert document.blueprint.offered(document.schema()) == ("city", "device", "price")


def test_null_empties_a_list_that_may_be_empty():
    document = chosen("din", ["concatenation.fields=null", "concatenation.products=[]"], "", (), []).document
    assert document.blueprint.concatenation.fields is None


def test_a_wide_part_keeps_a_cross_on_other_data(shop):
    """Without one it would be a first-order model beside the deep one: the two fields with the most values take its place."""
    choice = chosen("wide_deep", [], shop, (), [])
    assert choice.document.blueprint.interaction[0].crosses == (("city", "device"),)
    assert any("country × advertiser (now city × device)" in notice for notice in choice.notices)
