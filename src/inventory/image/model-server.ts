import type { SeenWorkload } from '../cluster/seen.ts';
import type { ImageFacts } from './facts.ts';

/** Names of images that serve models, whatever their registry (docs/inventory.md lists them). */
const IMAGES =
  /(^|[/_-])(tritonserver|torchserve|mlserver|tensorflow-serving|serving|tfserving|vllm[\w-]*|text-generation-inference|text-embeddings-inference|sklearnserver|xgbserver|lgbserver|pmmlserver|huggingfaceserver|kserve[\w-]*|seldon-core[\w-]*|bentoml[\w-]*|onnxruntime-server|ovms|openvino[\w-]*model[\w-]*server|model_server|multi-model-server|ray-llm|sglang|llama\.cpp|ollama|mlflow[\w-]*)(:|@|$)/i;

/** Programs that serve models, in a command line. */
const PROGRAMS =
  /(^|\/)(tritonserver|torchserve|tensorflow_model_server|mlserver|bentoml|vllm|ovms)$|^mlflow$|model[-_](path|name|dir|repository|store)/i;

/** Environment variables by which servers are told their model. */
const VARIABLES =
  /^(MODEL_(FILE)?PATH|MODEL_(DIR|NAME|URI|STORE|BASE_PATH|REPOSITORY|ID)|MLFLOW_\w+|BENTO\w*|HF_MODEL_ID)$/;

/** Labels that serving platforms put on their workloads. */
const LABELS = ['serving.kserve.io/inferenceservice', 'seldon-deployment-id', 'yatai.ai/bento-deployment'];
const COMPONENTS = /^(inference-server|model-server|predictor)$/;

/** Python packages that run or hold models. */
const PACKAGES = new Set(
  'bentoml catboost fasttext gensim jax joblib keras lightgbm mlflow mlserver onnx onnxruntime onnxruntime-gpu prophet scikit-learn sentence-transformers spacy statsmodels tensorflow tensorflow-cpu tflite-runtime tokenizers torch transformers vllm xgboost'.split(
    ' ',
  ),
);

/** Namespaces of the cluster itself. */
const SYSTEM = /^kube-(system|public|node-lease)$/;

/** Why a workload is taken for a model server; undefined where nothing speaks for it. Decided by what can be seen without its layers. */
export function looksLikeModelServer(workload: SeenWorkload): string | undefined {
  const { labels, image, hints } = workload;
  const label = LABELS.find((key) => labels[key] !== undefined);
  if (label !== undefined) return `label ${label}`;
  if (COMPONENTS.test(labels['app.kubernetes.io/component'] ?? '')) return 'label app.kubernetes.io/component';
  if (IMAGES.test(image.replace(/@.*$/, ''))) return `image ${image}`;
  const hint = hints.find((word) => VARIABLES.test(word) || PROGRAMS.test(word));
  return hint === undefined ? undefined : hint;
}

/** Python packages that tell of a model server. */
export function modelPackages({ libraries }: Pick<ImageFacts, 'libraries'>): string[] {
  return Object.keys(libraries).filter((name) => PACKAGES.has(name.toLowerCase().replaceAll('_', '-')));
}

export function isSystem(namespace: string): boolean {
  return SYSTEM.test(namespace);
}

/** Whether inlay deployed it. */
export function isDeployedByInlay({ labels }: SeenWorkload): boolean {
  return labels['app.kubernetes.io/managed-by'] === 'inlay' && labels['inlay/role'] !== undefined;
}
