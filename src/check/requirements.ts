import type { Finding } from './finding.ts';

/** A line of requirements.txt that names a package. */
export interface Requirement {
  readonly line: number;
  /** Normalised as PEP 503 says. */
  readonly name: string;
  /** The exact version of `==` or `===`, if there is one without a wildcard. */
  readonly version: string | undefined;
  /** Of its wheel for linux/amd64, where the file says it. */
  readonly wheelBytes?: number | undefined;
}

/** pip's comparison of names (PEP 503). */
export function normalName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}

/**
 * The packages of a requirements file (pip's format, PEP 508 names and versions); options, comments, and lines for other
 * files (`-r`) are passed over. `problems` are lines that are none of these.
 */
export function parseRequirements(text: string): {
  readonly requirements: Requirement[];
  readonly problems: { line: number; text: string }[];
} {
  const requirements: Requirement[] = [];
  const problems: { line: number; text: string }[] = [];
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  for (let i = 0; i < lines.length; i++) {
    const line = i + 1;
    let whole = lines[i] as string;
    while (whole.endsWith('\\') && i + 1 < lines.length) whole = whole.slice(0, -1) + lines[++i];
    const stated = whole.replace(/(^|\s)#.*$/, '').trim();
    // Options, other files (-r), and packages by path or address, which carry no version.
    if (stated === '' || /^[-./]|:\/\//.test(stated)) continue;
    const match =
      /^([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\])?\s*(@\s*\S+|[<>=!~][^;]*)?(?:\s+--hash=\S+)*\s*(?:;.*)?$/.exec(
        stated.replace(/\s+--hash=\S+/g, ''),
      );
    if (!match) {
      problems.push({ line, text: stated });
      continue;
    }
    const pinned = /^={2,3}\s*([^\s,*]+)$/.exec((match[2] ?? '').trim())?.[1];
    requirements.push({
      line,
      name: normalName(match[1] as string),
      version: pinned ?? (match[2]?.startsWith('@') ? match[2] : undefined),
    });
  }
  return { requirements, problems };
}

/** A wheel that linux/amd64 takes. */
const LINUX_WHEEL = /-(any|(many)?linux[^-]*x86_64)\.whl/;

interface LockedPackage {
  readonly name?: unknown;
  readonly version?: unknown;
  readonly wheels?: readonly { readonly url?: unknown; readonly size?: unknown }[];
}

/** The packages of a uv.lock: all pinned, with the sizes of their wheels. */
export function parseUvLock(text: string): Requirement[] {
  const document = Bun.TOML.parse(text) as { package?: readonly LockedPackage[] };
  return (document.package ?? []).flatMap(({ name, version, wheels }) => {
    if (typeof name !== 'string' || typeof version !== 'string') return [];
    const wheel = wheels?.find(({ url, size }) => typeof size === 'number' && LINUX_WHEEL.test(String(url)));
    return [{ line: 1, name: normalName(name), version, wheelBytes: wheel?.size as number | undefined }];
  });
}

/** Packages that decide what a model answers, or in what form it is written. */
const DECIDING = [
  'scikit-learn',
  'numpy',
  'scipy',
  'skl2onnx',
  'onnxmltools',
  'onnx',
  'lightgbm',
  'xgboost',
  'catboost',
  'torch',
  'tensorflow',
  'tf2onnx',
  'keras',
];

/**
 * What the training environment tells: a model can only be trained again from pinned packages, in the versions that made it.
 * @param environment what training really imported, from the golden file
 */
export function requirementsFindings(
  path: string,
  requirements: readonly Requirement[],
  environment: Readonly<Record<string, string>>,
): Finding[] {
  const findings: Finding[] = [];
  const imported = Object.fromEntries(
    Object.entries(environment).map(([name, version]) => [normalName(name), version]),
  );
  const unpinned = requirements.filter((requirement) => requirement.version === undefined);
  if (unpinned.length > 0) {
    const pins = unpinned.flatMap(({ name }) => (imported[name] ? [`${name}==${imported[name]}`] : []));
    findings.push({
      code: 'TRAIN_UNPINNED',
      severity: 'warning',
      path,
      message: `not pinned: ${unpinned.map(({ name, line }) => `${name} (line ${line})`).join(', ')}`,
      hint:
        pins.length > 0
          ? `The model was made with other versions than pip may take next time. Write ${pins.join(', ')}.`
          : 'Pin exact versions (==), so that the model can be trained again.',
    });
  }
  for (const { name, version } of requirements) {
    const made = imported[name];
    if (made !== undefined && version !== undefined && !version.startsWith('@') && made !== version) {
      findings.push({
        code: 'TRAIN_VERSION_SKEW',
        severity: 'warning',
        path,
        message: `${name} is pinned to ${version}, and the model was made with ${made}`,
        hint: `Train again in an environment made from ${path}, or pin ${name}==${made}.${DECIDING.includes(name) ? ' This package decides what the model answers.' : ''}`,
      });
    }
  }
  const gpu = requirements.filter(({ name }) =>
    /^(onnxruntime-gpu|tensorflow-gpu|cupy(-.*)?|nvidia-.*|.*-cu\d+)$/.test(name),
  );
  if (gpu.length > 0) {
    findings.push({
      code: 'TRAIN_GPU',
      severity: 'warning',
      path,
      message: `packages for GPUs: ${gpu.map(({ name }) => name).join(', ')}`,
      hint: 'The image serves on CPUs with its own ONNX Runtime: check golden cases that were made on a CPU.',
    });
  }
  return findings;
}
