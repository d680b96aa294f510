import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type Project, serializeContract } from '../contract/index.ts';
import { InlayError } from '../error/index.ts';
import { checkProject } from './check.ts';

/** Only a good verdict is kept: what fails is checked again. */
const verdictSchema = z.object({ schemaVersion: z.literal(1), ok: z.literal(true) });

/**
 * Refuses a project that `check` refuses. A verdict is kept by the contract (with the model's and the golden file's digest
 * in it, and what was accepted), the labels and inlay's version, so that a second build of the same does not check again.
 * @param cacheDir where verdicts lie @returns true when an earlier verdict stood
 * @throws CHECK_FAILED with every error, or the error itself when there is one
 */
export async function requireGood(project: Project, cacheDir: string, inlayVersion: string): Promise<boolean> {
  const path = join(cacheDir, `${await keyOf(project, inlayVersion)}.json`);
  if (
    existsSync(path) &&
    verdictSchema.safeParse(
      await readFile(path, 'utf8')
        .then(JSON.parse)
        .catch(() => undefined),
    ).success
  )
    return true;
  const { findings } = await checkProject(project.dir, project);
  const accepted: readonly string[] = project.contract.accepted ?? [];
  const errors = findings.filter(({ severity, code }) => severity === 'error' && !accepted.includes(code));
  const [only, second] = errors;
  if (only) {
    const rows = errors.map(
      (finding) => `\n    ${finding.code}: ${finding.message}${finding.hint ? `\n      ${finding.hint}` : ''}`,
    );
    throw new InlayError(
      'CHECK_FAILED',
      second
        ? `${errors.length} errors keep the model from being released:${rows.join('')}`
        : `the model cannot be released:${rows.join('')}`,
      {
        hint: 'inlay check tells all that was found.',
      },
    );
  }
  await mkdir(cacheDir, { recursive: true });
  const temporary = `${path}.${randomUUID()}`;
  await writeFile(temporary, JSON.stringify({ schemaVersion: 1, ok: true }));
  await rename(temporary, path);
  return false;
}

async function keyOf(project: Project, inlayVersion: string): Promise<string> {
  const hash = createHash('sha256').update(`${inlayVersion}\n${serializeContract(project.contract)}`);
  if (project.labelsPath !== undefined) hash.update(await readFile(project.labelsPath));
  return hash.digest('hex');
}
