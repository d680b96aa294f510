// A real MLflow server as a child of a test, in a Python environment of its own outside the tree, made once for a requirements file.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { must, run } from '../inlay.ts';

const REQUIREMENTS = join(import.meta.dir, 'requirements.txt');

export interface MlflowServer {
  readonly url: string;
  /** Logs a model and registers it as `iris`, `champion`. @returns the run's id */
  logModel(file: string): Promise<string>;
  stop(): Promise<void>;
}

/** @param login makes it ask for logins (MLflow's basic-auth app); the administrator's */
export async function startMlflow(login?: {
  readonly username: string;
  readonly password: string;
}): Promise<MlflowServer> {
  const venv = await environment();
  const dir = mkdtempSync(join(tmpdir(), 'inlay-mlflow-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  writeFileSync(
    join(dir, 'auth.ini'),
    `[mlflow]\ndefault_permission = NO_PERMISSIONS\ndatabase_uri = sqlite:///${dir}/auth.db\nadmin_username = ${login?.username}\nadmin_password = ${login?.password}\nauthorization_function = mlflow.server.auth:authenticate_request_basic_auth\n`,
  );
  const secured = login ? ['--app-name', 'basic-auth'] : [];
  const child = Bun.spawn(
    [
      ...[join(venv, 'bin', 'mlflow'), 'server', '--host', '127.0.0.1', '--port', String(port), '--workers', '1'],
      ...['--backend-store-uri', `sqlite:///${dir}/mlflow.db`, '--artifacts-destination', join(dir, 'artifacts')],
      ...secured,
    ],
    {
      cwd: dir,
      env: {
        ...process.env,
        PATH: `${join(venv, 'bin')}:${process.env.PATH}`,
        MLFLOW_AUTH_CONFIG_PATH: join(dir, 'auth.ini'),
        MLFLOW_FLASK_SERVER_SECRET_KEY: 'of a test',
        MLFLOW_DISABLE_TELEMETRY: 'true',
        DO_NOT_TRACK: 'true',
      },
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: Bun.file(join(dir, 'log')),
      detached: true,
    },
  );
  const stop = async () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
    await child.exited;
    rmSync(dir, { recursive: true, force: true });
  };
  for (let tries = 0; !(await healthy(url)); tries++) {
    if (tries > 600 || child.exitCode !== null) {
      const log = await Bun.file(join(dir, 'log')).text();
      await stop();
      throw new Error(`MLflow did not start: ${log}`);
    }
    await Bun.sleep(200);
  }
  return {
    url,
    stop,
    logModel: async (file) => {
      const env = {
        MLFLOW_TRACKING_URI: url,
        MLFLOW_DISABLE_TELEMETRY: 'true',
        ...(login ? { MLFLOW_TRACKING_USERNAME: login.username, MLFLOW_TRACKING_PASSWORD: login.password } : {}),
      };
      const out = await must([join(venv, 'bin', 'python'), join(import.meta.dir, 'log_model.py'), file], {
        env,
        cwd: dir,
      });
      return (
        out
          .trim()
          .split('\n')
          .findLast((line) => /^[0-9a-f]{32}$/.test(line)) ?? ''
      );
    },
  };
}

async function healthy(url: string): Promise<boolean> {
  return fetch(`${url}/health`).then(
    (response) => response.ok,
    () => false,
  );
}

async function environment(): Promise<string> {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const venv = process.env.INLAY_MLFLOW_ENV ?? join(cache, 'inlay-mlflow');
  const hash = new Bun.CryptoHasher('sha256').update(await Bun.file(REQUIREMENTS).bytes()).digest('hex');
  const stamp = join(venv, hash.slice(0, 16));
  if (existsSync(stamp)) return venv;
  rmSync(venv, { recursive: true, force: true });
  await must(['python3', '-m', 'venv', venv]);
  const pip = [join(venv, 'bin', 'pip'), 'install', '-q', '--disable-pip-version-check', '-r', REQUIREMENTS];
  const { code, stderr } = await run(pip);
  if (code !== 0) throw new Error(stderr);
  writeFileSync(stamp, '');
  return venv;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}
