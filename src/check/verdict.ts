import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type AnyProject, type Project, serializeContract } from '../contract/index.ts';
import { InlayError } from '../error/index.ts';
import { checkProject } from './check.ts';
import type { Finding } from './finding.ts';

/** Only a good verdict is kept: what fails is checked again. */
const verdictSchema = z.object({ schemaVersion: z.literal(1), ok: z.literal(true) });

/**
 * Refuses a project that `check` refuses. A verdict is kept by the contract (with the model's and the golden file's digest
 * in it, and what was accepted), the labels and inlay's version, so that a second build of the same does not check again.
 * @param cacheDir where verdicts lie @returns true when an earlier verdict stood
 * @throws CHECK_FAILED with every error
 */
export async function requireGood(project: AnyProject, cacheDir: string, inlayVersion: string): Promise<boolean> {
  // What is told of an opaque model is known when it has been read.
  const path = project.format === 'onnx' ? join(cacheDir, `${await keyOf(project, inlayVersion)}.json`) : undefined;
  if (path !== undefined && (await stands(path))) return true;
  const { findings } = await checkProject(project.dir, project);
  const accepted: readonly string[] = project.contract.accepted ?? [];
  refuse(findings.filter(({ severity, code }) => severity === 'error' && !accepted.includes(code)));
  if (path === undefined) return false;
  await mkdir(cacheDir, { recursive: true });
  const temporary = `${path}.${randomUUID()}`;
  await writeFile(temporary, JSON.stringify({ schemaVersion: 1, ok: true }));
  await rename(temporary, path);
  return false;
}

async function stands(path: string): Promise<boolean> {
  if (!existsSync(path)) return false;
  const text = await readFile(path, 'utf8');
  try {
    return verdictSchema.safeParse(JSON.parse(text)).success;
  } catch {
    return false;
  }
}

/** @throws CHECK_FAILED where there is an error */
function refuse(errors: readonly Finding[]): void {
  if (errors.length === 0) return;
  const rows = errors.map(
    (finding) => `\n    ${finding.code}: ${finding.message}${finding.hint ? `\n      ${finding.hint}` : ''}`,
  );
  throw new InlayError(
    'CHECK_FAILED',
    errors.length > 1
      ? `${errors.length} errors keep the model from being released:${rows.join('')}`
      : `the model cannot be released:${rows.join('')}`,
    { hint: 'inlay check tells all that was found.' },
  );
}

async function keyOf(project: Project, inlayVersion: string): Promise<string> {
  const hash = createHash('sha256').update(`${inlayVersion}\n${serializeContract(project.contract)}`);
  if (project.labelsPath !== undefined) hash.update(await readFile(project.labelsPath));
  return hash.digest('hex');
}
