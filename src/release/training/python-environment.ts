import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, symlink, utimes } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { InlayError } from '../../error/index.ts';
import { type Env, runLogged } from './run-logged.ts';

/** A virtual environment of Python: what to put before PATH. */
export interface PythonEnvironment {
  readonly dir: string;
  readonly env: Env;
  /** False when it was made now. */
  readonly kept: boolean;
}

export interface EnvironmentOptions {
  /** requirements.txt. */
  readonly requirements: string;
  /** Where environments are kept, one for each Python and list of requirements. */
  readonly cacheDir: string;
  readonly env: Env;
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Python with what a requirements file names, made once for a content of the file. Made under a name of its own, and only a whole one
 * gets the name by which it is found: two at once take nothing from each other.
 * @throws TRAINING_FAILED where there is no Python, or pip fails
 */
export async function pythonEnvironment(options: EnvironmentOptions): Promise<PythonEnvironment> {
  const { requirements, cacheDir, env, log, signal } = options;
  const python = Bun.which('python3', { PATH: env.PATH ?? '' }) ?? Bun.which('python', { PATH: env.PATH ?? '' });
  if (python === null)
    throw new InlayError(
      'TRAINING_FAILED',
      `there is no python3 to make the environment of ${basename(requirements)}`,
      {
        hint: 'Install Python with its venv module (Debian: python3-venv), or write training: {environment: host} to train with what is there.',
      },
    );
  const text = await readFile(requirements, 'utf8');
  const key = keyOf(text, await versionOf(python, env), dirname(resolve(requirements)));
  const found = join(cacheDir, key);
  if (existsSync(join(found, 'bin', 'python'))) {
    await used(found);
    return { dir: found, env: within(found, env), kept: true };
  }
  await mkdir(cacheDir, { recursive: true });
  const own = join(cacheDir, `${key}.${randomUUID().slice(0, 8)}`);
  try {
    await must([python, '-m', 'venv', own], 'python3 -m venv');
    const pip = [join(own, 'bin', 'python'), '-m', 'pip', 'install', '--disable-pip-version-check', '--quiet'];
    await must([...pip, '-r', resolve(requirements)], `pip install -r ${basename(requirements)}`);
    const link = `${own}.link`;
    await symlink(basename(own), link);
    await rename(link, found);
    await used(found);
  } catch (error) {
    await rm(own, { recursive: true, force: true });
    throw error;
  }
  return { dir: found, env: within(found, env), kept: false };

  async function must(command: readonly string[], what: string): Promise<void> {
    const ran = await runLogged(command, { cwd: dirname(resolve(requirements)), env, log, signal });
    if (ran.exitCode === 0) return;
    throw new InlayError('TRAINING_FAILED', `${what} ended with exit code ${ran.exitCode}${ran.tail}`, {
      hint: 'The environment that training wants cannot be made here.',
    });
  }
}

/** `inlay prune` takes away what was not used for long. Who may only read it still can. */
async function used(dir: string): Promise<void> {
  const now = new Date();
  await utimes(dir, now, now).catch(() => {});
}

/** Which Python a name stands for: it may be a launcher that chooses. */
async function versionOf(python: string, env: Env): Promise<string> {
  const told: string[] = [];
  const program = 'import sys; print(sys.version, sys.base_prefix)';
  await runLogged([python, '-c', program], { cwd: '/', env, log: (line) => told.push(line) });
  return told.join(' ');
}

/** A requirement that is a path means another thing in another folder. */
function keyOf(text: string, python: string, dir: string): string {
  const named = text.split('\n').some((line) => /^\s*(-e\b|-r\b|-c\b|\.|\/|file:)|@\s*file:/.test(line));
  return createHash('sha256')
    .update(`${python}\n${named ? dir : ''}\n${text}`)
    .digest('hex')
    .slice(0, 24);
}

function within(dir: string, env: Env): Env {
  return { ...env, VIRTUAL_ENV: dir, PATH: `${join(dir, 'bin')}:${env.PATH ?? ''}`, PYTHONHOME: undefined };
}
