"""Trains a filter of short messages and writes models/spam.onnx, models/label.json, golden.json and metrics.json.

Run it in an environment made from requirements.txt:  python train.py

The messages are made up here, so that nobody's mail is in the repository; the way is the one for real ones.
"""

import json
import random
from pathlib import Path

import numpy as np
from inlay_golden import write_golden, write_metrics
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import StringTensorType
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline

SEED = 7
HERE = Path(__file__).parent
MODELS = HERE / "models"
#: Letters of all scripts, where skl2onnx would take ASCII's: "café" stays one word, as it was in training.
TOKENS = r"[\p{L}\p{N}_]{2,}"

SPAM = [
    "You have WON a {prize}! Reply {word} to {number} now",
    "URGENT: your {thing} expires today, claim your {prize} at once",
    "Free {prize} for the first {number} callers, text {word}",
    "Earn {number} a week from home, no {thing} needed!",
    "Último aviso: gana un {prize} gratis, responde {word}",
]
HAM = [
    "Are we still meeting at the {place} at {hour}?",
    "I left my {thing} at the {place}, can you bring it?",
    "Running late, see you at {hour}",
    "The {place} was lovely, thank you for the {thing}",
    "Can you send me the {thing} before {hour}? Merci, à demain",
]
WORDS = {
    "prize": ["holiday", "phone", "cash prize", "voucher", "cruise", "gift card"],
    "word": ["WIN", "YES", "CLAIM", "GO"],
    "number": ["80086", "500", "1000", "87077"],
    "thing": ["account", "book", "subscription", "keys", "report", "umbrella", "licence"],
    "place": ["café", "office", "station", "library", "Gärtnerplatz", "gym"],
    "hour": ["six", "noon", "half past eight", "17:30", "nine"],
}


def messages(count: int, rng: random.Random) -> tuple[list[str], list[int]]:
    texts, targets = [], []
    for _ in range(count):
        spam = rng.random() < 0.4
        # Some of each sound like the other: a filter that is never in doubt would be no example.
        pattern = rng.choice(SPAM if spam != (rng.random() < 0.04) else HAM)
        texts.append(pattern.format(**{name: rng.choice(words) for name, words in WORDS.items()}))
        targets.append(int(spam))
    return texts, targets


def main() -> None:
    texts, targets = messages(2000, random.Random(SEED))
    train_x, test_x, train_y, test_y = train_test_split(texts, targets, test_size=0.25, random_state=SEED)
    pipeline = Pipeline([("tfidf", TfidfVectorizer()), ("linear", LogisticRegression(random_state=SEED))])
    pipeline.fit(train_x, train_y)
    accuracy = pipeline.score(test_x, test_y)
    print(f"accuracy on {len(test_x)} held-out messages: {accuracy:.3f}")

    model = convert_sklearn(
        pipeline,
        name="spam",
        initial_types=[("text", StringTensorType([None, 1]))],
        options={TfidfVectorizer: {"tokenexp": TOKENS}},
    )
    # The converter lists operator sets in the order of a Python set, another each run: the same training, the same file.
    model.opset_import.sort(key=lambda opset: opset.domain)
    MODELS.mkdir(exist_ok=True)
    (MODELS / "spam.onnx").write_bytes(model.SerializeToString())
    (MODELS / "label.json").write_text(json.dumps({"0": "ham", "1": "spam"}) + "\n")

    # Rows that an export gets wrong first: capitals outside of ASCII, an empty text, words that training never saw.
    odd = ["ÚLTIMO AVISO: GANA UN CRUISE GRATIS", "CAFÉ À SIX?", "", "zzz 🎉 qqq", "Straße, İstanbul, ΣΑΣ"]
    rows = odd + test_x[:60]
    write_golden(
        HERE / "golden.json",
        {"text": np.array(rows, dtype=object).reshape(-1, 1)},
        {"output_probability": pipeline.predict_proba(rows)},
    )
    write_metrics(HERE / "metrics.json", accuracy=accuracy)


if __name__ == "__main__":
    main()
