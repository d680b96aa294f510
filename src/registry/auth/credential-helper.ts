import { spawn } from 'node:child_process';
import { z } from 'zod';
import { InlayError } from '../../error/index.ts';
import type { Credential } from './auth-file.ts';

const answerSchema = z.object({ Username: z.string(), Secret: z.string() });
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const TIMEOUT_MS = 30_000;
const OUTPUT_LIMIT = 1 << 20;

/**
 * Asks `docker-credential-NAME get`, which reads the server from stdin and writes JSON
 * (github.com/docker/docker-credential-helpers). Undefined when it knows no login for the server.
 * @param env the helper's whole environment @throws CREDENTIALS_INVALID
 */
export async function askHelper(
  name: string,
  server: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Credential | undefined> {
  const program = `docker-credential-${name}`;
  if (!NAME.test(name)) throw failed(program, server, 'that is no name of a program');
  const { code, stdout, problem } = await run(program, server, env);
  if (problem !== undefined) throw failed(program, server, problem);
  // Helpers write this sentence to stdout and exit 1; some leave the exit code at 0.
  if (/credentials not found|no credentials server url/i.test(stdout)) return undefined;
  // What it printed is not told: it may be the secret.
  if (code !== 0) throw failed(program, server, `it ended with exit code ${code}`);
  let answer: unknown;
  try {
    answer = JSON.parse(stdout);
  } catch {
    throw failed(program, server, 'it did not answer in JSON');
  }
  const parsed = answerSchema.safeParse(answer);
  if (!parsed.success) throw failed(program, server, 'its answer lacks Username or Secret');
  const { Username: username, Secret: secret } = parsed.data;
  if (secret === '') return undefined;
  return username === '<token>'
    ? { kind: 'identity', token: secret }
    : { kind: 'password', username, password: secret };
}

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly problem?: string;
}

function run(program: string, input: string, env: Readonly<Record<string, string | undefined>>): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn(program, ['get'], { env: { ...env }, stdio: ['pipe', 'pipe', 'ignore'], timeout: TIMEOUT_MS });
    const chunks: Buffer[] = [];
    let size = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= OUTPUT_LIMIT) chunks.push(chunk);
    });
    child.once('error', (error) =>
      resolve({
        code: null,
        stdout: '',
        problem: 'code' in error && error.code === 'ENOENT' ? 'it is not in PATH' : 'it could not be started',
      }),
    );
    child.once('close', (code, signal) =>
      resolve({
        code,
        stdout: Buffer.concat(chunks).toString('utf8'),
        ...(signal ? { problem: `it was still running after ${TIMEOUT_MS / 1000} s` } : {}),
      }),
    );
    // A helper that does not read its input must not end this process with EPIPE.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

function failed(program: string, server: string, why: string): InlayError {
  return new InlayError('CREDENTIALS_INVALID', `the credential helper ${program} gave no login for ${server}: ${why}`, {
    hint: `Install it or log in anew, or remove it from the login file's credHelpers and credsStore.`,
  });
}
