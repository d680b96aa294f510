import { resolve } from 'node:path';
import type { Journal, Kube, Preflight, ReleaseImage } from '../cluster/index.ts';
import type { EnvironmentConfig } from '../contract/index.ts';
import { InlayError } from '../error/index.ts';
import type { Registry } from '../registry/index.ts';
import type { Output } from './output.ts';

/** What a release is looked at with before anything is changed. */
export interface Look {
  readonly kube: Kube;
  readonly namespace: string;
  readonly image: ReleaseImage;
  readonly own: EnvironmentConfig | undefined;
  readonly journal: Journal;
  readonly registry: Registry;
  readonly signal: AbortSignal;
  /** The folder that paths of inlay.yaml are relative to. */
  readonly dir: string;
  readonly environment: string | undefined;
  readonly allowBreaking: boolean;
  readonly forceConflicts: boolean;
}

export async function lookFirst(look: Look): Promise<Preflight> {
  const { kube, namespace, image, own, journal, registry, signal, dir, environment } = look;
  const { preflight, stableRelease } = await import('../cluster/index.ts');
  const { diffContracts } = await import('../check/index.ts');
  const { withDefaults } = await import('../contract/index.ts');
  const stable = stableRelease(journal);
  const deploy = withDefaults(own ?? stable?.deploy ?? {}, own === undefined ? stable?.environment : environment);
  const found = await preflight({
    kube,
    plan: { service: image.contract.name, namespace, image, deploy },
    journal,
    allowBreaking: look.allowBreaking,
    forceConflicts: look.forceConflicts,
    breaking: (from, to) =>
      diffContracts(from, to)
        .filter(({ verdict }) => verdict === 'breaking')
        .map(({ what, from, to }) => `${what} ${from ?? 'none'} → ${to ?? 'none'}`),
  });
  if (deploy.verify === undefined) return found;
  return {
    ...found,
    findings: [...found.findings, ...(await signature(resolve(dir, deploy.verify.key), image, registry, signal))],
  };
}

/** @returns what stands against the image where it is not signed by the key */
async function signature(
  keyPath: string,
  { reference }: ReleaseImage,
  registry: Registry,
  signal: AbortSignal,
): Promise<Preflight['findings']> {
  const { attachmentsInRegistry, parseReference } = await import('../registry/index.ts');
  const { readPublicKey, verifyImage } = await import('../supply/index.ts');
  const key = await readPublicKey(keyPath);
  try {
    await verifyImage(
      await attachmentsInRegistry({ registry, reference: parseReference(reference), write: false, signal }),
      key,
    );
    return [];
  } catch (error) {
    if (
      !(error instanceof InlayError) ||
      !['SIGNATURE_MISSING', 'SIGNATURE_INVALID', 'CONTRACT_INVALID'].includes(error.code)
    )
      throw error;
    return [{ check: 'signature', severity: 'error', message: error.message, hint: error.hint }];
  }
}

export async function journalOf(who: {
  readonly kube: Kube;
  readonly namespace: string;
  readonly service: string;
}): Promise<Journal> {
  const { JournalStore } = await import('../cluster/index.ts');
  return new JournalStore(who.kube, who.namespace, who.service).open();
}

const KINDS: Readonly<Record<Preflight['kind'], string>> = {
  first: 'a first release',
  canary: 'a canary beside stable',
  direct: 'the same image, at once',
  unchanged: 'nothing changes',
};

/** What the preflight found, for people. */
export function describePreflight({ findings, changes, kind }: Preflight): string[] {
  return [
    KINDS[kind],
    ...changes.flatMap(({ object, changes: fields }) =>
      fields === undefined
        ? [`+ ${object}`]
        : [`~ ${object}`, ...fields.map(({ path, from, to }) => `    ${path}: ${short(from)} → ${short(to)}`)],
    ),
    ...findings.map(
      ({ severity, check, message, hint }) => `${severity} ${check}: ${message}${hint ? `\n  ${hint}` : ''}`,
    ),
  ];
}

/** A value with its digests cut to what tells them apart. */
function short(value: string | undefined): string {
  return value === undefined ? 'none' : value.replace(/(sha256:[0-9a-f]{12})[0-9a-f]{52}/g, '$1…');
}

/** @throws RELEASE_REFUSED */
export function refuse(found: Preflight, output: Output): void {
  for (const line of describePreflight(found)) output.progress(line);
  const errors = found.findings.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return;
  throw new InlayError('RELEASE_REFUSED', errors.map(({ message }) => message).join('; '), {
    hint: errors.map(({ hint }) => hint ?? '').find((hint) => hint !== ''),
  });
}
