import { createHash } from 'node:crypto';
import { existsSync, type StatsFs } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InlayError } from '../../error/index.ts';
import { type CommandResult, type Env, hasProgram, lastLines, runCommand } from '../command.ts';
import { whileLocked } from '../oci/file-lock.ts';
import type { Pin } from './lock.ts';

/** What package lists take while they are fetched, bytes. On a full disk apt's http method waits for ever. */
const LISTS_BYTES = 100e6;

/** How long another inlay may fetch lists and packages, over a slow line. */
const PATIENCE_MS = 15 * 60_000;

/**
 * apt with folders of its own for its lists and archives: the host's sources, keys and signature checks, but nothing of
 * the host's state, any architecture, and no need to be root.
 */
export class PrivateApt {
  readonly #dir: string;
  readonly #architecture: string;
  readonly #env: Env;
  #updated = false;

  private constructor(dir: string, architecture: string, env: Env) {
    this.#dir = dir;
    this.#architecture = architecture;
    this.#env = { ...env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
  }

  /**
   * @param dir a folder that apt may keep its lists in @param architecture in Debian's words: amd64, arm64
   * @throws BASE_UNAVAILABLE where there is no apt
   */
  static async open(dir: string, architecture: string, env: Env): Promise<PrivateApt> {
    for (const program of ['apt-get', 'apt-cache', 'dpkg-deb']) {
      if (!hasProgram(program, env)) {
        throw new InlayError(
          'BASE_UNAVAILABLE',
          `the base is composed from Debian packages, and this machine has no ${program}`,
          {
            hint: 'Build on Debian or Ubuntu, or in a container of them, or name an image instead: base: gcr.io/distroless/cc-debian12.',
          },
        );
      }
    }
    for (const folder of ['state/lists/partial', 'cache/archives/partial'])
      await mkdir(join(dir, folder), { recursive: true });
    await writeFile(statusIn(dir), '');
    return new PrivateApt(dir, architecture, env);
  }

  /**
   * The newest versions of packages, with the SHA-256 that the signed package lists give.
   * @throws BASE_UNAVAILABLE
   */
  async candidates(names: readonly string[]): Promise<Pin[]> {
    const shown = await this.#run('apt-cache', ['show', '--no-all-versions', ...names]);
    if (shown.exitCode !== 0) throw failed(`apt does not know all of ${names.join(', ')}`, shown);
    return parseStanzas(shown.stdout).map((stanza) => ({
      name: stanza.Package ?? '',
      version: stanza.Version ?? '',
      architecture: stanza.Architecture ?? '',
      sha256: stanza.SHA256 ?? '',
    }));
  }

  /** The packages that `name` depends on directly. @throws BASE_UNAVAILABLE */
  async dependencies(name: string): Promise<string[]> {
    const shown = await this.#run('apt-cache', ['depends', '--important', name]);
    if (shown.exitCode !== 0) throw failed(`apt does not know ${name}`, shown);
    return [...shown.stdout.matchAll(/^ {2}(?:Pre)?Depends: (\S+)$/gm)].map((match) => match[1] as string);
  }

  /**
   * Fetches exactly the pinned packages.
   * @returns the .deb files in the order of the pins, their digests checked
   * @throws BASE_MOVED when the mirror has other versions by now, BASE_UNAVAILABLE, INTEGRITY_MISMATCH
   */
  async download(pins: readonly Pin[], into: string): Promise<string[]> {
    await mkdir(into, { recursive: true });
    const work = await mkdtemp(join(into, '.download-'));
    try {
      const got = await this.#run(
        'apt-get',
        ['download', '-q', ...pins.map((pin) => `${pin.name}=${pin.version}`)],
        work,
      );
      if (got.exitCode !== 0) throw await this.#whyNot(pins, got);
      const found = new Map<string, string>();
      for (const file of await readdir(work)) {
        const bytes = await readFile(join(work, file));
        found.set(createHash('sha256').update(bytes).digest('hex'), join(work, file));
      }
      const paths: string[] = [];
      for (const pin of pins) {
        const from = found.get(pin.sha256);
        if (from === undefined) {
          throw new InlayError(
            'INTEGRITY_MISMATCH',
            `the mirror's ${pin.name} ${pin.version} is not the one that inlay.lock pins`,
            {
              hint: 'Mirrors of other distributions reuse versions. Build with the sources that the lock was made with, or run inlay lock.',
            },
          );
        }
        await rename(from, debPath(into, pin));
        paths.push(debPath(into, pin));
      }
      return paths;
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }

  async #whyNot(pins: readonly Pin[], got: CommandResult): Promise<InlayError> {
    const now = await this.candidates(pins.map((pin) => pin.name)).catch(() => []);
    const moved = pins.flatMap((pin) => {
      const other = now.find((candidate) => candidate.name === pin.name);
      return other && other.version !== pin.version
        ? [`${pin.name} ${pin.version} (the mirror has ${other.version})`]
        : [];
    });
    if (moved.length === 0) return failed('apt cannot fetch the packages of the base', got);
    return new InlayError('BASE_MOVED', `packages that inlay.lock pins are gone from the mirror: ${moved.join(', ')}`, {
      hint: 'Run inlay lock to pin the versions of today, and commit inlay.lock.',
    });
  }

  /** Runs a program of apt, while no other does in this folder: apt's lists bear only one. */
  #run(program: 'apt-get' | 'apt-cache', args: readonly string[], cwd: string = this.#dir): Promise<CommandResult> {
    return whileLocked(statusIn(this.#dir), () => this.#runAlone(program, args, cwd), PATIENCE_MS);
  }

  /** With fresh package lists the first time. */
  async #runAlone(program: 'apt-get' | 'apt-cache', args: readonly string[], cwd: string): Promise<CommandResult> {
    if (!this.#updated) {
      requireRoom(await statfs(this.#dir), this.#dir);
      const update = await runCommand(['apt-get', ...this.#options(), 'update', '-q'], {
        env: this.#env,
        cwd: this.#dir,
      });
      if (update.exitCode !== 0) throw failed('apt cannot read the package lists', update);
      this.#updated = true;
    }
    return runCommand([program, ...this.#options(), ...args], { env: this.#env, cwd });
  }

  #options(): string[] {
    const { uid } = { uid: process.getuid?.() };
    return [
      `Dir::State=${this.#dir}/state`,
      `Dir::State::status=${statusIn(this.#dir)}`,
      `Dir::Cache=${this.#dir}/cache`,
      `APT::Architecture=${this.#architecture}`,
      `APT::Architectures::=${this.#architecture}`,
      // apt gives up at once where another has its lock.
      'Debug::NoLocking=1',
      'Acquire::Languages=none',
      // A partial failure (a mirror away for a moment) must not pass as success with old lists.
      'APT::Update::Error-Mode=any',
      ...(uid === 0 ? ['APT::Sandbox::User=root'] : []),
    ].flatMap((option) => ['-o', option]);
  }
}

/** @throws DISK_FULL where package lists have no room; some file systems do not tell */
export function requireRoom(
  { blocks, bavail, bsize }: Pick<StatsFs, 'blocks' | 'bavail' | 'bsize'>,
  dir: string,
): void {
  const free = bavail * bsize;
  if (blocks === 0 || free >= LISTS_BYTES) return;
  throw new InlayError(
    'DISK_FULL',
    `apt's package lists take up to ${LISTS_BYTES / 1e6} MB, and ${dir} has ${Math.floor(free / 1e6)} MB left`,
    {
      hint: 'Free some of it (inlay prune --local looks at INLAY_HOME), or set INLAY_HOME to a folder with more room.',
    },
  );
}

/** No package is installed: so that apt does not look at the host's. */
function statusIn(dir: string): string {
  return join(dir, 'status');
}

/** Where a pinned package lies among the downloaded ones. */
export function debPath(dir: string, pin: Pin): string {
  return join(dir, `${pin.sha256}.deb`);
}

export function hasDeb(dir: string, pin: Pin): boolean {
  return existsSync(debPath(dir, pin));
}

/** RFC 822 style stanzas, as dpkg and apt write them; continuation lines stay part of their field. */
export function parseStanzas(text: string): Readonly<Record<string, string>>[] {
  return text
    .split(/\n{2,}/)
    .filter((stanza) => stanza.trim() !== '')
    .map((stanza) =>
      Object.fromEntries(
        [...stanza.matchAll(/^([^\s:]+):[ \t]*(.*(?:\n[ \t].*)*)/gm)].map((match) => [
          match[1] as string,
          match[2] as string,
        ]),
      ),
    );
}

function failed(what: string, result: CommandResult): InlayError {
  const errors = result.stderr
    .split('\n')
    .filter((line) => line.startsWith('E:'))
    .join('\n');
  return new InlayError('BASE_UNAVAILABLE', `${what}: ${lastLines(errors || result.stderr || result.stdout)}`, {
    hint: 'Does apt-get update work on this machine?',
  });
}
