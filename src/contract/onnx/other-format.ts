import { InlayError } from '../../error/index.ts';

/** What other model files start with, and how their models become ONNX. */
const FORMATS: readonly {
  readonly name: string;
  readonly is: (head: Uint8Array, text: string) => boolean;
  readonly how: string;
}[] = [
  {
    name: 'a Python pickle (joblib, scikit-learn)',
    is: (head) => head[0] === 0x80 && (head[1] ?? 0) >= 2 && (head[1] ?? 9) <= 5,
    how: 'In the environment that trained it: skl2onnx.convert_sklearn(model, initial_types=[...]).',
  },
  {
    name: 'a zip archive (PyTorch .pt, Keras .keras, numpy .npz)',
    is: (_, text) => text.startsWith('PK\x03\x04'),
    how: 'PyTorch: torch.onnx.export(model, (example,), "model.onnx"). Keras: python -m tf2onnx.convert.',
  },
  {
    name: 'HDF5 (Keras .h5)',
    is: (_, text) => text.startsWith('\x89HDF\r\n\x1a\n'),
    how: 'python -m tf2onnx.convert --keras model.h5 --output model.onnx.',
  },
  {
    name: 'TensorFlow Lite',
    is: (_, text) => text.slice(4, 8) === 'TFL3',
    how: 'python -m tf2onnx.convert --tflite model.tflite --output model.onnx.',
  },
  {
    name: 'GGUF, a large language model',
    is: (_, text) => text.startsWith('GGUF'),
    how: 'inlay is for models that fit in an image and answer on CPUs; serve this one with llama.cpp or vLLM.',
  },
  {
    name: 'safetensors, weights without a graph',
    is: (head, text) => head.slice(3, 8).every((byte) => byte === 0) && text[8] === '{',
    how: 'Load them into the model that they belong to, and export that with torch.onnx.export.',
  },
  {
    name: 'text (XGBoost or LightGBM dump, JSON, XML)',
    is: (_, text) => /^(\s*[{<[]|tree\n|tree=)/.test(text),
    how: 'onnxmltools.convert_xgboost or convert_lightgbm makes ONNX of it.',
  },
];

/** What else can be done with a model of any format. */
const AS_IT_IS = 'An image of your own that serves it takes it as it is: format: opaque (docs/bases.md).';

/** @throws MODEL_FORMAT when the bytes are a model of another well-known format */
export function refuseOtherFormats(bytes: Uint8Array): void {
  const head = bytes.subarray(0, 64);
  const text = String.fromCharCode(...head);
  const format = FORMATS.find((known) => known.is(head, text));
  if (format)
    throw new InlayError('MODEL_FORMAT', `this is ${format.name}, not ONNX`, { hint: `${format.how} ${AS_IT_IS}` });
}

/** What is said of a folder given as the model. */
export function folderIsNoModel(path: string, names: readonly string[]): InlayError {
  if (names.includes('MLmodel')) {
    return new InlayError('MODEL_FORMAT', `${path} is an MLflow model folder, not an ONNX file`, {
      hint: 'Log the model with mlflow.onnx.log_model, and give the .onnx file inside the folder.',
    });
  }
  if (names.some((name) => name === 'saved_model.pb')) {
    return new InlayError('MODEL_FORMAT', `${path} is a TensorFlow SavedModel, not an ONNX file`, {
      hint: `python -m tf2onnx.convert --saved-model DIR --output model.onnx. ${AS_IT_IS}`,
    });
  }
  return new InlayError('MODEL_FORMAT', `${path} is a folder, not an ONNX file`, {
    hint: `Give the .onnx file. docs/export.md says how to export from other formats. ${AS_IT_IS}`,
  });
}
