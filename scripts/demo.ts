// The way from a trained model to an image that answers, step by step, with the time of each.
import { join } from 'node:path';

const ROOT = join(import.meta.dir, '..');
const INLAY = join(ROOT, 'bin', 'inlay');
const PROJECT = 'examples/iris';
const keep = process.argv.includes('--keep');

const times: [string, number][] = [];
const say = (text: string) => console.log(text);

async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  say(`\n== ${name}`);
  const started = performance.now();
  const result = await work();
  times.push([name, performance.now() - started]);
  return result;
}

/** Runs inlay with its words on this terminal; with `capture`, its stdout is returned instead. */
async function inlay(args: readonly string[], capture = false): Promise<{ code: number; out: string }> {
  say(`$ inlay ${args.join(' ')}`);
  const child = Bun.spawn([INLAY, ...args], {
    cwd: ROOT,
    stdin: 'ignore',
    stdout: capture ? 'pipe' : 'inherit',
    stderr: 'pipe',
  });
  const decoder = new TextDecoder();
  let stderr = '';
  for await (const chunk of child.stderr) {
    stderr += decoder.decode(chunk, { stream: true });
    process.stderr.write(chunk);
  }
  const out = child.stdout ? await new Response(child.stdout as ReadableStream).text() : '';
  lastStderr = stderr;
  return { code: await child.exited, out };
}
let lastStderr = '';

async function must(args: readonly string[], capture = false): Promise<string> {
  const { code, out } = await inlay(args, capture);
  if (code !== 0) {
    say(`\nThe demo ends here: inlay ${args[0]} failed with exit code ${code}; the lines above say why.`);
    process.exit(1);
  }
  return out;
}

await step('check', () => must(['check', PROJECT]));

await step('build', async () => {
  const built = await inlay(['build', PROJECT]);
  if (built.code !== 0 && lastStderr.includes('error BASE_MOVED')) {
    say('The mirror has newer packages than inlay.lock pins: pinning anew, as inlay lock does.');
    await must(['lock', PROJECT]);
    await must(['build', PROJECT]);
  } else if (built.code !== 0) {
    await must(['build', PROJECT]);
  }
});
const image = JSON.parse(await must(['build', PROJECT, '--json'], true)) as { reference: string; digest: string };

const port = keep ? '8000' : '0';
say('\n== run');
say(`$ inlay run ${image.reference} --port ${port}`);
const started = performance.now();
const server = Bun.spawn(
  [INLAY, 'run', image.reference, '--port', port, '--cpus', '0.5', '--memory', '300Mi', '--env', 'DRAIN_S=0'],
  { cwd: ROOT, stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' },
);
let url: string | undefined;
const decoder = new TextDecoder();
const reader = server.stdout.getReader();
for (let text = ''; url === undefined; ) {
  const { value, done } = await reader.read();
  if (done) process.exit(1);
  const chunk = decoder.decode(value, { stream: true });
  process.stdout.write(chunk);
  text += chunk;
  url = / runs with \S+ at (http:\S+)/.exec(text)?.[1];
}
reader.releaseLock();
times.push(['run', performance.now() - started]);

const failures: string[] = [];
await step('every request of the reference', async () => {
  const requests: [method: string, path: string, body?: string][] = [
    ['GET', '/health'],
    ['GET', '/metadata'],
    ['GET', '/label'],
    ['GET', '/predict/test'],
    ['GET', '/predict/test/label'],
    ['POST', '/predict', '{"data":[[5.1,3.5,1.4,0.2]]}'],
    ['POST', '/predict/label', '{"data":[[5.1,3.5,1.4,0.2]]}'],
  ];
  for (const [method, path, body] of requests) {
    const response = await fetch(url + path, { method, ...(body === undefined ? {} : { body }) });
    const answer = await response.text();
    say(`${method.padEnd(4)} ${path}${body === undefined ? '' : ` ${body}`}\n     ${answer}`);
    if (!response.ok) failures.push(`${method} ${path}: ${response.status}`);
    if (path.endsWith('/label') && path !== '/label' && answer !== '{"prediction":"setosa"}')
      failures.push(`${path}: ${answer}`);
  }
});

if (keep) {
  say(`\nIt serves on. Open ${url}, or\n  curl ${url}/predict -d '{"data":[[5.1,3.5,1.4,0.2]]}'\nCtrl-C ends it.`);
  process.on('SIGINT', () => server.kill('SIGINT'));
  process.on('SIGTERM', () => server.kill('SIGTERM'));
  process.exit(await server.exited);
}
await step('stop', async () => {
  server.kill('SIGTERM');
  const code = await server.exited;
  if (code !== 0) failures.push(`the image ended with exit code ${code}`);
});

say(`\n${image.reference}@${image.digest}`);
for (const [name, ms] of times) say(`${name.padEnd(32)} ${(ms / 1000).toFixed(2).padStart(7)} s`);
for (const failure of failures) say(`failed: ${failure}`);
process.exit(failures.length === 0 ? 0 : 1);
