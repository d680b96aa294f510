"""A model behind FastAPI as the tutorials write it."""

import os

import numpy as np
import onnxruntime as ort
from fastapi import FastAPI
from pydantic import BaseModel

options = ort.SessionOptions()
options.intra_op_num_threads = 1
session = ort.InferenceSession(os.environ["MODEL_FILEPATH"], options, providers=["CPUExecutionProvider"])
app = FastAPI()


class Data(BaseModel):
    data: list[list[float]]


@app.post("/predict")
def predict(request: Data) -> dict[str, list[float]]:
    array = np.array(request.data, dtype=np.float32)
    (probabilities,) = session.run(["output_probability"], {"float_input": array})
    return {"prediction": probabilities[0].tolist()}
