"""skl2onnx with the options that it has unasked; what is compared with is scikit-learn itself."""

import numpy
import pytest
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_iris
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from inlay_golden import write_golden

from .conftest import SEED

PACKAGES = ("scikit-learn", "skl2onnx", "numpy", "onnx")


def export(project, model, width, name="float_input"):
    converted = convert_sklearn(model, initial_types=[(name, FloatTensorType([None, width]))])
    project.model.write_bytes(converted.SerializeToString())
    project.pin(*PACKAGES)


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(StandardScaler(), SVC(probability=True, random_state=SEED)),
        RandomForestClassifier(n_estimators=20, random_state=SEED),
    ],
    ids=["svc", "random-forest"],
)
@pytest.mark.parametrize("names", [False, True], ids=["numbers", "names"])
def test_a_classifier(project, model, names):
    iris = load_iris()
    x = iris.data.astype("float32")
    y = iris.target_names[iris.target] if names else iris.target
    model.fit(x, y)
    export(project, model, 4)
    # Labels as the model answers them, and probabilities.
    outputs = {"output_label": model.predict(x[::3]), "output_probability": model.predict_proba(x[::3])}
    write_golden(project.dir / "golden.json", {"float_input": x[::3]}, outputs)
    project.init()
    project.passes(rows=50)
    row = x[100]
    with project.serve() as predict:
        assert predict(row.tolist()) == pytest.approx(model.predict_proba([row])[0], abs=1e-5)
        assert predict(row.tolist(), "/predict/label") == str(model.predict([row])[0])


@pytest.mark.parametrize(
    "model",
    [
        GradientBoostingRegressor(n_estimators=30, random_state=SEED),
        RandomForestRegressor(n_estimators=20, random_state=SEED),
    ],
    ids=["gradient-boosting", "random-forest"],
)
def test_a_regressor(project, rng, model):
    x = rng.normal(size=(200, 5)).astype("float32")
    y = 3 * x[:, 0] + numpy.sin(2 * x[:, 1])
    model.fit(x, y)
    export(project, model, 5)
    write_golden(project.dir / "golden.json", {"float_input": x[:64]}, {"variable": model.predict(x[:64])[:, None]})
    project.init()
    assert "task: regression" in project.config
    project.passes(rows=64)
    with project.serve() as predict:
        assert predict(x[100].tolist()) == pytest.approx(model.predict([x[100]]), abs=1e-4)


def test_inputs_in_another_width_than_the_model_takes_are_found(project):
    iris = load_iris()
    model = RandomForestClassifier(n_estimators=5, random_state=SEED).fit(iris.data, iris.target)
    export(project, model, 4)
    for name in ("golden.json", "golden.npz"):
        x = iris.data[:10].astype("float16")
        write_golden(project.dir / name, {"float_input": x}, {"output_probability": model.predict_proba(x)})
        (project.dir / "inlay.yaml").write_text(
            f'name: iris\nversion: "1"\nmodel: model.onnx\nsample: [[5, 3, 1, 0]]\ngolden: {name}\n'
        )
        assert project.check() == [("warning", "GOLDEN_DTYPE")]
