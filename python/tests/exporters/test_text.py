"""TF-IDF: text goes in as it was written, and is lower-cased and cut into words by the graph."""

import numpy
import pytest
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import StringTensorType
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from inlay_golden import write_golden

ENGLISH = ["the food was Good", "a GOOD place", "Bad service and bad food", "never AGAIN, bad", "good good", "so Bad"]
#: İ is two characters in lower case, Σ another one at the end of a word, and ẞ is ß.
WORLD = [
    "Très BON café, ÉCOLE",
    "Mauvais CAFÉ! ÑANDÚ",
    "İZMİR güzel ŞEHİR",
    "ΟΔΟΣ ΚΑΛΟΣ καλή",
    "ХОРОШО очень ёлка",
    "STRAẞE schlecht ÜBEL",
]
#: Python's \w, in RE2's words: letters and numbers of all scripts, without combining marks.
EVERY_LETTER = r"[\p{L}\p{N}_]{2,}"


def train(project, texts, **options):
    model = make_pipeline(TfidfVectorizer(), LogisticRegression(C=100))
    model.fit(texts, [1, 1, 0, 0, 1, 0])
    export(project, model, 1, **options)
    return model


def export(project, model, width, **options):
    if options:
        options = {"options": {TfidfVectorizer: options}}
    converted = convert_sklearn(model, initial_types=[("text", StringTensorType([None, width]))], **options)
    project.model.write_bytes(converted.SerializeToString())
    project.pin("scikit-learn", "skl2onnx", "numpy", "onnx")


def write(project, model, texts, name="golden.json"):
    write_golden(
        project.dir / name,
        {"text": [[text] for text in texts]},
        {"output_label": model.predict(texts), "output_probability": model.predict_proba(texts)},
    )
    project.init()


def test_default_options(project):
    model = train(project, ENGLISH)
    asked = [*ENGLISH, "Where is the FOOD", "nothing known"]
    write(project, model, asked)
    project.passes(8, "TOKENS_ASCII")
    with project.serve() as predict:
        assert predict(["the FOOD was Bad"]) == pytest.approx(model.predict_proba(["the FOOD was Bad"])[0], abs=1e-5)


@pytest.mark.parametrize("golden", ["golden.json", "golden.npz"])
def test_every_script_is_lower_cased_as_python_does_it(project, golden):
    model = train(project, WORLD, tokenexp=EVERY_LETTER)
    write(project, model, [*WORLD, *(text.swapcase() for text in WORLD)], golden)
    project.passes(12)
    with project.serve() as predict:
        for text in ("café ÉCOLE", "İZMİR", "ΟΔΟΣ", "strasse STRAẞE"):
            assert predict([text]) == pytest.approx(model.predict_proba([text])[0], abs=1e-5)


def test_a_column_of_text_beside_one_of_categories(project):
    rows = numpy.array([[text, "CD"[i % 2]] for i, text in enumerate(WORLD)], object)
    columns = make_column_transformer((TfidfVectorizer(), 0), (OneHotEncoder(), [1]))
    model = make_pipeline(columns, LogisticRegression(C=100)).fit(rows, [1, 1, 0, 0, 1, 0])
    export(project, model, 2, tokenexp=EVERY_LETTER)
    write_golden(
        project.dir / "golden.json", {"text": rows}, {"output_probability": model.predict_proba(rows)}
    )
    project.init()
    project.passes(6)
    with project.serve() as predict:
        row = ["İZMİR ΟΔΟΣ", "C"]
        assert predict(row) == pytest.approx(model.predict_proba(numpy.array([row], object))[0], abs=1e-5)


def test_words_that_the_default_cuts_at_other_letters_are_found(project):
    write(project, train(project, WORLD), WORLD)
    assert ("error", "GOLDEN_MISMATCH") in project.check()


def test_case_that_is_changed_in_a_loop_knows_ascii_only(project):
    model = train(project, ENGLISH, tokenexp=EVERY_LETTER, keep_empty_string=True)
    write(project, model, ENGLISH)
    project.passes(6, "LOCALE")


def test_case_in_a_loop_that_changes_answers_is_found(project):
    write(project, train(project, WORLD, tokenexp=EVERY_LETTER, keep_empty_string=True), WORLD)
    assert project.check() == [("warning", "LOCALE"), ("error", "GOLDEN_MISMATCH")]
