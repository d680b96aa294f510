import { onCore } from './cores.ts';

export interface ToolRun {
  readonly stdout: string;
  /** The part of its core that the tool used, 0 to 1: near 1 it may have been what limits. */
  readonly coreUse: number;
}

/** Runs a load generator to its end on the load's core. @throws with what it wrote to stderr when it fails */
export async function runTool(
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ToolRun> {
  const started = performance.now();
  const child = Bun.spawn(onCore('load', command), {
    env: { PATH: process.env.PATH, ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  const seconds = (performance.now() - started) / 1000;
  if (child.exitCode !== 0) throw new Error(`${command[0]} failed: ${(stderr || stdout).trim().slice(-300)}`);
  const cpu = child.resourceUsage()?.cpuTime.total ?? 0n;
  return { stdout, coreUse: Number(cpu) / 1e6 / seconds };
}

/** The last line of a tool's output, which is its result as JSON. */
export function lastLineOf<T>(stdout: string): T {
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as T;
}
