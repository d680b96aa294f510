import { join } from 'node:path';
import { type Ended, endOf } from '../test/end-of.ts';

export const ROOT = join(import.meta.dir, '..');

export type Ran = Ended;

/** Runs a program to its end. */
export async function run(
  command: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; stdin?: string } = {},
): Promise<Ran> {
  const child = Bun.spawn([...command], {
    cwd: options.cwd ?? ROOT,
    env: { ...process.env, ...options.env },
    stdin: options.stdin === undefined ? 'ignore' : new TextEncoder().encode(options.stdin),
    stdout: 'pipe',
    stderr: 'pipe',
  });
  return endOf(child);
}

/** Runs a program that must succeed, and returns its stdout. */
export async function must(
  command: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; stdin?: string } = {},
): Promise<string> {
  const { code, stdout, stderr } = await run(command, options);
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}\n${stdout}\n${stderr}`);
  return stdout;
}

/** Starts `inlay run` and waits for its address. */
export async function startImage(
  args: readonly string[],
  env: Record<string, string>,
): Promise<{ url: string; child: Bun.Subprocess; output: () => string }> {
  const child = Bun.spawn([join(ROOT, 'bin', 'inlay'), 'run', ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  let text = '';
  const ready = Promise.withResolvers<string>();
  const take = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      text += decoder.decode(chunk, { stream: true });
      const url = / runs with \S+ at (http:\S+)/.exec(text)?.[1];
      if (url) ready.resolve(url);
    }
  };
  void Promise.all([take(child.stdout), take(child.stderr)]).then(() =>
    ready.reject(new Error(`inlay run ended: ${text}`)),
  );
  return { url: await ready.promise, child, output: () => text };
}

export async function predict(url: string, rows: readonly (readonly number[])[]): Promise<unknown> {
  const response = await fetch(`${url}/predict`, { method: 'POST', body: JSON.stringify({ data: rows }) });
  return ((await response.json()) as { prediction: unknown }).prediction;
}
