import { type Env, runCommand } from '../image/index.ts';

/** The state of a git work tree. */
export interface GitState {
  /** Of HEAD, hex. */
  readonly commit: string;
  /** Whether anything below the folder differs from it, untracked files included. */
  readonly dirty: boolean;
  /** Address of the remote `origin` without logins, if there is one. */
  readonly remote?: string;
}

/**
 * What git says of a folder; undefined where there is no git, no work tree or no commit, or git does not trust the folder.
 * The repository's own hooks and file watchers are not run.
 */
export async function readGit(dir: string, env: Env): Promise<GitState | undefined> {
  const git = async (...args: string[]) => {
    const ran = await runCommand(['git', '-c', 'core.fsmonitor=false', ...args], {
      cwd: dir,
      env: { ...env, GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' },
    }).catch(() => undefined);
    return ran?.exitCode === 0 ? ran.stdout.trim() : undefined;
  };
  const commit = await git('rev-parse', '--verify', 'HEAD^{commit}');
  if (commit === undefined || !/^[0-9a-f]{40,64}$/.test(commit)) return undefined;
  const status = await git('status', '--porcelain', '--', '.');
  const remote = withoutLogin(await git('config', '--get', 'remote.origin.url'));
  return { commit, dirty: status !== '', ...(remote === undefined ? {} : { remote }) };
}

/** Addresses hold tokens at times (`https://user:token@host/…`), and this one is published. */
function withoutLogin(address: string | undefined): string | undefined {
  if (address === undefined || address === '') return undefined;
  const scp = /^(?:[^@/:]+@)?([^/:]+):(?!\/\/)(.+)$/.exec(address);
  if (scp) return `git+ssh://${scp[1]}/${scp[2]}`;
  if (!URL.canParse(address)) return undefined;
  const url = new URL(address);
  if (!['https:', 'http:', 'ssh:', 'git:'].includes(url.protocol)) return undefined;
  return `git+${url.protocol}//${url.host}${url.pathname}`;
}
