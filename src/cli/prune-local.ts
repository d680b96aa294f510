import { join } from 'node:path';
import type { planStore, StoreDocument } from '../prune/index.ts';

/** What of INLAY_HOME goes, and the way to do it. */
export interface LocalPlan {
  readonly document: StoreDocument;
  /** @returns the bytes that are free */
  readonly sweep: () => Promise<number>;
}

/** The plan of the store, and of what training and runs keep beside it. */
export async function planLocal(home: string, options: Parameters<typeof planStore>[1]): Promise<LocalPlan> {
  const prune = await import('../prune/index.ts');
  const { storeDir } = await import('../image/index.ts');
  // Where `inlay release` and `inlay init` make them, and where `inlay release` and `inlay run` do.
  const [trained, ran] = [join(home, 'training', 'environments'), join(home, 'run', 'rootfs')];
  const state = await prune.readStore(storeDir(home));
  const plan = await prune.planStore(state, options);
  const environments = await prune.oldEnvironments(trained, options);
  const rootFileSystems = await prune.oldRootFileSystems(ran, options);
  return {
    document: prune.storeDocument(state.layout.dir, plan, { environments, rootFileSystems }),
    sweep: async () =>
      (await prune.sweepStore(state, plan)) +
      (await prune.removeEnvironments(trained, environments)) +
      (await prune.removeRootFileSystems(rootFileSystems)),
  };
}
