import { join } from 'node:path';
import { InlayError } from '../error/index.ts';
import type { Inventory } from '../inventory/index.ts';
import { openKubes } from './clusters.ts';
import { inlayHome } from './home.ts';
import { withRegistry } from './registry.ts';

/** What a scan of clusters is told. */
export interface ObserveFlags {
  readonly context: readonly string[];
  readonly allContexts?: true | undefined;
  readonly namespace?: string | undefined;
  readonly all?: true | undefined;
  readonly record?: true | undefined;
  readonly layerBytes: number;
  readonly insecureRegistry: string[];
  readonly caFile?: string | undefined;
  readonly progress: (text: string) => void;
}

/** Looks at what runs, and with `record` writes it into the ledger. @throws those of clusters and registries; LEDGER_UNAVAILABLE */
export async function observe(flags: ObserveFlags, database: string): Promise<Inventory> {
  const { Catalogue, openLedger, recordScan, scan } = await import('../inventory/index.ts');
  const { RegistryReader } = await import('../registry/index.ts');
  if (flags.record && flags.namespace !== undefined)
    throw new InlayError('USAGE', '--record needs all namespaces', {
      hint: 'Leave -n out: a ledger of a part would say that the rest has gone.',
    });
  return withRegistry(
    flags,
    async (registry, signal) => {
      const catalogue = new Catalogue({
        reader: new RegistryReader(registry, signal),
        cacheDir: join(inlayHome(process.env), 'inventory', 'images'),
        layerBytes: flags.layerBytes,
      });
      const kubes = await openKubes(flags, signal);
      const { clusters, ...inventory } = await scan({
        kubes,
        namespace: flags.namespace,
        catalogue,
        all: flags.all,
        onProgress: flags.progress,
      });
      if (flags.record) {
        await using ledger = await openLedger(database);
        await recordScan(ledger, clusters, [...catalogue.images()], Date.parse(inventory.observedAt));
      }
      return inventory;
    },
    // A registry that is away makes rows with unknown parts, which nobody wants to wait minutes for.
    { retry: { tries: 3, maxTotalMs: 15_000, maxDelayMs: 3000 }, idleTimeoutMs: 20_000 },
  );
}
