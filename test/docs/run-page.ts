import { cpSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { endOf } from '../end-of.ts';
import { freePort } from './free-port.ts';
import type { Block, Page } from './page.ts';

const ROOT = join(import.meta.dir, '../..');

export interface Place {
  /** A folder of its own for the page. */
  readonly dir: string;
  readonly home: string;
  /** Stands for registry.example.com. */
  readonly registry?: string;
  /** Stands for the namespaces of the pages. */
  readonly namespace?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The command line that runs a program where the page's servers are reachable. */
  readonly command?: (words: readonly string[]) => string[];
  /** Written before the page's own shell. */
  readonly prelude?: string;
}

/** Small enough for a cluster of one node. */
const SMALL =
  'replicas: {initial: 1, min: 1, max: 2}\n  canary: {steps: [50], interval: 5s, onInconclusive: pass, bake: 5s}';

/**
 * Runs blocks of a page, in order, in one shell that ends at the first command that fails.
 * @returns what went wrong, or undefined
 */
export async function runPage(page: Page, blocks: readonly Block[], place: Place): Promise<string | undefined> {
  const port = await freePort();
  const grpcPort = await freePort();
  const work = join(realpathSync(place.dir), 'work');
  cpSync(join(ROOT, page.project), work, { recursive: true });
  const config = join(work, 'inlay.yaml');
  if (page.withoutConfig) rmSync(config);
  else writeFileSync(config, placed(withImage(readFileSync(config, 'utf8')), place));
  const bin = join(place.dir, 'bin');
  mkdirSync(bin);
  const script = [
    // `-m`: a background job is a process group of its own, which ends as a whole.
    'set -emE -o pipefail',
    'started=',
    'trap \'echo "failed at block $block: $BASH_COMMAND" >&2\' ERR',
    "trap 'for pid in $started; do kill -- -$pid 2>/dev/null || true; done; wait' EXIT",
    place.prelude ?? '',
    ...blocks.flatMap(({ text, serve, line }) => {
      const own = placed(text, place).replaceAll(/\b(localhost|127\.0\.0\.1):8000\b/g, `$1:${port}`);
      if (!serve) return [`block=${line}`, own];
      const ready = `127.0.0.1:${port}${own.includes('inlay hub') ? '/healthz' : '/health/ready'}`;
      return [
        `block=${line}`,
        `{ ${own.replaceAll(/inlay (run|hub) /g, `inlay $1 --port ${port} `)}\n} & started="$started $!"`,
        // `kill -0` ends the page where the server has ended.
        `for i in $(seq 600); do curl -sf -o /dev/null ${ready} && break; kill -0 $!; sleep 0.1; done`,
        `curl -sf -o /dev/null ${ready}`,
      ];
    }),
  ].join('\n');
  const file = join(place.dir, 'page.sh');
  writeFileSync(file, `${script}\n`);
  const words = ['bash', '--norc', file];
  const child = Bun.spawn(place.command?.(words) ?? words, {
    cwd: work,
    env: {
      ...process.env,
      PATH: `${bin}:${join(ROOT, 'bin')}:${process.env.PATH}`,
      INLAY_HOME: place.home,
      INLAY_CHECKOUT: ROOT,
      PORT: String(port),
      GRPC_PORT: String(grpcPort),
      // Nobody is served any more when a page ends.
      DRAIN_S: '0',
      ...place.env,
    },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const { stdout, stderr, code } = await endOf(child);
  return code === 0 ? undefined : `${page.path} ended with ${code}\n${stdout.slice(-3000)}\n${stderr.slice(-3000)}`;
}

/** The example's configuration with what a page supposes: an image in a registry, few replicas. */
function withImage(yaml: string): string {
  const image = /^image:/m.test(yaml) ? '' : 'image: registry.example.com/ml/iris\n';
  return `${image}${yaml}`.replace(/^ {2}replicas: .*$/m, `  ${SMALL}`).replace(/cpu: \d+m/, 'cpu: 100m');
}

function placed(text: string, { registry, namespace }: Place): string {
  const own = registry === undefined ? text : text.replaceAll('registry.example.com', registry);
  return namespace === undefined
    ? own
    : own
        .replaceAll(/(-n |--namespace |--namespace=|^ {2}namespace: )(ml|iris)\b/gm, `$1${namespace}`)
        .replaceAll(/\bci:runner\b/g, `${namespace}:runner`);
}
