import dataclasses
import json
from types import SimpleNamespace

import pandas as pd
import pytest
import sklearn.datasets

from skrationale.datasets import fetch_table
from skrationale.datasets._tables import SOURCES


def store(folder, name, frame, **card):
    frame.to_csv(folder / f"{name}.csv.gz", index=False)
    (folder / f"{name}.json").write_text(json.dumps(card))


@pytest.fixture
def bank(tmp_path):
    frame = pd.DataFrame(
        {
            "age": [30, None, 50],
            "job": ["clerk", None, "nurse"],
            "day": [1, 2, 1],
            "duration": [10, 20, 30],
            "subscribed": [0, 1, 0],
        }
    )
    store(tmp_path, "bank_marketing", frame, categorical_columns=["job", "day"])
    return tmp_path


@pytest.fixture
def openml(monkeypatch):
    """Stands for OpenML: `asked` holds what reached it, `data` and `target` are its answer."""
    server = SimpleNamespace(asked=[], data=None, target=None)

    def fetch_openml(**arguments):
        server.asked.append(arguments)
        return SimpleNamespace(data=server.data, target=server.target)

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", fetch_openml)
    return server


def test_local_file_is_read_by_its_card(bank, openml):
    table = fetch_table("bank_marketing", data_home=bank)
    assert (table.name, table.task) == ("bank_marketing", "binary")
    assert list(table.X) == ["age", "job", "day"]
    assert [str(t) for t in table.X.dtypes] == ["float64", "category", "category"]
    assert table.X["job"].isna().tolist() == [False, True, False]
    assert table.y.tolist() == [0, 1, 0]
    assert openml.asked == []
    with pytest.raises(dataclasses.FrozenInstanceError):
        table.task = "regression"


def test_folder_comes_from_the_environment(bank, monkeypatch):
    monkeypatch.setenv("SKRATIONALE_DATA", str(bank))
    assert len(fetch_table("bank_marketing").X) == 3


def test_numbers_to_predict_are_floats(tmp_path):
    store(tmp_path, "yacht", pd.DataFrame({"length": [1, 2], "drag": [3, 4]}), categorical_columns=[])
    table = fetch_table("yacht", data_home=tmp_path)
    assert table.task == "regression"
    assert table.y.dtype == "float64"


def test_openml_is_asked_by_id(tmp_path, openml):
    openml.data = pd.DataFrame({"purpose": ["car", "house"], "age": [30, 40], "own": [True, False]})
    openml.target = pd.Series(["bad", "good"], dtype="category")
    table = fetch_table("credit_g", data_home=tmp_path)
    assert openml.asked == [{"data_id": 31, "as_frame": True}]
    assert table.y.tolist() == [1, 0]
    assert [str(t) for t in table.X.dtypes] == ["category", "int64", "bool"]


def test_openml_columns_that_leak_are_left_out(tmp_path, openml):
    openml.data = pd.DataFrame({"pclass": [1, 2], "boat": ["2", None], "name": ["A", "B"]})
    openml.target = pd.Series(["1", "0"], dtype="category")
    assert list(fetch_table("titanic", data_home=tmp_path).X) == ["pclass"]


def test_openml_labels_of_many_classes_become_integers(tmp_path, openml):
    openml.data = pd.DataFrame({"Elevation": [1, 2, 3]})
    openml.target = pd.Series(["3", "1", "7"], dtype="category")
    assert fetch_table("covertype_50k", data_home=tmp_path).y.tolist() == [3, 1, 7]


def test_unexpected_labels_are_named(tmp_path, openml):
    openml.data, openml.target = pd.DataFrame({"age": [1, 2]}), pd.Series(["low", "high"])
    with pytest.raises(ValueError, match=r"holds \['high', 'low'\]; expected 'bad'"):
        fetch_table("credit_g", data_home=tmp_path)


def test_errors_name_the_way_out(tmp_path, bank, monkeypatch):
    with pytest.raises(ValueError, match="name is 'iris'; expected one of adult"):
        fetch_table("iris")
    empty = tmp_path / "empty"
    with pytest.raises(FileNotFoundError, match=r"Put power_plant\.csv\.gz .* into .*empty"):
        fetch_table("power_plant", data_home=empty)

    def unreachable(**_):
        raise OSError("no route")

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", unreachable)
    with pytest.raises(OSError, match=r"the download from OpenML failed: no route\. Put yacht\.csv\.gz"):
        fetch_table("yacht", data_home=empty)
    (bank / "bank_marketing.json").write_text('{"categorical_columns": ["colour"]}')
    with pytest.raises(ValueError, match=r"is \['colour'\]; expected a list of columns"):
        fetch_table("bank_marketing", data_home=bank)
    (bank / "bank_marketing.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"expected bank_marketing\.json beside it"):
        fetch_table("bank_marketing", data_home=bank)


def test_docstring_lists_every_table():
    for name in SOURCES:
        assert name in fetch_table.__doc__
