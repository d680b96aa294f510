import { LABEL_PREFIX } from './facts.ts';
import type { OciLayout } from './oci/layout.ts';
import { MEDIA_TYPE } from './oci/media-types.ts';
import type { Descriptor, ImageConfig, ImageManifest, Platform } from './oci/schema.ts';
import { SERVER_DIR } from './server-layer.ts';
import type { PlacedLayer } from './shared-layers.ts';

export interface ImageParts {
  readonly platform: Platform;
  readonly layers: readonly PlacedLayer[];
  /** The image whose layers are the first ones: its environment, labels and history go on. */
  readonly under?: ImageConfig | undefined;
  /** What is started: inlay's server, inlay's command line, or what the image below starts, as its user. */
  readonly program: 'server' | 'cli' | 'base';
  /** Added to what is there. */
  readonly env: Readonly<Record<string, string>>;
  /** For inlay's server. */
  readonly workingDir: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly epochS: number;
}

/** Writes config and manifest of one platform's image, in a fixed order and without a clock. */
export async function putImage(layout: OciLayout, parts: ImageParts): Promise<Descriptor> {
  const { platform, layers, under, labels, annotations } = parts;
  const created = new Date(parts.epochS * 1000).toISOString().replace('.000Z', 'Z');
  const own = layers.slice(under?.rootfs.diff_ids.length ?? 0);
  const config: ImageConfig = {
    ...(parts.program === 'base' ? under : {}),
    created,
    architecture: platform.architecture,
    os: platform.os,
    config: {
      ...(parts.program === 'base' ? under?.config : ownConfig(parts.program, parts.workingDir)),
      Env: environment(parts),
      Labels: { ...inherited(under?.config.Labels), ...labels },
    },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
    history: [
      ...historyOf(under, created),
      ...own.map((layer) => ({ created, created_by: `inlay ${layer.kind}`, comment: layer.contents })),
    ],
  };
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.manifest,
    config: await layout.putJson(config, MEDIA_TYPE.config),
    layers: layers.map((layer) => ({ ...layer.descriptor, annotations: { [`${LABEL_PREFIX}layer`]: layer.kind } })),
    annotations: { ...annotations },
  };
  return { ...(await layout.putJson(manifest, MEDIA_TYPE.manifest)), platform };
}

/** The folder of inlay's command line. */
export const CLI_DIR = '/opt/inlay/cli';

function ownConfig(program: 'server' | 'cli', WorkingDir: string): ImageConfig['config'] {
  return {
    User: '65532:65532',
    ...(program === 'server' ? { ExposedPorts: { '8000/tcp': {}, '8001/tcp': {} } } : {}),
    Entrypoint: [
      '/opt/inlay/bin/bun',
      '--no-env-file',
      '--no-install',
      `${program === 'server' ? SERVER_DIR : CLI_DIR}/main.js`,
    ],
    WorkingDir,
    StopSignal: 'SIGTERM',
  };
}

const OWN_PATH = '/opt/inlay/bin';

/** The environment of every image with inlay's server; the model adds its own paths. */
const serverEnvironment: Readonly<Record<string, string>> = {
  LANG: 'C.UTF-8',
  HOST: '0.0.0.0',
  PORT: '8000',
  GRPC_PORT: '8001',
  LOG_LEVEL: 'INFO',
  LOG_FORMAT: 'TEXT',
  // ONNX Runtime would write a device id and report to its maker.
  ORT_DISABLE_TELEMETRY: '1',
  // The root file system is read-only, and nothing is compiled twice.
  BUN_RUNTIME_TRANSPILER_CACHE_PATH: '0',
  // Milliseconds until Bun's allocator gives back what is free. Its default, a moment, has a busy server give back and take
  // again thousands of pages a second, and keeps a thread at work with it.
  MIMALLOC_PURGE_DELAY: '10000',
  // Bytes of JavaScriptCore's heap below which it is not collected. Its default, twice as much, is reached after millions of requests
  // only, and until then memory grows; what a server holds between two requests is half of this.
  BUN_JSC_largeHeapSize: '4194304',
};

/** Of the command line: nobody has a home in it. */
const cliEnvironment: Readonly<Record<string, string>> = {
  LANG: 'C.UTF-8',
  HOME: '/tmp',
  ORT_DISABLE_TELEMETRY: '1',
  BUN_RUNTIME_TRANSPILER_CACHE_PATH: '0',
};

function environment({ under, program, env }: ImageParts): string[] {
  const below = Object.fromEntries(
    (under?.config.Env ?? []).map((pair) => {
      const at = pair.indexOf('=');
      return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
    }),
  ) as Record<string, string>;
  const path = (below.PATH || '/usr/bin:/bin').split(':').filter((folder) => folder !== OWN_PATH);
  const own = {
    ...(program === 'base' ? {} : { PATH: [OWN_PATH, ...path].join(':') }),
    ...(program === 'server' ? serverEnvironment : program === 'cli' ? cliEnvironment : {}),
  };
  return Object.entries({ ...below, ...own, ...env }).map(([name, value]) => `${name}=${value}`);
}

/** What says of the image below what it is itself would be wrong of the one above. */
const OF_ITSELF = /^(org\.opencontainers\.image\.|org\.label-schema\.|inlay\.)/;

function inherited(labels: ImageConfig['config']['Labels']): Record<string, string> {
  return Object.fromEntries(Object.entries(labels ?? {}).filter(([name]) => !OF_ITSELF.test(name)));
}

/** Tools that read an image's history want an entry for each layer, and not all that write images make them. */
function historyOf(under: ImageConfig | undefined, created: string): NonNullable<ImageConfig['history']> {
  if (under === undefined) return [];
  const history = under.history ?? [];
  const layers = under.rootfs.diff_ids.length;
  return history.filter((entry) => entry.empty_layer !== true).length === layers
    ? history
    : Array.from({ length: layers }, () => ({ created, created_by: 'inlay base' }));
}
