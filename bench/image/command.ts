import { join } from 'node:path';
import { cacheDir } from '../serve/cache-dir.ts';
import { ROOT } from '../serve/root.ts';

/** The store of the benchmark, kept between runs: layers below the model are composed once. */
export const HOME = join(cacheDir(), 'image-home');

export const INLAY = join(ROOT, 'bin', 'inlay');

export interface Measured {
  /** Of the whole process, from exec to exit. */
  readonly ms: number;
  /** The most memory that it had, bytes. */
  readonly peakBytes: number;
  readonly stdout: string;
}

/** Runs a program to its end. @throws Error with what it said, when it fails */
export async function measure(command: readonly string[]): Promise<Measured> {
  const started = performance.now();
  const child = Bun.spawn([...command], {
    cwd: ROOT,
    env: { ...process.env, INLAY_HOME: HOME },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  const ms = performance.now() - started;
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}: ${stderr}`);
  return { ms, peakBytes: child.resourceUsage()?.maxRSS ?? 0, stdout };
}

export interface BuildDocument {
  readonly reference: string;
  readonly digest: string;
  readonly push?: {
    readonly sentBytes: number;
    readonly uploaded: readonly string[];
    readonly referrers: readonly string[];
  };
  readonly platforms: readonly {
    readonly sizeBytes: number;
    readonly layers: readonly { readonly kind: string; readonly digest: string; readonly sizeBytes: number }[];
  }[];
}

export async function build(dir: string, args: readonly string[] = []): Promise<Measured & { image: BuildDocument }> {
  const measured = await measure([INLAY, 'build', dir, '--json', ...args]);
  return { ...measured, image: JSON.parse(measured.stdout) as BuildDocument };
}
