import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Project } from '../contract/index.ts';
import { InlayError } from '../error/index.ts';
import type { Fact, Finding } from './finding.ts';
import { leftOut } from './left-out.ts';
import { onnxRelease } from './onnx-releases.ts';
import { normalName, parseRequirements, parseUvLock, type Requirement, requirementsFindings } from './requirements.ts';

interface Read {
  readonly file: string;
  readonly requirements: readonly Requirement[];
  readonly problems: readonly { readonly line: number; readonly text: string }[];
}

/**
 * What the training environment tells: the file that `training.requirements` names, or else requirements.txt or uv.lock
 * in the project's folder (MLflow writes a requirements.txt beside its models).
 * @throws FILE_NOT_FOUND
 */
export async function checkTraining(project: Project): Promise<{ facts: Fact[]; findings: Finding[] }> {
  const read = await readEnvironment(project);
  if (!read) return { facts: [], findings: [] };
  const { file, requirements, problems } = read;
  const broken = problems.map(
    ({ line, text }): Finding => ({
      code: 'TRAIN_REQUIREMENTS_INVALID',
      severity: 'warning',
      path: file,
      message: `line ${line} is no requirement: ${text.slice(0, 80)}`,
      hint: 'pip would refuse it too.',
    }),
  );
  const environment = project.contract.golden?.environment ?? {};
  const imported = new Set(Object.keys(environment).map(normalName));
  const saved = await leftOut(
    requirements,
    ['.venv', 'venv'].map((name) => join(project.dir, name)),
  );
  return {
    facts: saved === undefined ? [] : [{ topic: 'training', text: saved }],
    findings: [
      ...broken,
      ...requirementsFindings(file, requirements, environment),
      ...converterFindings(
        file,
        // What training says that it imported is better evidence, and is told above.
        requirements.filter(({ name }) => !imported.has(name)),
        project.contract.model,
      ),
    ],
  };
}

/** Whether the pinned packages can have written this very model: the converter signs it, and onnx bounds its opsets. */
export function converterFindings(
  path: string,
  requirements: readonly Requirement[],
  model: Pick<Project['contract']['model'], 'irVersion' | 'opsets' | 'producer'>,
): Finding[] {
  const findings: Finding[] = [];
  const warn = (message: string, hint: string) =>
    void findings.push({ code: 'TRAIN_CONVERTER_SKEW', severity: 'warning', path, message, hint });
  const { name, version } = model.producer;
  const converter = requirements.find((one) => one.name === normalName(name));
  if (converter?.version !== undefined && /^\d/.test(converter.version) && /^\d/.test(version)) {
    if (converter.version !== version)
      warn(
        `${converter.name} is pinned to ${converter.version}, and the model says that ${version} wrote it`,
        `Convert it again in an environment made from ${path}, or pin ${converter.name}==${version}.`,
      );
  }
  const onnx = requirements.find((one) => one.name === 'onnx');
  const release = onnx?.version === undefined ? undefined : onnxRelease(onnx.version);
  if (!onnx || !release) return findings;
  const beyond = [
    ...(model.irVersion > release.irVersion ? [`IR ${model.irVersion} (it writes up to ${release.irVersion})`] : []),
    ...model.opsets.flatMap(({ domain, version: opset }) => {
      const most =
        domain === '' || domain === 'ai.onnx' ? release.opset : domain === 'ai.onnx.ml' ? release.mlOpset : undefined;
      return most !== undefined && opset > most ? [`${domain || 'ai.onnx'} opset ${opset} (up to ${most})`] : [];
    }),
  ];
  if (beyond.length > 0)
    warn(
      `onnx ${onnx.version} cannot have written this model: it has ${beyond.join(', ')}`,
      `The model was converted in another environment. Convert it again in one made from ${path}.`,
    );
  return findings;
}

async function readEnvironment(project: Project): Promise<Read | undefined> {
  const stated = project.config.training?.requirements;
  if (stated !== undefined && !existsSync(join(project.dir, stated)))
    throw new InlayError('FILE_NOT_FOUND', `training.requirements: no file ${stated} in ${project.dir}`, {
      hint: 'Check training: in inlay.yaml.',
    });
  const file = stated ?? ['requirements.txt', 'uv.lock'].find((name) => existsSync(join(project.dir, name)));
  if (file === undefined) return undefined;
  const text = await readFile(join(project.dir, file), 'utf8');
  if (!file.endsWith('.lock')) return { file, ...parseRequirements(text) };
  try {
    return { file, requirements: parseUvLock(text), problems: [] };
  } catch (error) {
    return { file, requirements: [], problems: [{ line: 1, text: (error as Error).message }] };
  }
}
