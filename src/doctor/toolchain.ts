import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  DEFAULT_BASE,
  hasProgram,
  hostPlatform,
  platformName,
  RUNTIME_PACKAGES,
  runCommand,
  runtimeIsHere,
} from '../image/index.ts';
import type { Env, Examined } from './finding.ts';

/** How long a program may take to answer, milliseconds. */
const ANSWER_MS = 20_000;
/** A first build keeps packages, layers and image: about 0.4 GB a platform, and models come on top. */
const COMFORTABLE_BYTES = 4e9;
const LEAST_BYTES = 1e9;

/** The Bun that runs this against the one that an image runs: answers are proven on the very same. */
export function examineBun(version: string): Examined {
  const wanted = RUNTIME_PACKAGES['@oven/bun-linux-x64']?.version;
  const common = { name: 'bun', neededFor: ['build', 'run'] } as const;
  return version === wanted
    ? { ...common, state: 'ok', detail: `${version}, the one of the image` }
    : {
        ...common,
        state: 'warning',
        detail: `${version}, and the image has ${wanted}`,
        hint: 'Start inlay with bin/inlay, which takes the Bun that npm installed beside it.',
      };
}

/** @param arch as process.arch names it */
export function examinePlatform(platform: string, arch: string): Examined {
  const common = { name: 'platform', neededFor: ['run'] } as const;
  const linux = platform === 'linux' && (arch === 'x64' || arch === 'arm64');
  return linux
    ? { ...common, state: 'ok', detail: platformName(hostPlatform(arch)) }
    : {
        ...common,
        state: 'warning',
        detail: `${platform}/${arch}`,
        hint: 'Images are for linux/amd64 and linux/arm64: name one with --platform, and run them with docker or podman.',
      };
}

export function examineBase(env: Env): Examined {
  const common = { name: 'base', neededFor: ['build'] } as const;
  const missing = ['apt-get', 'apt-cache', 'dpkg-deb'].filter((program) => !hasProgram(program, env));
  return missing.length === 0
    ? { ...common, state: 'ok', detail: 'apt composes it' }
    : {
        ...common,
        state: 'warning',
        detail: `no ${missing.join(', ')}: images stand on ${DEFAULT_BASE}`,
        hint: 'That registry has to be reachable, or name an image in yours: base: REGISTRY/REPOSITORY:TAG.',
      };
}

/** The packages of Bun and ONNX Runtime: here already, or to be had through npm. */
export async function examineRuntime(cacheDir: string, env: Env): Promise<Examined> {
  const common = { name: 'runtime', neededFor: ['build'] } as const;
  if (runtimeIsHere(cacheDir, hostPlatform(process.arch === 'arm64' ? 'arm64' : 'x64')))
    return { ...common, state: 'ok', detail: 'Bun and ONNX Runtime are in the store' };
  if (!hasProgram('npm', env))
    return {
      ...common,
      state: 'missing',
      detail: 'there is no npm, which fetches Bun and ONNX Runtime',
      hint: 'Install Node.js with npm.',
    };
  const name = 'onnxruntime-node';
  const pin = RUNTIME_PACKAGES[name];
  const asked = await runCommand(
    [
      'npm',
      'view',
      `${name}@${pin?.version}`,
      'dist.integrity',
      '--json',
      '--fetch-retries=0',
      `--fetch-timeout=${ANSWER_MS}`,
    ],
    { env },
  );
  if (asked.exitCode !== 0)
    return {
      ...common,
      state: 'missing',
      detail: `npm cannot ask its registry for ${name} ${pin?.version}`,
      hint: 'npm view onnxruntime-node says why; look at npm config get registry, and at proxies.',
    };
  return asked.stdout.includes(pin?.integrity ?? 'no integrity')
    ? { ...common, state: 'ok', detail: `npm has ${name} ${pin?.version}` }
    : {
        ...common,
        state: 'missing',
        detail: `npm's registry has another ${name} ${pin?.version} than was published`,
        hint: 'Look at npm config get registry: a build would end with INTEGRITY_MISMATCH.',
      };
}

/** The folder that images and caches lie in. */
export async function examineStore(home: string): Promise<Examined> {
  const common = { name: 'store', neededFor: ['build', 'run'] } as const;
  const probe = join(home, `.doctor-${process.pid}`);
  try {
    await mkdir(home, { recursive: true });
    await writeFile(probe, '');
    await rm(probe);
  } catch (error) {
    return {
      ...common,
      state: 'missing',
      detail: `${home} cannot be written to: ${(error as Error).message}`,
      hint: 'Set INLAY_HOME to a folder of yours.',
    };
  }
  const { bavail, bsize } = await statfs(home);
  const free = bavail * bsize;
  const detail = `${home}, ${(free / 1e9).toFixed(1)} GB free`;
  if (free >= COMFORTABLE_BYTES) return { ...common, state: 'ok', detail };
  return {
    ...common,
    state: free < LEAST_BYTES ? 'missing' : 'warning',
    detail,
    hint: 'Make room, or set INLAY_HOME to a larger disk: a first build takes about 0.4 GB a platform, and each model once.',
  };
}

export function examineGit(env: Env): Examined {
  const common = { name: 'git', neededFor: ['build'] } as const;
  return hasProgram('git', env)
    ? { ...common, state: 'ok', detail: 'provenance names the commit' }
    : { ...common, state: 'warning', detail: 'no git: provenance names no commit', hint: 'Install git.' };
}
