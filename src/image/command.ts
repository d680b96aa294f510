import { InlayError } from '../error/index.ts';

export type Env = Readonly<Record<string, string | undefined>>;

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, without a shell. @throws COMMAND_FAILED when it is not there */
export async function runCommand(
  command: readonly string[],
  options: { readonly env: Env; readonly cwd?: string },
): Promise<CommandResult> {
  try {
    const child = Bun.spawn([...command], {
      env: { ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    });
    const [stdout, stderr, exitCode] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    return { exitCode, stdout, stderr };
  } catch (cause) {
    throw new InlayError('COMMAND_FAILED', `cannot run ${command[0]}: ${(cause as Error).message}`, {
      cause,
      hint: `Is ${command[0]} installed?`,
    });
  }
}

/** True when a program of this name is on PATH. */
export function hasProgram(name: string, env: Env): boolean {
  return Bun.which(name, { PATH: env.PATH ?? '' }) !== null;
}

/** The last lines that are not empty, for an error message. */
export function lastLines(text: string, count = 3): string {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(-count)
    .join(' · ');
}
