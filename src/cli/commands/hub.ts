import { join } from 'node:path';
import type { Command } from '@commander-js/extra-typings';
import { InlayError } from '../../error/index.ts';
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
    .option('--manifests', 'print what runs the hub in a cluster')
    .option('--image <reference>', 'with --manifests: an image whose entry point is inlay')
    .option('-n, --namespace <name>', 'with --manifests: where it runs', 'inlay')
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
        const items = hubManifests({
          namespace: namespaceOf(options.namespace) ?? 'inlay',
          image: options.image,
          databaseSecret: options.databaseSecret,
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
  readonly insecureRegistry: string[];
  readonly caFile?: string | undefined;
}

async function runHub(flags: Flags, say: (line: string) => void, note: (text: string) => void): Promise<void> {
  const { Catalogue, databaseName, Hub, openLedger, parseAge, serveHub } = await import('../../inventory/index.ts');
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
  const registryIntervalMs = parseAge(flags.registryInterval);
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
      const server = serveHub({
        hub,
        reader,
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
        await hub.run();
      } finally {
        await server.stop();
      }
    },
    { retry: { tries: 3, maxTotalMs: 15_000, maxDelayMs: 3000 }, idleTimeoutMs: 20_000 },
  );
}
