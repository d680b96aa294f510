// The commands of README.md and docs/ that need the network, a registry or a cluster, in order with the others of their page.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { allPages } from '../test/docs/pages.ts';
import { runPage } from '../test/docs/run-page.ts';
import { type Cluster, cluster } from './cluster.ts';
import { cosign } from './go-programs.ts';
import { must, ROOT } from './inlay.ts';
import { type RunningRegistry, startDockerRegistry } from './registries.ts';

const HOME = process.env.INLAY_E2E_HOME ?? join(homedir(), '.cache', 'inlay-e2e');
const NAMESPACE = 'inlay-docs';

const pages = (await allPages())
  .map((page) => ({ page, blocks: page.blocks.filter(({ need }) => need !== 'checkout') }))
  .filter(({ blocks }) => blocks.some(({ need }) => need !== 'nothing'));
const isCluster = ({ blocks }: (typeof pages)[number]) => blocks.some(({ need }) => need === 'cluster');

let dir: string;
let registry: RunningRegistry;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-e2e-docs-'));
  registry = await startDockerRegistry();
  // The base is pinned where the mirror stands today, and composed here: a cluster's network may have no way to it.
  cpSync(join(ROOT, 'examples/iris'), join(dir, 'iris'), { recursive: true });
  for (const work of ['lock', 'build'])
    await must([join(ROOT, 'bin/inlay'), work, join(dir, 'iris')], { env: { INLAY_HOME: HOME } });
});
afterAll(async () => {
  await registry?.stop();
  rmSync(dir, { recursive: true, force: true });
});

const here = pages.filter((one) => !isCluster(one));
test.each(here.map((one) => [one.page.path, one] as const))(
  'the commands of %s run',
  async (path, { page, blocks }) => {
    const own = mkdtempSync(join(dir, `${path.replaceAll('/', '-')}-`));
    // Of its own: a tag names one image.
    const place = {
      dir: own,
      home: HOME,
      registry: `${registry.host}/${basename(own).toLowerCase()}`,
      prelude: await prelude(own),
    };
    expect(await runPage(page, blocks, place)).toBeUndefined();
  },
);

const there = pages.filter(isCluster);
test.each(there.map((one) => [one.page.path, one] as const))(
  'the commands of %s run beside a cluster',
  async (path, { page, blocks }) => {
    const { command, kubeconfig, registry: host, tryKubectl } = cluster();
    const own = mkdtempSync(join(dir, `${path.replaceAll('/', '-')}-`));
    const clear = (): ReturnType<Cluster['tryKubectl']> =>
      tryKubectl(['delete', 'namespace', NAMESPACE, '--ignore-not-found']);
    await clear();
    try {
      const place = {
        dir: own,
        home: HOME,
        registry: `${host}/docs/${basename(own).toLowerCase()}`,
        namespace: NAMESPACE,
        env: { KUBECONFIG: kubeconfig },
        command,
        prelude: await prelude(own, host),
      };
      expect(await runPage(page, blocks, place)).toBeUndefined();
    } finally {
      await clear();
    }
  },
);

/** inlay is not published yet: npm is given the packed one. A cluster's registry speaks HTTP, which a real one would not. */
async function prelude(own: string, insecure?: string): Promise<string> {
  const lines = [
    'export COSIGN_PASSWORD=docs',
    `cosign() { ${await cosign()} "$@"; }`,
    `kubectl() { "$(bash "$INLAY_CHECKOUT"/e2e/cluster/cluster bin)"/kubectl "$@"; }`,
    `cp ${join(dir, 'iris', 'inlay.lock')} inlay.lock`,
    `npm() {
  local words=() word
  for word in "$@"; do if [ "$word" = inlay ]; then word=$(packed); fi; words+=("$word"); done
  case " $* " in *' --global '*) words+=(--prefix "${own}/prefix") ;; esac
  command npm "\${words[@]}"
}
packed() {
  if ! ls "${own}"/inlay-*.tgz >/dev/null 2>&1; then (cd "$INLAY_CHECKOUT" && command npm pack --silent --pack-destination "${own}" >/dev/null); fi
  ls "${own}"/inlay-*.tgz
}
`,
  ];
  if (insecure !== undefined) {
    lines.push(`kubectl create namespace ${NAMESPACE} >/dev/null
inlay() {
  case " $(command inlay "$1" --help) " in
    *--insecure-registry*) command inlay "$@" --insecure-registry ${insecure} ;;
    *) command inlay "$@" ;;
  esac
}`);
  }
  return lines.join('\n');
}
