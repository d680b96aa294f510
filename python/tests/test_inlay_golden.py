import json

import numpy
import pytest

from inlay_golden import Upload, environment, write_golden, write_metrics


def test_a_case_with_its_dtypes_and_versions(tmp_path):
    path = tmp_path / "made" / "golden.json"
    write_golden(path, {"x": numpy.ones((2, 3), "float32")}, {"y": [[0.5], [0.25]]}, tolerance=1e-4)
    written = json.loads(path.read_text())
    assert written["tolerance"] == 1e-4
    assert written["dtypes"] == {"x": "float32"}
    assert written["cases"] == [{"inputs": {"x": [[1.0] * 3] * 2}, "outputs": {"y": [[0.5], [0.25]]}}]
    assert written["environment"]["numpy"] == numpy.__version__
    assert list(path.parent.iterdir()) == [path]


RAW = [
    (Upload("image/PNG", b"\x89PNG"), {"prediction": numpy.array([0.25, 0.75], "float32"), "label": "b"}),
    ({"text": "ü", "rows": numpy.int64(2)}, {"prediction": (1, 2), "none": None}),
]
RAW_WRITTEN = [
    {
        "request": {"contentType": "image/png", "base64": "iVBORw=="},
        "answer": {"prediction": [0.25, 0.75], "label": "b"},
    },
    {"request": {"json": {"text": "ü", "rows": 2}}, "answer": {"prediction": [1, 2], "none": None}},
]


@pytest.mark.parametrize("name", ["g.json", "g.npz"])
def test_raw_cases_for_a_transform(tmp_path, name):
    write_golden(tmp_path / name, {"x": [[1.0]]}, {"y": [1]}, raw=RAW, raw_tolerance=1e-3)
    if name.endswith(".npz"):
        with numpy.load(tmp_path / name) as archive:
            written = json.loads(archive["golden"].item())
    else:
        written = json.loads((tmp_path / name).read_text())
    assert (written["schemaVersion"], written["rawTolerance"]) == (2, 1e-3)
    assert written["raw"] == RAW_WRITTEN


@pytest.mark.parametrize("request_, answer", [(Upload("image/png", b""), {}), ({"x": float("nan")}, {}), ({}, [float("inf")])])
def test_raw_cases_that_json_cannot_hold(tmp_path, request_, answer):
    with pytest.raises(ValueError):
        write_golden(tmp_path / "g.json", {"x": [[1.0]]}, {"y": [1]}, raw=[(request_, answer)])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "int64", "uint8", "bool"])
def test_every_dtype_reads_back_the_same(tmp_path, dtype):
    array = numpy.array([[0, 1], [1, 0]], dtype)
    write_golden(tmp_path / "g.json", {"x": array}, {"y": array})
    written = json.loads((tmp_path / "g.json").read_text())
    assert written["dtypes"]["x"] == dtype
    assert (numpy.array(written["cases"][0]["inputs"]["x"], dtype) == array).all()


def test_a_missing_value_is_null(tmp_path):
    x = numpy.array([[0.1, numpy.nan], [numpy.nan, 2]], "float32")
    write_golden(tmp_path / "g.json", {"x": x}, {"y": [1, 2]})
    written = json.loads((tmp_path / "g.json").read_text(), parse_constant=pytest.fail)
    assert written["dtypes"] == {"x": "float32"}
    assert written["cases"][0]["inputs"]["x"] == [[float(numpy.float32(0.1)), None], [None, 2.0]]


def test_an_archive_of_arrays(tmp_path):
    x = numpy.array([[0.1, numpy.nan]], "float16")
    write_golden(tmp_path / "g.npz", {"x": x, "s/1": numpy.array(["ü"], object)}, {"y": [0.1]}, tolerance={"y": 1e-3})
    with numpy.load(tmp_path / "g.npz") as written:
        top = json.loads(written["golden"].item())
        assert top["tolerance"] == {"y": 1e-3}
        assert top["environment"]["numpy"] == numpy.__version__
        assert sorted(written) == ["cases/0/inputs/s/1", "cases/0/inputs/x", "cases/0/outputs/y", "golden"]
        assert written["cases/0/inputs/x"].dtype == numpy.float16
        numpy.testing.assert_array_equal(written["cases/0/inputs/x"], x)
        assert written["cases/0/inputs/s/1"].tolist() == ["ü"]
    assert [path.name for path in tmp_path.iterdir()] == ["g.npz"]


def test_the_same_arrays_are_the_same_archive(tmp_path):
    for name in ("a.npz", "b.npz"):
        write_golden(tmp_path / name, {"x": [[1.0]]}, {"y": [1]})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_text(tmp_path):
    write_golden(tmp_path / "g.json", {"x": numpy.array([["a"], ["ü"]], object)}, {"y": ["p", "q"]})
    written = json.loads((tmp_path / "g.json").read_text())
    assert written["dtypes"] == {"x": "str"}
    assert written["cases"][0]["inputs"]["x"] == [["a"], ["ü"]]


@pytest.mark.parametrize(
    "inputs, outputs",
    [
        ({}, {"y": [1]}),
        ({"x": [1]}, {}),
        ({"x": [1, 2]}, {"y": [1]}),
        ({"x": [float("-inf")]}, {"y": [1]}),
        ({"x": [1]}, {"y": [float("nan")]}),
        ({"x": [1]}, {"y": [float("inf")]}),
        ({"x": 1}, {"y": [1]}),
        ({"x": []}, {"y": []}),
        ({"x": [1j]}, {"y": [1]}),
        ({"x": [object()]}, {"y": [1]}),
    ],
)
def test_what_cannot_be_a_golden_case_is_refused_and_nothing_is_left(tmp_path, inputs, outputs):
    with pytest.raises(ValueError):
        write_golden(tmp_path / "g.json", inputs, outputs)
    assert list(tmp_path.iterdir()) == []


def test_metrics(tmp_path):
    write_metrics(tmp_path / "m.json", accuracy=numpy.float32(0.5), loss=1)
    assert json.loads((tmp_path / "m.json").read_text()) == {"accuracy": 0.5, "loss": 1.0}
    with pytest.raises(ValueError):
        write_metrics(tmp_path / "n.json", accuracy=float("nan"))


def test_the_environment_is_what_was_imported():
    found = environment()
    assert found["pytest"] == pytest.__version__
    assert "inlay-golden" not in found
