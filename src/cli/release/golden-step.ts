import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { EngineName } from '../../container/index.ts';
import { InlayError, isInlayError } from '../../error/index.ts';
import type { StepOutcome } from '../../release/index.ts';
import type { BuiltProject } from '../build-project.ts';
import { inlayHome } from '../home.ts';
import type { Output } from '../output.ts';
import type { RegistryFlags } from '../registry.ts';
import { haveWhole } from '../whole-image.ts';

const READY_MS = 120_000;

/** What the golden cases came to once, of an image that cannot change. */
const answeredSchema = z.object({ schemaVersion: z.literal(1), engine: z.string(), words: z.string() });

/**
 * Starts the image as `inlay run` does and sends it the golden cases. An image that has answered them with the same engine is not
 * asked again.
 * @throws GOLDEN_MISMATCH, CONTAINER_FAILED, NOT_READY, COMMAND_FAILED
 */
export async function goldenInImage(
  { project, image, layout, platforms }: BuiltProject,
  engineAsked: string | undefined,
  flags: RegistryFlags,
  output: Output,
): Promise<StepOutcome> {
  const { chooseEngine, runImage, waitReady } = await import('../../container/index.ts');
  const { hostPlatform, platformName } = await import('../../image/index.ts');
  const { replayOverHttp } = await import('../../release/index.ts');
  if (project.format === 'opaque')
    return { status: 'skipped', detail: 'an opaque model: inlay does not know what its server answers' };
  const platform = hostPlatform(process.arch);
  const own = image.platforms.find((one) => one.platform === platformName(platform));
  if (own === undefined)
    return {
      status: 'skipped',
      detail: `not run: it is for ${platforms.map(platformName).join(', ')}, and this machine is ${platformName(platform)}; each pod replays them before it is ready`,
    };
  const engine = await engineHere(engineAsked, () =>
    chooseEngine(named(engineAsked), process.env, { platform: process.platform, uid: process.getuid?.() }),
  );
  if (engine === undefined)
    return {
      status: 'skipped',
      detail:
        'not run: nothing here can start a Linux image; check has replayed them with the same runtime, and each pod does before it is ready',
    };
  const home = inlayHome(process.env);
  const kept = join(
    home,
    'cache',
    'golden',
    `${own.digest.replace(':', '-')}-${engine}-${project.contract.golden?.digest.slice(7, 19) ?? 'none'}.json`,
  );
  const before = await answered(kept);
  if (before) return { status: 'kept', detail: `this image has answered before: ${before.words}` };
  await haveWhole(layout, image.reference, flags, output);
  const running = await runImage({
    layout,
    reference: image.reference,
    platform,
    port: 0,
    engine,
    stateDir: join(home, 'run'),
    processEnv: process.env,
  });
  let words: string;
  try {
    await waitReady(running, { timeoutMs: READY_MS });
    const found = await replayOverHttp(running.url, project.contract, project.golden?.cases);
    const largest = found.worst
      ? `, largest difference ${found.worst.size.toPrecision(2)}`
      : project.golden
        ? ', to the last digit'
        : '';
    words = `${project.golden ? `${found.rows} rows over HTTP` : 'no golden cases: the sample was answered'}${largest}, ${
      engine === 'process'
        ? 'as a plain process on the image’s own files (no container runtime here)'
        : `in a container by ${engine}`
    }`;
  } finally {
    await running.stop();
  }
  await keep(kept, engine, words);
  return { status: 'done', detail: words };
}

const NAMES: readonly string[] = ['docker', 'podman', 'nerdctl', 'runc', 'process'] satisfies EngineName[];
const isEngine = (text: string): text is EngineName => NAMES.includes(text);

function named(engine: string | undefined): EngineName | undefined {
  if (engine === undefined || isEngine(engine)) return engine;
  throw new InlayError('USAGE', `no engine ${engine}`, { hint: `Choose one of ${NAMES.join(', ')}.` });
}

/** Undefined where nothing works; one that was asked for has to. */
async function engineHere(
  asked: string | undefined,
  choose: () => Promise<EngineName>,
): Promise<EngineName | undefined> {
  try {
    return await choose();
  } catch (error) {
    if (asked === undefined && isInlayError(error) && error.code === 'ENGINE_UNAVAILABLE') return undefined;
    throw error;
  }
}

async function answered(path: string) {
  try {
    return answeredSchema.safeParse(JSON.parse(await readFile(path, 'utf8'))).data;
  } catch {
    return undefined;
  }
}

async function keep(path: string, engine: string, words: string): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true });
  const temporary = `${path}.${randomUUID()}`;
  await writeFile(temporary, JSON.stringify({ schemaVersion: 1, engine, words }));
  await rename(temporary, path);
}
