// What runs the commands of README.md and docs/: a project, a registry, a cluster, and npm with inlay packed.
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
export type DocsPage = (typeof pages)[number];
const isCluster = ({ blocks }: DocsPage) => blocks.some(({ need }) => need === 'cluster');

/** Pages by their path, those whose commands need no cluster and those that do. */
export const pagesHere = pages.filter((one) => !isCluster(one)).map((one) => [one.page.path, one] as const);
export const pagesThere = pages.filter(isCluster).map((one) => [one.page.path, one] as const);

/** Where the commands of pages are run; what one page makes no other sees. */
export class DocsWorld {
  private constructor(
    readonly dir: string,
    readonly registry: RunningRegistry,
  ) {}

  static async start(): Promise<DocsWorld> {
    const dir = mkdtempSync(join(tmpdir(), 'inlay-e2e-docs-'));
    const registry = await startDockerRegistry();
    // The base is pinned where the mirror stands today, and composed here: a cluster's network may have no way to it.
    cpSync(join(ROOT, 'examples/iris'), join(dir, 'iris'), { recursive: true });
    for (const work of ['lock', 'build'])
      await must([join(ROOT, 'bin/inlay'), work, join(dir, 'iris')], { env: { INLAY_HOME: HOME } });
    return new DocsWorld(dir, registry);
  }

  async stop(): Promise<void> {
    await this.registry.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** @returns what went wrong */
  async here({ page, blocks }: DocsPage): Promise<unknown> {
    const own = this.#own(page.path);
    // Of its own: a tag names one image.
    const registry = `${this.registry.host}/${basename(own).toLowerCase()}`;
    return runPage(page, blocks, { dir: own, home: HOME, registry, prelude: await this.#prelude(own) });
  }

  /** Beside the cluster. @returns what went wrong */
  async there({ page, blocks }: DocsPage): Promise<unknown> {
    const { command, kubeconfig, registry: host, tryKubectl } = cluster();
    const own = this.#own(page.path);
    const clear = (): ReturnType<Cluster['tryKubectl']> =>
      tryKubectl(['delete', 'namespace', NAMESPACE, '--ignore-not-found']);
    await clear();
    try {
      return await runPage(page, blocks, {
        dir: own,
        home: HOME,
        registry: `${host}/docs/${basename(own).toLowerCase()}`,
        namespace: NAMESPACE,
        env: { KUBECONFIG: kubeconfig },
        command,
        prelude: await this.#prelude(own, host),
      });
    } finally {
      await clear();
    }
  }

  #own(path: string): string {
    return mkdtempSync(join(this.dir, `${path.replaceAll('/', '-')}-`));
  }

  /** inlay is not published yet: npm is given the packed one. A cluster's registry speaks HTTP, which a real one would not. */
  async #prelude(own: string, insecure?: string): Promise<string> {
    const lines = [
      'export COSIGN_PASSWORD=docs',
      `cosign() { ${await cosign()} "$@"; }`,
      `kubectl() { "$(bash "$INLAY_CHECKOUT"/e2e/cluster/cluster bin)"/kubectl "$@"; }`,
      `cp ${join(this.dir, 'iris', 'inlay.lock')} inlay.lock`,
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
}
