import { join } from 'node:path';
import type { ImageReference, Registry } from '../registry/index.ts';
import type { Env, Examined, Work } from './finding.ts';
import { examineCluster, examineEngines, examineRegistries, examineSigning } from './places.ts';
import { examineBase, examineBun, examineGit, examinePlatform, examineRuntime, examineStore } from './toolchain.ts';

export interface Examination {
  readonly registry: Registry;
  /** inlay's folder for images and caches. */
  readonly home: string;
  readonly env: Env;
  readonly uid: number | undefined;
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  /** Repositories that a project names. */
  readonly repositories: readonly ImageReference[];
  /** Only what this work needs; all when empty. */
  readonly work: readonly Work[];
  readonly signal: AbortSignal;
}

/** Looks at what a machine has of all that inlay's work needs. Changes nothing but a probe file in `home`; what is asked takes seconds. */
export async function examine(options: Examination): Promise<readonly Examined[]> {
  const { registry, home, env, work, signal } = options;
  const wanted = (...kinds: readonly Work[]) => work.length === 0 || kinds.some((kind) => work.includes(kind));
  const when = <T>(kinds: readonly Work[], look: () => T | Promise<T>): Promise<T>[] =>
    wanted(...kinds) ? [Promise.resolve(look())] : [];
  const found = await Promise.all([
    ...when(['build', 'run'], () => examineBun(Bun.version)),
    ...when(['run'], () => examinePlatform(process.platform, process.arch)),
    ...when(['build'], () => examineBase(env)),
    ...when(['build'], () => examineRuntime(join(home, 'cache'), env)),
    ...when(['build'], () => examineGit(env)),
    ...when(['build', 'run'], () => examineStore(home)),
    ...when(['run'], () => examineEngines(env, options.uid)),
    ...when(['push'], () => examineRegistries(registry, options.repositories, signal)),
    ...when(['sign'], () => examineSigning(env)),
    ...when(['deploy'], () => examineCluster(options, signal)),
  ]);
  return found.flat();
}
