// Training as a release does it: a command, its log, and when it is not done again.
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '../../src/contract/config/load.ts';
import { isInlayError } from '../../src/error/index.ts';
import { planOf, type TrainingOptions, train, trainingIsOver } from '../../src/release/index.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-train-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function options(training: string, more: Partial<TrainingOptions> = {}): TrainingOptions {
  const text = `name: iris\nversion: auto\nmodel: model.onnx\ntraining: ${training}\n`;
  return {
    dir,
    config: parseConfig(text, 'inlay.yaml'),
    mode: 'auto',
    stateDir: join(dir, 'state'),
    env: { PATH: process.env.PATH, COSIGN_PASSWORD: 'of the key' },
    now: () => new Date(),
    onLine: () => {},
    ...more,
  };
}
const MAKES = '{run: "echo trained; printf %s x$COSIGN_PASSWORD > model.onnx"}';

test('the command runs in the folder, its words are kept, and it is not told what is not its own', async () => {
  const lines: string[] = [];
  const trained = await train(options(MAKES, { onLine: (line) => lines.push(line) }));
  expect(lines).toContain('trained');
  expect(readFileSync(join(dir, 'model.onnx'), 'utf8')).toBe('x');
  expect(readFileSync(trained?.log ?? '', 'utf8')).toContain('\ntrained\n');
  expect(trained?.status).toBe('done');
});

test.skipIf(!existsSync('/dev/full'))('a disk that is full ends the log, not the training', async () => {
  const now = new Date('2026-01-02T03:04:05.678Z');
  await train(options(MAKES, { now: () => now }));
  const [log = ''] = await Array.fromAsync(new Bun.Glob('state/*/*.log').scan({ cwd: dir, absolute: true }));
  rmSync(log);
  symlinkSync('/dev/full', log);
  const lines: string[] = [];
  const more = { now: () => now, mode: 'always' as const, onLine: (line: string) => lines.push(line) };
  expect((await train(options(MAKES, more)))?.status).toBe('done');
  expect(lines).toContain('trained');
  expect(lines.filter((line) => line.includes(log) && line.includes('ENOSPC'))).toHaveLength(1);
});

test('a training that nobody has released is gone on with, unless what it is made from has changed', async () => {
  writeFileSync(join(dir, 'train.py'), 'seed = 1');
  await train(options(MAKES));
  expect((await train(options(MAKES)))?.status).toBe('kept');
  writeFileSync(join(dir, 'train.py'), 'seed = 2');
  expect(await planOf(options(MAKES))).toMatchObject({ train: true });
});

test('one that is over is done again, where nobody has said what training reads', async () => {
  await train(options(MAKES));
  await trainingIsOver(options(MAKES));
  expect(await planOf(options(MAKES))).toMatchObject({ train: true });
});

test('where inputs are stated it is done again when one of them, or what it wrote, is another', async () => {
  const stated = '{run: "cat data.csv > model.onnx", inputs: [data.csv]}';
  writeFileSync(join(dir, 'data.csv'), '1');
  await train(options(stated));
  await trainingIsOver(options(stated));
  expect(await planOf(options(stated))).toMatchObject({ train: false, status: 'kept' });
  expect(await planOf(options(stated, { mode: 'always' }))).toMatchObject({ train: true });
  writeFileSync(join(dir, 'model.onnx'), 'of somebody else');
  expect(await planOf(options(stated))).toMatchObject({ train: true });
  expect(await planOf(options(stated, { mode: 'never' }))).toMatchObject({ train: false, status: 'skipped' });
  await train(options(stated));
  writeFileSync(join(dir, 'data.csv'), '2');
  expect(await planOf(options(stated))).toMatchObject({ train: true });
});

test('a command that fails says how it ended, with its last words, and is not remembered', async () => {
  const error = await train(options('{run: "echo no data >&2; exit 4"}')).catch((thrown: unknown) => thrown);
  if (!isInlayError(error)) throw error;
  expect([error.code, error.message]).toEqual(['TRAINING_FAILED', expect.stringContaining('exit code 4\n    no data')]);
  expect(await planOf(options('{run: "echo no data >&2; exit 4"}'))).toMatchObject({ train: true });
});

test('one that ends well without a model has failed', async () => {
  const error = await train(options('{run: "true"}')).catch((thrown: unknown) => thrown);
  expect(isInlayError(error) && error.code).toBe('TRAINING_FAILED');
});

test('Ctrl-C ends it with all that it has started', async () => {
  const abort = new AbortController();
  const begun = options('{run: "sleep 600 & echo $! > pid; wait"}', { signal: abort.signal });
  const training = train(begun).catch((thrown: unknown) => thrown);
  while (!existsSync(join(dir, 'pid')) || readFileSync(join(dir, 'pid'), 'utf8').trim() === '') await Bun.sleep(10);
  abort.abort();
  const error = await training;
  expect(isInlayError(error) && error.code).toBe('INTERRUPTED');
  const pid = Number(readFileSync(join(dir, 'pid'), 'utf8'));
  for (;;) {
    // A zombie is still there until its parent has seen it end.
    const state = existsSync(`/proc/${pid}/stat`)
      ? readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0]
      : 'gone';
    if (state === 'gone' || state === 'Z' || process.platform !== 'linux') break;
    await Bun.sleep(10);
  }
});
