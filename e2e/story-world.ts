// A real cluster under two names, followed by two hubs: one keeps its ledger in SQLite, the other in Postgres.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Interval, Timeline } from '../src/inventory/index.ts';
import { cluster } from './cluster.ts';
import { crane } from './go-programs.ts';
import { must } from './inlay.ts';
import { type Postgres, startPostgres } from './postgres.ts';
import { until, World } from './release/world.ts';

export interface StoryHub {
  readonly name: string;
  readonly url: string;
  /** What --database names. */
  readonly database: string;
}

export class StoryWorld extends World {
  /** Where the servers run that inlay did not build. */
  readonly others: string;
  readonly hubs: readonly StoryHub[];
  readonly #postgres: Postgres;
  #running: Bun.Subprocess[] = [];

  private constructor(postgres: Postgres, address: string) {
    super('story');
    this.others = `${this.namespace}-others`;
    this.#postgres = postgres;
    this.hubs = [
      { name: 'SQLite', url: 'http://127.0.0.1:18193', database: join(this.dir, 'ledger.db') },
      { name: 'Postgres', url: 'http://127.0.0.1:18194', database: address },
    ];
  }

  static async begin(): Promise<StoryWorld> {
    const { command } = cluster();
    const postgres = await startPostgres(command);
    const world = new StoryWorld(postgres, await postgres.fresh());
    await world.makeNamespace();
    await world.cluster.kubectl(['create', 'namespace', world.others]);
    await world.#nameTwice();
    return world;
  }

  override async close(): Promise<void> {
    await this.killHubs();
    await this.cluster.tryKubectl(['delete', 'namespace', this.others, '--ignore-not-found', '--wait=false']);
    await super.close();
    await this.#postgres.stop();
  }

  get contexts(): string {
    return join(this.dir, 'contexts.json');
  }

  /** Two contexts of the one cluster. */
  async #nameTwice(): Promise<void> {
    const config = JSON.parse(
      await this.cluster.kubectl(['config', 'view', '--raw', '--flatten', '-o', 'json']),
    ) as Record<string, unknown> & { contexts: { context: object }[] };
    const context = config.contexts[0]?.context ?? {};
    const contexts = ['prod', 'prod-by-another-name'].map((name) => ({ name, context }));
    writeFileSync(this.contexts, JSON.stringify({ ...config, contexts, 'current-context': 'prod' }));
  }

  /** What a command is told: secrets go by the environment. */
  envOf({ database }: StoryHub): Record<string, string> {
    return { KUBECONFIG: this.contexts, INLAY_DATABASE: database, INLAY_HOME: join(this.dir, 'home') };
  }

  async startHubs(): Promise<void> {
    this.#running = this.hubs.map((hub) =>
      Bun.spawn(
        this.cluster.command([
          ...[join(import.meta.dir, '..', 'bin', 'inlay'), 'hub', '--all-contexts', '--port', new URL(hub.url).port],
          ...['--registry-interval', '1s', '--insecure-registry', this.cluster.registry],
        ]),
        { env: { ...process.env, ...this.envOf(hub) }, stdin: 'ignore', stdout: 'ignore', stderr: 'inherit' },
      ),
    );
    await this.everyHub('the cluster is watched', async (hub) => {
      const { clusters, writer } = await this.api<{ writer: boolean; clusters: { state: string }[] }>(
        hub,
        '/api/status',
      );
      return writer && clusters.some(({ state }) => state === 'watching');
    });
  }

  async killHubs(): Promise<void> {
    for (const hub of this.#running) hub.kill('SIGKILL');
    await Promise.all(this.#running.map(({ exited }) => exited));
    this.#running = [];
  }

  async api<T>(hub: StoryHub, path: string): Promise<T> {
    return JSON.parse(await this.cluster.must(['curl', '-sS', '-m', '10', hub.url + path])) as T;
  }

  timeline(hub: StoryHub): Promise<Timeline> {
    return this.api(hub, `/api/services/prod/${this.namespace}/iris/timeline`);
  }

  everyHub(what: string, fits: (hub: StoryHub) => Promise<boolean>): Promise<unknown> {
    return Promise.all(
      this.hubs.map((hub) => until(`${what}, in the hub on ${hub.name}`, () => fits(hub).catch(() => false))),
    );
  }

  /** Waits until every hub has written an interval of iris that goes on and fits. */
  observed(what: string, fits: (interval: Interval) => boolean): Promise<unknown> {
    return this.everyHub(what, async (hub) =>
      (await this.timeline(hub)).intervals.some((interval) => interval.observedTo === null && fits(interval)),
    );
  }

  /** An image of a Python server of long ago, as far as its files tell: it only waits. */
  async pythonImage(name: string, packages: Readonly<Record<string, string>>): Promise<string> {
    const { registry } = this.cluster;
    const root = join(this.dir, name);
    for (const [one, version] of Object.entries(packages)) {
      const info = join(root, 'usr/local/lib/python3.8/site-packages', `${one}-${version}.dist-info`);
      mkdirSync(info, { recursive: true });
      writeFileSync(join(info, 'METADATA'), `Metadata-Version: 2.1\nName: ${one}\nVersion: ${version}\n`);
    }
    mkdirSync(join(root, 'etc'), { recursive: true });
    writeFileSync(join(root, 'etc/os-release'), 'ID=debian\nVERSION_ID="10"\n');
    await must(['tar', '-C', root, '-cf', `${root}.tar`, '.']);
    const { tags } = JSON.parse(await this.cluster.must(['curl', '-sS', `http://${registry}/v2/pause/tags/list`])) as {
      tags: string[];
    };
    const image = `${registry}/${this.others}/${name}:latest`;
    const base = `${registry}/pause:${tags[0]}`;
    await this.cluster.must([await crane(), 'append', '--insecure', '-b', base, '-f', `${root}.tar`, '-t', image]);
    return image;
  }
}
