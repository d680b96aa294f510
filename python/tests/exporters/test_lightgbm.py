"""LightGBM takes NaN as a missing value and sends it down the branch that training found to be better."""

import numpy
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType

from inlay_golden import write_golden

from .conftest import SEED

PACKAGES = ("lightgbm", "onnxmltools", "numpy", "onnx")


def data(rng):
    x = rng.normal(size=(400, 5)).astype("float32")
    # That a value is missing tells something: another answer than for 0, or for the mean.
    target = numpy.where(x[:, 1] > 1, 2, x[:, 0])
    x[x > 1] = numpy.nan
    return x, target


def export(project, model):
    project.model.write_bytes(
        convert_lightgbm(model, initial_types=[("input", FloatTensorType([None, 5]))]).SerializeToString()
    )
    project.pin(*PACKAGES)


@pytest.mark.parametrize("golden", ["golden.json", "golden.npz"])
def test_a_classifier(project, rng, golden):
    x, target = data(rng)
    model = LGBMClassifier(n_estimators=20, random_state=SEED, n_jobs=1, verbose=-1).fit(x, (target > 1).astype(int))
    export(project, model)
    rows = x[:64]
    assert numpy.isnan(rows).any()
    write_golden(
        project.dir / golden,
        {"input": rows},
        {"label": model.predict(rows), "probabilities": model.predict_proba(rows)},
    )
    project.init()
    assert "missing: nan" in project.config
    project.passes(64)
    with project.serve() as predict:
        row = [0.5, None, None, -1.0, 0.25]
        filled = numpy.array([row], "float32")
        assert predict(row) == pytest.approx(model.predict_proba(filled)[0], abs=1e-5)
        assert model.predict_proba(filled)[0] != pytest.approx(model.predict_proba(numpy.nan_to_num(filled))[0])


def test_a_regressor(project, rng):
    x, target = data(rng)
    model = LGBMRegressor(n_estimators=20, random_state=SEED, n_jobs=1, verbose=-1).fit(x, target)
    export(project, model)
    write_golden(project.dir / "golden.json", {"input": x[:64]}, {"variable": model.predict(x[:64])[:, None]})
    project.init()
    assert "task: regression" in project.config
    project.passes(64)


def test_missing_values_that_nobody_promised_are_refused(project, rng):
    x, target = data(rng)
    model = LGBMClassifier(n_estimators=5, random_state=SEED, n_jobs=1, verbose=-1).fit(x, (target > 1).astype(int))
    export(project, model)
    write_golden(project.dir / "golden.json", {"input": x}, {"probabilities": model.predict_proba(x)})
    project.init()
    config = project.dir / "inlay.yaml"
    config.write_text(project.config.replace("missing: nan\n", "").replace("null", "0"))
    assert project.check() == [("error", "GOLDEN_INVALID")]
