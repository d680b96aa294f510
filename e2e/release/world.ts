// What the tests of releases share: a namespace of their own, images of it, a load on its Service, and the journal as it lies there.
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { readProject } from '../../src/contract/index.ts';
import { buildImage, hostPlatform } from '../../src/image/index.ts';
import { type Cluster, cluster } from '../cluster.ts';
import { must, type Ran, ROOT } from '../inlay.ts';
import type { LoadOptions, LoadResult } from '../load.ts';
import { type Kind, modelOf, ROWS } from './models.ts';

const INLAY = join(ROOT, 'bin', 'inlay');
const HOME = process.env.INLAY_E2E_HOME ?? join(homedir(), '.cache', 'inlay-e2e');

export interface ImageOptions {
  readonly version: string;
  readonly kind?: Kind;
  readonly service?: string;
  readonly server?: string;
  /** More lines of inlay.yaml. */
  readonly config?: string;
  readonly files?: Readonly<Record<string, string>>;
  /** Built without being checked, as by a tool that asks nothing. */
  readonly unchecked?: boolean;
  readonly platform?: string;
  readonly registry?: string;
  /** Built on a server image of the cluster's registry, so beside the cluster. */
  readonly onServerImage?: boolean;
}

export interface Step {
  readonly name: string;
  readonly kind: string;
  readonly status: string;
  readonly startedAt?: string;
  readonly tookMs?: number;
  readonly weight?: { readonly asked: number; readonly achieved?: number; readonly replicas?: number };
  readonly verdict?: {
    readonly outcome: string;
    readonly reasons: readonly { readonly metric: string; readonly outcome: string }[];
  };
  readonly detail?: string;
}

export interface Release {
  readonly number: number;
  readonly kind: string;
  readonly state: string;
  readonly outcome?: string;
  readonly reason?: string;
  readonly steps: readonly Step[];
  readonly image: { readonly reference: string; readonly contract: { readonly version: string } };
  readonly stableFrom?: string;
  readonly stableTo?: string;
}

export interface Status {
  readonly service: string;
  readonly namespace: string;
  readonly phase: string;
  readonly stable?: {
    readonly reference: string;
    readonly version: string;
    readonly replicas: { readonly ready: number; readonly desired: number };
  };
  readonly canary?: {
    readonly reference: string;
    readonly version: string;
    readonly weight: { readonly asked: number; readonly achieved?: number };
  };
  readonly verdict?: {
    readonly outcome: string;
    readonly reasons: readonly { readonly metric: string; readonly outcome: string }[];
  };
  readonly steps: readonly Step[];
  readonly release?: Release;
  readonly holder?: string;
  readonly troubles: readonly { readonly cause: string; readonly message: string }[];
  readonly drift: readonly string[];
}

/** A load that runs. */
export interface Load {
  stop(): Promise<LoadResult>;
}

export class World {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly dir: string;
  readonly #children = new Set<Bun.Subprocess>();

  constructor(name: string) {
    this.cluster = cluster();
    this.namespace = `${name}-${Math.random().toString(36).slice(2, 7)}`;
    this.dir = mkdtempSync(join(tmpdir(), `inlay-e2e-${name}-`));
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill();
    await this.cluster.tryKubectl(['delete', 'namespace', this.namespace, '--ignore-not-found', '--wait']);
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** The namespace, as its owner makes it before others may work in it. */
  async makeNamespace(): Promise<void> {
    await this.cluster.kubectl(
      ['apply', '-f', '-'],
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: this.namespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
      }),
    );
  }

  /** The file of a service's deploy:, for --config. @param deploy YAML in one line */
  config(deploy: string, service = 'iris'): string {
    const file = join(this.dir, `${service}-${Bun.hash(deploy).toString(36)}.yaml`);
    writeFileSync(
      file,
      `name: ${service}\nversion: "0"\nmodel: model.onnx\ndeploy: {namespace: ${this.namespace}, ${deploy}}\n`,
    );
    return file;
  }

  /** Builds and pushes an image. @returns its reference by tag */
  async image(options: ImageOptions): Promise<string> {
    const { version, kind = 'good', service = 'iris', server = '{cpu: 500m, memory: 300Mi}' } = options;
    const project = join(this.dir, `${service}-${version}`);
    mkdirSync(project, { recursive: true });
    const repository = `${options.registry ?? this.cluster.registry}/${this.namespace}/${service}`;
    writeFileSync(join(project, 'model.onnx'), modelOf(kind, Number(version.replace(/\D/g, ''))));
    writeFileSync(join(project, 'label.json'), '["setosa", "versicolor", "virginica"]');
    writeFileSync(
      join(project, 'inlay.yaml'),
      `name: ${service}\nversion: "${version}"\nimage: ${repository}\nmodel: model.onnx\nlabels: label.json\ntask: classification\nsample: [[${ROWS[0]}${kind === 'wide' ? ', 0' : ''}]]\nserver: ${server}\n${options.config ?? ''}\n`,
    );
    // The packages of the first image are those of all.
    const lock = join(this.dir, 'inlay.lock');
    if (existsSync(lock) && !options.onServerImage) cpSync(lock, join(project, 'inlay.lock'));
    for (const [name, text] of Object.entries(options.files ?? {})) writeFileSync(join(project, name), text);
    const reference = `${repository}:${version}`;
    if (options.unchecked) await this.#buildUnchecked(project);
    else {
      const platform = options.platform === undefined ? [] : ['--platform', options.platform];
      const build = ['build', project, ...platform];
      // Where apt may ask for packages, not beside the cluster; on a server image it asks the cluster's registry.
      if (options.onServerImage) await this.must([...build, '--insecure-registry', this.cluster.registry]);
      else await must([INLAY, ...build], { env: { INLAY_HOME: HOME } });
    }
    if (options.platform === undefined && !options.onServerImage) cpSync(join(project, 'inlay.lock'), lock);
    await this.must(['push', reference, '--insecure-registry', repository.split('/')[0] ?? '']);
    return reference;
  }

  /** Builds and pushes a server image. @param epochS what its files are dated: another one makes other layers @returns its reference */
  async serverImage(epochS = 0): Promise<string> {
    const reference = `${this.cluster.registry}/${this.namespace}/server:1`;
    await must([INLAY, 'server-image', reference, '--lock', join(this.dir, 'server.lock')], {
      env: { INLAY_HOME: HOME, SOURCE_DATE_EPOCH: String(epochS) },
    });
    await this.must(['push', reference, '--insecure-registry', this.cluster.registry]);
    return reference;
  }

  async #buildUnchecked(dir: string): Promise<void> {
    await buildImage({
      project: await readProject(dir),
      home: HOME,
      platforms: [hostPlatform(process.arch)],
      compression: 'zstd',
      lockPath: join(dir, 'inlay.lock'),
      inlayVersion: '0.0.0',
      epochS: 0,
      env: process.env,
      onProgress: () => {},
    });
  }

  inlay(args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
    return this.cluster.inlay(args, { env: { INLAY_HOME: HOME, INLAY_ACTOR: 'e2e', ...env } });
  }

  async must(args: readonly string[], env?: Record<string, string>): Promise<string> {
    const { code, stdout, stderr } = await this.inlay(args, env);
    if (code !== 0) throw new Error(`inlay ${args.join(' ')} ended with ${code}\n${stdout}\n${stderr}`);
    return stdout;
  }

  /** Starts inlay, to be killed. */
  start(args: readonly string[]): Bun.Subprocess<'ignore', 'pipe', 'pipe'> {
    const child = Bun.spawn(this.cluster.command([INLAY, ...args]), {
      cwd: ROOT,
      env: { ...process.env, KUBECONFIG: this.cluster.kubeconfig, INLAY_HOME: HOME, INLAY_ACTOR: 'e2e' },
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    });
    this.#children.add(child);
    void child.exited.then(() => this.#children.delete(child));
    return child;
  }

  deployArgs(image: string, ...more: string[]): string[] {
    return ['deploy', image, '-n', this.namespace, '--insecure-registry', image.split('/')[0] ?? '', ...more];
  }

  deploy(image: string, ...more: string[]): Promise<Ran> {
    return this.inlay(this.deployArgs(image, ...more));
  }

  async status(service = 'iris'): Promise<Status> {
    return JSON.parse(await this.must(['status', service, '-n', this.namespace, '--json']));
  }

  kubectl(...args: string[]): Promise<string> {
    return this.cluster.kubectl(['-n', this.namespace, ...args]);
  }

  async get<T>(...args: string[]): Promise<T> {
    return JSON.parse(await this.kubectl('get', ...args, '-o', 'json')) as T;
  }

  /** The last release of the journal, as it lies in the cluster; undefined before there is one. */
  async release(service = 'iris'): Promise<Release | undefined> {
    const { code, stdout } = await this.cluster.tryKubectl([
      ...['-n', this.namespace, 'get', 'configmap', `inlay-${service}`, '-o', 'jsonpath={.data.journal\\.json}'],
    ]);
    if (code !== 0 || stdout === '') return undefined;
    return (JSON.parse(stdout) as { releases: Release[] }).releases.at(-1);
  }

  /** Names of what is in the namespace: `Deployment/iris`, … */
  async objects(): Promise<string[]> {
    const kinds = 'deployments,hpa,services,serviceaccounts,pdb,networkpolicies,configmaps,leases';
    const { items } = await this.get<{ items: { kind: string; metadata: { name: string } }[] }>(kinds);
    return items
      .map(({ kind, metadata }) => `${kind}/${metadata.name}`)
      .filter((name) => name !== 'ServiceAccount/default' && name !== 'ConfigMap/kube-root-ca.crt')
      .filter((name) => !name.startsWith('ServiceAccount/user-'))
      .sort();
  }

  /** Sends requests to the Service from here on. */
  async load(
    options: Partial<LoadOptions> & { service?: string; rows?: readonly (readonly number[])[] } = {},
  ): Promise<Load> {
    const { service = 'iris', rows = MIX, ...rest } = options;
    const ip = await this.kubectl('get', 'service', service, '-o', 'jsonpath={.spec.clusterIP}');
    const all: LoadOptions = {
      url: `http://${ip}:8000`,
      keepAlive: 8,
      fresh: 8,
      rate: 8,
      seconds: 3600,
      bodies: rows.map((row) => JSON.stringify({ data: [row] })),
      ...rest,
    };
    const child = Bun.spawn(
      this.cluster.command([process.execPath, join(import.meta.dir, '..', 'load.ts'), JSON.stringify(all)]),
      { stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' },
    );
    this.#children.add(child);
    return {
      stop: async () => {
        child.kill('SIGTERM');
        this.#children.delete(child);
        return JSON.parse(await new Response(child.stdout).text()) as LoadResult;
      },
    };
  }
}

/** The objects of iris where only stable runs. */
export const STABLE_ALONE = [
  'ConfigMap/inlay-iris',
  'Deployment/iris',
  'HorizontalPodAutoscaler/iris',
  'Lease/inlay-iris',
  'NetworkPolicy/iris',
  'PodDisruptionBudget/iris',
  'Service/iris',
  'ServiceAccount/iris',
];

const [setosa, versicolor, virginica] = ROWS;
/** Five of the one, three of the other, two of the third. */
export const MIX: readonly (readonly number[])[] = [
  ...[setosa, setosa, setosa, setosa, setosa],
  ...[versicolor, versicolor, versicolor],
  ...[virginica, virginica],
];

/** Asks again and again. @throws when it does not become so */
export async function until<T>(what: string, ask: () => Promise<T | undefined | false>, seconds = 120): Promise<T> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const found = await ask();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`after ${seconds} s still not: ${what}`);
    await Bun.sleep(200);
  }
}
