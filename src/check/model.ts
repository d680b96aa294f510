import { modelBytes, type Project, quantityBytes } from '../contract/index.ts';
import { newestOpset, RUNTIME_LIMITS } from '../engine/index.ts';
import type { Finding } from './finding.ts';

/** Operators whose answers change from run to run (ONNX operator specification). */
const RANDOM = ['RandomNormal', 'RandomNormalLike', 'RandomUniform', 'RandomUniformLike', 'Multinomial', 'Bernoulli'];

/** Above this, weights belong on a volume or in an object store, not in an image layer. */
const LARGEST_BYTES = 5e9;

export function isTooLarge(bytes: number): boolean {
  return bytes > LARGEST_BYTES;
}

export function tooLarge(bytes: number): Finding {
  return {
    code: 'MODEL_TOO_LARGE',
    severity: 'error',
    message: `the model has ${(bytes / 1e9).toFixed(1)} GB`,
    hint: 'Such a model is better loaded from a volume or object store at start (KServe, Triton, vLLM): an image of it takes minutes to pull.',
  };
}

/** What the server takes without a model, and beside its weights: measured on the iris image, bytes. */
const SERVER_BYTES = 90 * 2 ** 20;

/** What a model's structure and size tell, before it is loaded. */
export function modelFindings(project: Pick<Project, 'contract' | 'facts'>, nanWeights: readonly string[]): Finding[] {
  const { contract, facts } = project;
  const path = contract.model.file;
  const findings: Finding[] = [];
  const error = (code: Finding['code'], message: string, hint: string) =>
    void findings.push({ code, severity: 'error', message, hint, path });
  if (facts.irVersion > RUNTIME_LIMITS.irVersion) {
    error(
      'IR_TOO_NEW',
      `the model has IR version ${facts.irVersion}, and the runtime takes up to ${RUNTIME_LIMITS.irVersion}`,
      `Export with an older onnx package, or set model.ir_version = ${RUNTIME_LIMITS.irVersion} before saving.`,
    );
  }
  for (const { domain, version } of facts.opsets) {
    const newest = newestOpset(domain);
    if (newest !== undefined && version > newest) {
      const name = domain || 'ai.onnx';
      error(
        'OPSET_TOO_NEW',
        `the model has ${name} opset ${version}, and the runtime takes up to ${newest}`,
        `Export with opset ${newest} or older (skl2onnx: target_opset, torch.onnx.export: opset_version).`,
      );
    }
  }
  const random = facts.operators.filter((operator) => RANDOM.includes(operator));
  if (random.length > 0) {
    error(
      'RANDOM_OPERATOR',
      `the graph draws random numbers: ${random.join(', ')}`,
      'The same input would be answered differently each time. Export the model in evaluation mode (PyTorch: model.eval()).',
    );
  }
  if (nanWeights.length > 0) {
    error(
      'WEIGHTS_NAN',
      `weights are NaN: ${nanWeights.slice(0, 5).join(', ')}${nanWeights.length > 5 ? ` and ${nanWeights.length - 5} more` : ''}`,
      'Training diverged or its data had NaN. The model may still answer, but not with what it learnt. Train it again.',
    );
  }
  const bytes = modelBytes(contract.model);
  const allowed = quantityBytes(contract.server.memory);
  if (isTooLarge(bytes)) {
    findings.push({ ...tooLarge(bytes), path });
  } else if (bytes + SERVER_BYTES > allowed) {
    error(
      'MEMORY_EXCEEDED',
      `the model has ${(bytes / 1e6).toFixed(0)} MB and the server takes ${(SERVER_BYTES / 1e6).toFixed(0)} MB beside it; server.memory allows ${(allowed / 1e6).toFixed(0)} MB`,
      `Write server: {memory: ${Math.ceil((bytes + SERVER_BYTES) / 2 ** 20 / 100) * 100}Mi} or more.`,
    );
  }
  const warning = (code: Finding['code'], message: string, hint: string) =>
    void findings.push({ code, severity: 'warning', message, hint, path });
  if (facts.letterCase.asciiOnly.length > 0) {
    warning(
      'LOCALE',
      `letters outside of ASCII keep their case in ${facts.letterCase.asciiOnly.join(', ')}: an image has no locales`,
      'Training lower-cased É too. Put such text into the golden cases; skl2onnx without keep_empty_string makes a graph whose text inlay changes by itself.',
    );
  }
  if (facts.asciiTokens.length > 0) {
    warning(
      'TOKENS_ASCII',
      `words are cut at letters outside of ASCII (${facts.asciiTokens.join(', ')}): café becomes caf`,
      'Training took such letters for letters. Put such text into the golden cases, or convert with options={TfidfVectorizer: {"tokenexp": r"[\\p{L}\\p{N}_]{2,}"}}.',
    );
  }
  const custom = facts.operators.filter((operator) => /^com\.(microsoft\.)?nchwc|^com\.nvidia|^trt\./i.test(operator));
  if (custom.length > 0) {
    error(
      'GPU_WANTED',
      `the graph has operators of a GPU runtime: ${custom.join(', ')}`,
      'inlay serves on CPUs. Export the model itself, not its optimised form for TensorRT or CUDA.',
    );
  }
  return findings;
}
