import { InlayError } from '../../error/index.ts';

export type Env = Readonly<Record<string, string | undefined>>;

export interface Logged {
  readonly exitCode: number;
  /** Its last lines, each on a line of its own; empty where it wrote nothing. */
  readonly tail: string;
}

const TAIL_LINES = 15;
const GRACE_MS = 10_000;

/**
 * Runs a program in a process group of its own to its end, and gives on every line that it writes. When the signal aborts, the whole
 * group gets SIGTERM, and SIGKILL 10 s later.
 * @throws INTERRUPTED; TRAINING_FAILED when it cannot be started
 */
export async function runLogged(
  command: readonly string[],
  options: {
    readonly cwd: string;
    readonly env: Env;
    readonly log: (line: string) => void;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<Logged> {
  const { cwd, env, log, signal } = options;
  const child = spawn(command, cwd, env);
  const last: string[] = [];
  const take = async (stream: ReadableStream<Uint8Array>) => {
    for await (const line of linesOf(stream)) {
      last.push(line);
      if (last.length > TAIL_LINES) last.shift();
      log(line);
    }
  };
  let killer: ReturnType<typeof setTimeout> | undefined;
  const stop = () => {
    killGroup(child.pid, 'SIGTERM');
    killer = setTimeout(() => killGroup(child.pid, 'SIGKILL'), GRACE_MS);
  };
  if (signal?.aborted) stop();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const [exitCode] = await Promise.all([child.exited, take(child.stdout), take(child.stderr)]);
    if (signal?.aborted) throw new InlayError('INTERRUPTED', `${command.join(' ')} was stopped`);
    return { exitCode, tail: last.map((line) => `\n    ${line}`).join('') };
  } finally {
    clearTimeout(killer);
    signal?.removeEventListener('abort', stop);
  }
}

function spawn(command: readonly string[], cwd: string, env: Env) {
  try {
    return Bun.spawn([...command], {
      cwd,
      env: Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined)),
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
      detached: true,
    });
  } catch (cause) {
    throw new InlayError('TRAINING_FAILED', `cannot run ${command[0]}: ${(cause as Error).message}`, { cause });
  }
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream) {
    // A progress bar writes its line anew with a carriage return.
    const parts = (rest + decoder.decode(chunk, { stream: true })).split(/\r?\n|\r/);
    rest = parts.pop() ?? '';
    yield* parts;
  }
  if (rest !== '') yield rest;
}
