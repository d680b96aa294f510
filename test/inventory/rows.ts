// Rows as a scan makes them.
import { isInlayError } from '../../src/error/index.ts';
import type { ImageFacts, ServerRow } from '../../src/inventory/index.ts';

export const digest = (letter: string) => `sha256:${letter.repeat(64)}`;

export function row(more: Partial<ServerRow> = {}): ServerRow {
  return {
    context: 'prod',
    namespace: 'ml',
    service: 'iris',
    role: 'stable',
    workload: { kind: 'Deployment', name: 'iris' },
    replicas: { ready: 3, desired: 3 },
    restarts: 0,
    weight: null,
    model: { name: 'iris', version: '0.0.1', digest: digest('a') },
    task: 'classification',
    inputs: [{ name: 'float_input', datatype: 'FP32', shape: [-1, 4] }],
    outputs: null,
    labels: null,
    os: 'debian 12',
    libraries: { onnxruntime: '1.30.0' },
    inlay: '0.1.0',
    owner: 'flowers-team',
    image: { reference: 'registry.example.com/ml/iris:0.0.1', digest: digest('1'), index: digest('1') },
    source: null,
    trainingRun: null,
    signed: false,
    firstSeen: '2026-01-01T00:00:00Z',
    rolledOut: '2026-01-01T00:00:00Z',
    since: '2026-01-01T00:00:00Z',
    release: null,
    drift: [],
    unknown: {},
    ...more,
  };
}

/** The facts that a row's image has. */
export function factsOf({ model, image, libraries }: ServerRow): ImageFacts {
  return {
    schemaVersion: 1,
    digest: image.index ?? '',
    repository: 'registry.example.com/ml/iris',
    platforms: [],
    builtBy: 'inlay',
    model: model ? { ...model, format: 'onnx' } : null,
    task: 'classification',
    inputs: [{ name: 'float_input', datatype: 'FP32', shape: [-1, 4] }],
    outputs: null,
    labels: null,
    owner: 'flowers-team',
    os: 'debian 12',
    libraries: { ...libraries },
    inlay: '0.1.0',
    created: null,
    sizeBytes: 1,
    layers: [],
    python: false,
    packages: 'labels',
    attached: { signed: false, source: null, trainingRun: null },
  };
}

export function codeOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return isInlayError(error) ? error.code : String(error);
  }
}
