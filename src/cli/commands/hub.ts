import { join } from 'node:path';
import type { Command } from '@commander-js/extra-typings';
import type { Kube } from '../../cluster/index.ts';
import { InlayError } from '../../error/index.ts';
import type { Hub } from '../../inventory/index.ts';
import type { Declaration } from '../../prune/index.ts';
import type { Registry } from '../../registry/index.ts';
import { namespaceOf } from '../cluster.ts';
import { openKubes } from '../clusters.ts';
import { databaseOf } from '../database.ts';
import { inlayHome } from '../home.ts';
import { createOutput } from '../output.ts';
import { CA_FILE, INSECURE_REGISTRY, withRegistry } from '../registry.ts';

const collect = (value: string, before: string[]): string[] => [...before, value];

export function addHub(program: Command): void {
  program
    .command('hub')
    .summary('watches clusters and registries, and keeps the ledger')
    .description(
      'Follows what runs, writes its history, and answers over HTTP: an API, metrics for Prometheus, live events. It only reads clusters and registries.',
    )
    .option(
      '--context <name>',
      "a context of the kubeconfig; repeatable (default: the kubeconfig's own)",
      collect,
      [] as string[],
    )
    .option('--all-contexts', 'every context of the kubeconfig; those of one cluster count once')
    .option('--all', 'every workload, not only what looks like a model server')
    .option(
      '--host <address>',
      'where to listen; any other than loopback needs a token in INLAY_HUB_TOKEN',
      '127.0.0.1',
    )
    .option('--port <port>', 'where to listen', '8090')
    .option(
      '--database <url>',
      'the ledger: a file, or postgres://USER@HOST/NAME with the password in PGPASSWORD (default: INLAY_DATABASE, else ledger.db in INLAY_HOME)',
    )
    .option('--registry-interval <duration>', 'how often tags are asked for', '5m')
    .option(
      '--layer-limit <bytes>',
      'of images that do not tell their packages, read layers up to so many bytes; 0 for none',
      '2000000000',
    )
    .option(
      '--prune <file>',
      'an inlay.yaml, or a file of several repositories, whose plans are shown and whose storage is recorded; repeatable (default: the repositories of what runs)',
      collect,
      [] as string[],
    )
    .option('--storage-interval <duration>', 'how often storage is recorded', '1d')
    .option('--manifests', 'print what runs the hub in a cluster')
    .option('--image <reference>', 'with --manifests: an image whose entry point is inlay')
    .option('-n, --namespace <name>', 'with --manifests: where it runs', 'inlay')
    .option(
      '--registry-secret <name>',
      'with --manifests: the Secret (dockerconfigjson) with its logins at registries, which may only read',
    )
    .option('--kubeconfig-secret <name>', 'with --manifests: the Secret whose key config leads to further clusters')
    .option('--pull-secret <name>', 'with --manifests: for the image itself; repeatable', collect, [] as string[])
    .option('--database-secret <name>', 'with --manifests: the Secret whose key url is the address of Postgres')
    .option(...INSECURE_REGISTRY)
    .option(...CA_FILE)
    .option('--json', 'with --manifests: print a List as JSON')
    .action(async (options) => {
      const output = createOutput(options.json === true);
      if (options.manifests) {
        if (options.image === undefined)
          throw new InlayError('USAGE', '--manifests needs --image', {
            hint: 'inlay cli-image REGISTRY/REPOSITORY --push makes an image of inlay, and prints its name.',
          });
        const { hubManifests } = await import('../../inventory/index.ts');
        const { toYaml } = await import('../../cluster/index.ts');
        const { DECLARATION_FILE, joined, mountedDeclaration, readDeclaration } = await import('../../prune/index.ts');
        const files =
          options.prune.length > 0 &&
          (await mountedDeclaration(joined(await Promise.all(options.prune.map(readDeclaration)))));
        const items = hubManifests({
          namespace: namespaceOf(options.namespace) ?? 'inlay',
          image: options.image,
          databaseSecret: options.databaseSecret,
          registrySecret: options.registrySecret,
          kubeconfigSecret: options.kubeconfigSecret,
          imagePullSecrets: options.pullSecret,
          declaration: files ? { files, path: DECLARATION_FILE } : undefined,
          insecureRegistries: options.insecureRegistry,
        });
        return output.result(toYaml(items), { apiVersion: 'v1', kind: 'List', items });
      }
      await runHub(
        options,
        (line) => process.stdout.write(`${line}\n`),
        (text) => output.progress(text),
      );
    });
}

interface Flags {
  readonly context: readonly string[];
  readonly allContexts?: true | undefined;
  readonly all?: true | undefined;
  readonly host: string;
  readonly port: string;
  readonly database?: string | undefined;
  readonly registryInterval: string;
  readonly layerLimit: string;
  readonly prune: readonly string[];
  readonly storageInterval: string;
  readonly insecureRegistry: string[];
  readonly caFile?: string | undefined;
}

async function runHub(flags: Flags, say: (line: string) => void, note: (text: string) => void): Promise<void> {
  const { Catalogue, databaseName, Hub, openLedger, parseAge, PruneWatch, serveHub } = await import(
    '../../inventory/index.ts'
  );
  const { contractOfImage, RegistryReader } = await import('../../registry/index.ts');
  const { OciLayout, parsePlatform, storeDir } = await import('../../image/index.ts');
  const port = Number(flags.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new InlayError('USAGE', `--port ${flags.port} is no port`, { hint: '0 to 65535.' });
  const layerBytes = Number(flags.layerLimit);
  if (!Number.isFinite(layerBytes) || layerBytes < 0)
    throw new InlayError('USAGE', `--layer-limit ${flags.layerLimit} is no number of bytes`, {
      hint: 'For example 500000000.',
    });
  const interval = (name: string, text: string): number => {
    const ms = parseAge(text);
    if (ms >= 1000) return ms;
    throw new InlayError('USAGE', `${name} ${text} is too often`, { hint: 'A second at least.' });
  };
  const registryIntervalMs = interval('--registry-interval', flags.registryInterval);
  const recordEveryMs = interval('--storage-interval', flags.storageInterval);
  const { joined, readDeclaration } = await import('../../prune/index.ts');
  const declaration = joined(await Promise.all(flags.prune.map(readDeclaration)));
  const home = inlayHome(process.env);
  const url = databaseOf(flags.database);
  await using ledger = await openLedger(url);
  await withRegistry(
    flags,
    async (registry, signal) => {
      const reader = new RegistryReader(registry, signal);
      const catalogue = new Catalogue({ reader, cacheDir: join(home, 'inventory', 'images'), layerBytes });
      const layout = await OciLayout.open(storeDir(home));
      const kubes = await openKubes(flags, signal);
      const hub = new Hub({ kubes, catalogue, ledger, all: flags.all, registryIntervalMs, signal, onNote: note });
      const prune = new PruneWatch({
        plan: () => planOf({ registry, kubes, declaration, home, signal, repositories: () => repositoriesOf(hub) }),
        ledger,
        writes: () => hub.writes,
        recordEveryMs,
        freshMs: registryIntervalMs,
        signal,
        onNote: note,
      });
      const server = serveHub({
        hub,
        reader,
        prune,
        registryIntervalMs,
        host: flags.host,
        port,
        token: process.env.INLAY_HUB_TOKEN || undefined,
        contractOf: async ({ repository, digest, platforms }) =>
          (
            await contractOfImage({
              registry,
              layout,
              reference: `${repository}@${digest}`,
              platform: parsePlatform(platforms[0]?.platform ?? 'linux/amd64'),
              signal,
            })
          ).contract,
      });
      say(`dashboard  ${server.url}/`);
      say(
        `hub  ${server.url}  ${kubes.length} ${kubes.length === 1 ? 'context' : 'contexts'}, ledger ${databaseName(url)}`,
      );
      try {
        const recording = until(() => hub.ready, signal).then(() => prune.run());
        await hub.run();
        await recording;
      } finally {
        await server.stop();
      }
    },
    { retry: { tries: 3, maxTotalMs: 15_000, maxDelayMs: 3000 }, idleTimeoutMs: 20_000 },
  );
}

interface PlanWork {
  readonly registry: Registry;
  readonly kubes: readonly Kube[];
  readonly declaration: Declaration;
  readonly home: string;
  readonly signal: AbortSignal;
  /** Where no file names any. */
  readonly repositories: () => readonly string[];
}

/** What prune would do now, by the hub's own contexts; nothing is ever done. */
async function planOf({ registry, kubes, declaration, home, signal, repositories }: PlanWork) {
  const { Clusters, lockUses, planPrune, repositoryName, undeclared } = await import('../../prune/index.ts');
  const targets =
    declaration.targets.length > 0
      ? declaration.targets
      : repositories().map((repository) => undeclared(repositoryName(repository)));
  const clusters = await Clusters.open({
    contexts: kubes,
    named: false,
    others: async () => [],
    declared: new Set(targets.flatMap((target) => target.clusters ?? [])),
    keepLast: Math.max(1, ...targets.map(({ policy }) => policy.keepLast)),
  });
  const locked = await lockUses(declaration.locks);
  const plan = await planPrune({
    registry,
    targets,
    clusters,
    locked,
    dir: join(home, 'prune'),
    now: Date.now(),
    signal,
  });
  return plan.document;
}

/** Repositories of inlay's images that run: others' are nobody's to prune. */
function repositoriesOf(hub: Hub): string[] {
  const all = [...hub.catalogue.images()].filter(({ builtBy }) => builtBy === 'inlay');
  return [...new Set(all.map(({ repository }) => repository))].sort();
}

async function until(so: () => boolean, signal: AbortSignal): Promise<void> {
  while (!so() && !signal.aborted) await Bun.sleep(500);
}
