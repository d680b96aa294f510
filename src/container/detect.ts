import { InlayError } from '../error/index.ts';
import { ENGINES, type EngineName, type Env } from './running.ts';

/** How long an engine may take to say that it works, milliseconds. */
const ANSWER_MS = 5_000;

/** What keeps an engine from working here, or undefined when it works. */
export async function whyNot(
  engine: EngineName,
  env: Env,
  machine: { readonly platform: string; readonly uid: number | undefined },
): Promise<string | undefined> {
  if (engine === 'process') return machine.platform === 'linux' ? undefined : 'the files of an image run on Linux only';
  if (Bun.which(engine, { PATH: env.PATH ?? '' }) === null) return `there is no ${engine} on PATH`;
  if (engine === 'runc') return machine.uid === 0 ? undefined : 'runc needs root here';
  const child = Bun.spawn([engine, 'info'], { env: { ...env }, stdin: 'ignore', stdout: 'ignore', stderr: 'pipe' });
  const timer = setTimeout(() => child.kill('SIGKILL'), ANSWER_MS);
  const [code, stderr] = await Promise.all([child.exited, new Response(child.stderr).text()]);
  clearTimeout(timer);
  return code === 0
    ? undefined
    : `${engine} does not answer: ${stderr.trim().split('\n').at(-1) || `exit code ${code}`}`;
}

/**
 * The engine that was asked for, or else the first that works.
 * @throws ENGINE_UNAVAILABLE
 */
export async function chooseEngine(
  asked: EngineName | undefined,
  env: Env,
  machine: { readonly platform: string; readonly uid: number | undefined },
): Promise<EngineName> {
  const reasons: string[] = [];
  for (const engine of asked ? [asked] : ENGINES) {
    const reason = await whyNot(engine, env, machine);
    if (reason === undefined) return engine;
    reasons.push(reason);
  }
  throw new InlayError(
    'ENGINE_UNAVAILABLE',
    asked
      ? `cannot run the image with ${asked}: ${reasons[0]}`
      : `nothing here can run the image: ${reasons.join('; ')}`,
    {
      hint: asked
        ? 'Leave --engine out to take the first that works.'
        : 'Install docker, podman or nerdctl, or run as root with runc.',
    },
  );
}
