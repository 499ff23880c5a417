"""Items of a catalogue: how they are encoded once, named by rows, hidden, and made of what is known of them."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import torch

from rankzoo.blueprint import Blueprint
from rankzoo.components.representation.attributes import Attributes
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.sequence.pooling import Pooling
from rankzoo.components.towers.classes import Classes
from rankzoo.data.preparation import prepare_declared
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from rankzoo.schema import Catalogue, Feature, History, HistoryField, Schema, Task
from rankzoo.shape import Shape
from tests.support import OFF, random_batch, randomised, rich, shop

SHOP = shop()
BATCH = random_batch(SHOP)


def layer_of(spec: Embeddings):
    return randomised(spec.build(Shape(SHOP, SHOP.tasks, at="representation")))


class TestBatch:
    def test_rows_come_and_go_and_items_stay(self):
        """The same object whatever rows are taken, in whatever order."""
        for taken in (BATCH.rows(2, 5), BATCH.take(torch.tensor([3, 1])), BATCH.unlabelled(), BATCH.map(lambda t: t.clone())):
            assert taken.catalogue is BATCH.catalogue and taken.seen is BATCH.seen

    def test_classes_of_tasks(self):
        """One logit per item or colour, row 0 included, and one where there is nothing to choose."""
        assert [SHOP.classes(task) for task in SHOP.tasks] == [1, 1, 10, 5]
        with pytest.raises(ZooError, match="The data have no feature 'size'"):
            SHOP.classes(Task("which", "class", "size"))


class TestEncoding:
    @pytest.mark.parametrize("spec", [Embeddings(dim=3), Embeddings(dim=3, dims={"product.colour": 5, "product.title": 2})])
    def test_an_item_is_its_attributes_side_by_side(self, spec):
        """By hand: id, colour, brand, the number as it is, and the mean of the title's words."""
        layer = layer_of(spec)
        found, items = layer(BATCH, OFF).catalogue, BATCH.catalogue
        assert found.shape == (10, spec.after(Shape(SHOP, (), at="representation")).catalogue)

        def row(name: str, id: int) -> torch.Tensor:
            width, start = layer.places[f"product.{name}"]
            return layer.tables[str(width)][start + id]

        for item in range(10):
            words = [row("title", int(word)) for word in items.histories["title"][item, :, 0][items.masks["title"][item]]]
            title = torch.stack(words).mean(dim=0) if words else torch.zeros(spec.width("product.title"))
            expected = torch.cat([*(row(name, int(items.features[name][item])) for name in ("product", "colour", "brand")),
                                  items.features["weight"][item:item + 1], title])
            torch.testing.assert_close(found[item], expected)

    def test_rows_read_the_items_that_they_name(self):
        """A candidate and past items are rows of the same matrix, with the gradient of all uses added up."""
        layer = layer_of(Embeddings(dim=3))
        signal = layer(BATCH, OFF)
        assert torch.equal(signal.fields["product"], signal.catalogue[BATCH.features["product"]])
        past, width = signal.sequences["past"].values, signal.catalogue.shape[1]
        assert torch.equal(past[..., :width], signal.catalogue[BATCH.histories["past"][:, :, 0]])
        assert past.shape[2] == width + 3  # and how long it was looked at, a field of the rows
        (signal.fields["product"].sum() + signal.catalogue.sum()).backward()
        width, start = layer.places["product.product"]
        counts = 1 + torch.bincount(BATCH.features["product"], minlength=10)
        gradient = layer.tables[str(width)].grad.to_dense()[start:start + 10]
        torch.testing.assert_close(gradient, counts.float().unsqueeze(1).expand(10, 3))

    def test_no_table_for_what_names_an_item(self):
        """The candidate's id owns no table beside the catalogue's."""
        assert set(Embeddings().tables(SHOP)) == {"user", "position", "past.dwell", "product.product", "product.colour",
                                                  "product.brand", "product.title"} - {"position"}

    def test_a_list_of_other_items_is_no_attribute(self):
        """Neighbours are for a component that reads the graph: taken as a list they would be items within items."""
        beside = History("near", 2, (HistoryField("product", 10, "product"),))
        described = replace(SHOP.catalogue.schema, histories=(beside,))
        assert Catalogue("product", described).attributes == ("product", "colour", "brand", "weight")


class TestAttributes:
    def test_without_the_id_by_default(self):
        assert Attributes().attributes(SHOP) == ("colour", "brand", "weight", "title")
        assert Attributes(items=("brand", "product")).attributes(SHOP) == ("product", "brand")
        assert Embeddings().attributes(SHOP) == ("product", "colour", "brand", "weight", "title")

    def test_hides_attributes_in_training_only(self):
        """As often as asked; what is hidden is value 0, the id of a number stays, and nothing is hidden when serving."""
        layer = layer_of(Attributes(dim=3, items=("colour",), unknown=0.5))
        width, start = layer.places["product.colour"]
        torch.manual_seed(0)
        drawn = torch.stack([layer.train().items(BATCH.catalogue) for _ in range(400)])
        unknown = layer.tables[str(width)][start]
        hidden = (drawn == unknown).all(dim=2)[:, BATCH.catalogue.features["colour"] > 0]
        assert hidden.float().mean() == pytest.approx(0.5, abs=0.03)
        layer.eval()
        assert torch.equal(layer.items(BATCH.catalogue), layer.items(BATCH.catalogue))
        assert torch.equal(layer.items(BATCH.catalogue), layer.tables[str(width)][start + BATCH.catalogue.features["colour"]])

    @pytest.mark.parametrize("spec, schema, message", [
        (Attributes(), rich(), "These data have no catalogue of items"),
        (Attributes(items=("color",)), SHOP, "An item has no attribute 'color'. Did you mean 'colour'?"),
        (Attributes(items=("brand", "brand")), SHOP, "'brand' is named twice"),
        (Embeddings(dims={"product.shape": 3}), SHOP, "The data have no field 'product.shape'")])
    def test_refuses_in_words(self, spec, schema, message):
        with pytest.raises(ZooError) as caught:
            spec.after(Shape(schema, schema.tasks, at="representation"))
        assert message in str(caught.value) and caught.value.at.startswith("representation")

    def test_other_data_lose_names(self):
        spec, gone = Attributes(items=("colour", "size"), dims={"product.brand": 4, "product.size": 2}).fitted(SHOP)
        assert spec.items == ("colour",) and set(gone) == {"size", "product.size"} and spec.dims == {"product.brand": 4}


class TestPreparation:
    SCHEMA = Schema((), (Task("next", "class", "thing"), Task("kind", "class", "kind")),
                    (History("past", 2, (HistoryField("thing", 6, "thing"),)),),
                    catalogue=Catalogue("thing", Schema((Feature("thing", "categorical", 6), Feature("kind", "categorical", 4),
                                                         Feature("size", "numeric")), ())))
    ROWS = pa.table({"past.thing": pa.array([[0, 1], [1], [0, 4]], pa.list_(pa.int32())),
                     "next": pa.array([1, 0, 2], pa.int32()), "kind": pa.array([1, 0, 2], pa.int32())})
    ITEMS = pa.table({"thing": pa.array(range(5), pa.int32()), "kind": pa.array([0, 1, 2, 0, 1], pa.int32()),
                      "size": pa.array([1.0, 3.0, 50.0, 50.0, 50.0])})

    @pytest.fixture
    def prepared(self):
        """Fitted on the first two rows, which name things 0 and 1."""
        return prepare_declared(self.ROWS.slice(0, 2), self.SCHEMA, self.ITEMS)

    def test_an_item_keeps_its_id_and_a_value_must_have_been_seen(self, prepared):
        """Of kinds 0, 1 and 2 only the first two belong to things that training names; sizes are scaled by theirs, 1 and 3."""
        batch = prepared.encode(self.ROWS, self.ITEMS)
        assert batch.catalogue.features["thing"].tolist() == [0, 1, 2, 3, 4, 5]
        assert batch.catalogue.features["kind"].tolist() == [0, 1, 2, 0, 1, 2]
        assert batch.catalogue.features["size"].tolist() == [0.0, -1.0, 1.0, 48.0, 48.0, 48.0]
        assert batch.seen.tolist() == [False, True, True, False, False, False] and prepared.new == (3, 4, 5)
        assert batch.histories["past"][2, :, 0].tolist() == [1, 5]

    def test_labels_are_ids(self, prepared):
        """A new thing can be a label, a kind that training lacks cannot."""
        batch = prepared.encode(self.ROWS, self.ITEMS)
        assert batch.labels["next"].tolist() == [2.0, 1.0, 3.0] and batch.observed["next"].all()
        assert batch.observed["kind"].tolist() == [True, True, False] and batch.labels["kind"].tolist() == [2.0, 1.0, 0.0]

    def test_survives_its_json(self, prepared):
        again = type(prepared).model_validate_json(prepared.model_dump_json())
        assert again == prepared and again.schema == self.SCHEMA

    def test_a_table_shared_with_a_title(self):
        """Words of a query that share the table of a title's have its ids."""
        described = replace(self.SCHEMA.catalogue.schema, histories=(History("title", 2, (HistoryField("word", 5),)),))
        schema = replace(self.SCHEMA, catalogue=Catalogue("thing", described), histories=(
            *self.SCHEMA.histories, History("query", 2, (HistoryField("word", 5, "thing.title"),))))
        words = pa.array([[0, 1], [3], [2], [1], [1]], pa.list_(pa.int32()))
        titles = self.ITEMS.append_column("title.word", words)
        rows = self.ROWS.append_column("query.word", pa.array([[3, 2], [0], [1]], pa.list_(pa.int32())))
        found = prepare_declared(rows.slice(0, 2), schema, titles)
        assert found.encode(rows, titles).histories["query"][0, :, 0].tolist() == [4, 0]  # word 2: of no known thing
        blueprint = Blueprint(tasks=("next",), representation=Embeddings(dim=3), sequence=(Pooling(history="query"), Pooling()),
                              towers=Classes())
        model = randomised(RankingModel(blueprint, schema))
        signal = model.representation(found.encode(rows, titles), OFF)
        width, start = model.representation.places["thing.title"]
        assert torch.equal(signal.sequences["query"].values[0, 0], model.representation.tables[str(width)][start + 4])


def test_numbers_stay_finite_for_the_unknown_item():
    """Row 0: unknown in all; the vector is that of unknown values, and zeros for an empty list."""
    layer = layer_of(Embeddings(dim=3))
    vector = layer(BATCH, OFF).catalogue[0].detach().numpy()
    assert np.isfinite(vector).all()
