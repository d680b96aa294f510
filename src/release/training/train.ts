import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream, existsSync, realpathSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Config, digestFile, modelPathOf } from '../../contract/index.ts';
import { InlayError } from '../../error/index.ts';
import type { StepOutcome } from '../step.ts';
import {
  planTraining,
  type TrainingMode,
  type TrainingPlan,
  type TrainingRecord,
  trainingRecordSchema,
} from './plan.ts';
import { pythonEnvironment } from './python-environment.ts';
import { type Env, runLogged } from './run-logged.ts';

export interface TrainingOptions {
  /** The project's folder. */
  readonly dir: string;
  readonly config: Config;
  readonly mode: TrainingMode;
  /** Where environments, logs and records are kept. */
  readonly stateDir: string;
  readonly env: Env;
  readonly now: () => Date;
  /** Each line that training writes. */
  readonly onLine: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface Trained extends StepOutcome {
  readonly command: string;
  readonly log?: string;
  readonly tookMs?: number;
}

/** What only inlay wants to know. */
const SECRETS = ['COSIGN_PASSWORD', 'INLAY_DATABASE', 'INLAY_HUB_TOKEN'];
const KEPT_LOGS = 20;

/** What training would do now; nothing is changed. Undefined where inlay.yaml has no `training.run`. */
export async function planOf(options: TrainingOptions): Promise<TrainingPlan | undefined> {
  const { dir, config, mode } = options;
  if (config.training?.run === undefined) return undefined;
  return planTraining({
    mode,
    inputsStated: config.training.inputs !== undefined,
    key: await keyOf(dir, config),
    outputs: await outputsOf(dir, config),
    record: await readRecord(recordPath(options)),
  });
}

/**
 * Runs `training.run` of inlay.yaml in the project's folder, with Python as its requirements say, unless what it is made from and
 * what it wrote are as they were.
 * @returns undefined where inlay.yaml has no `training.run` @throws TRAINING_FAILED, INTERRUPTED
 */
export async function train(options: TrainingOptions): Promise<Trained | undefined> {
  const { dir, config } = options;
  const command = config.training?.run;
  const plan = await planOf(options);
  if (command === undefined || plan === undefined) return undefined;
  if (!plan.train) {
    const record = await readRecord(recordPath(options));
    const known = plan.status === 'kept' && record ? { log: record.log, tookMs: record.tookMs } : {};
    return { status: plan.status, detail: plan.why, command, ...known };
  }
  const before = await outputsOf(dir, config);
  const ran = await runTraining({ ...options, command, requirements: requirementsOf(dir, config) });
  const model = modelPathOf(config);
  if (!existsSync(join(dir, model)))
    throw new InlayError('TRAINING_FAILED', `${command} ended well, and there is no ${model}`, {
      hint: 'model: of inlay.yaml names what training writes.',
    });
  const { outputs } = await keepTraining(options, ran);
  const same = before[model] === outputs[model] ? `, ${model} is byte for byte as it was` : '';
  const { log, tookMs } = ran;
  return { status: 'done', detail: `${plan.why}; ${ran.where}${same}; log ${log}`, command, log, tookMs };
}

export interface RanTraining {
  readonly log: string;
  readonly tookMs: number;
  readonly endedAt: string;
  /** In which environment, in words. */
  readonly where: string;
}

/**
 * Runs a command in a project's folder, in an environment of Python of its own where there are requirements; what it writes is kept.
 * @param options.requirements relative to the folder @throws TRAINING_FAILED, INTERRUPTED
 */
export async function runTraining(
  options: Pick<TrainingOptions, 'dir' | 'stateDir' | 'env' | 'now' | 'onLine' | 'signal'> & {
    readonly command: string;
    readonly requirements: string | undefined;
  },
): Promise<RanTraining> {
  const { dir, command, now, onLine, signal } = options;
  const started = now();
  const log = await openLog(options, started, onLine);
  const line = (text: string) => {
    log.write(`${text}\n`);
    onLine(text);
  };
  try {
    const { env, told } = await environmentOf(options, line);
    line(`$ ${command}`);
    const ran = await runLogged(['sh', '-c', command], { cwd: dir, env, log: line, signal });
    if (ran.exitCode !== 0)
      throw new InlayError('TRAINING_FAILED', `${command} ended with exit code ${ran.exitCode}${ran.tail}`, {
        hint: `The whole log is ${log.path}.`,
      });
    const ended = now();
    return {
      log: log.path,
      tookMs: ended.getTime() - started.getTime(),
      endedAt: ended.toISOString(),
      where: told,
    };
  } finally {
    await log.end();
  }
}

/** Keeps what was trained, so that the next release goes on with it. */
export async function keepTraining(
  options: Pick<TrainingOptions, 'dir' | 'config' | 'stateDir'>,
  { log, tookMs, endedAt }: RanTraining,
): Promise<TrainingRecord> {
  const { dir, config } = options;
  const record: TrainingRecord = {
    schemaVersion: 1,
    key: await keyOf(dir, config),
    outputs: await outputsOf(dir, config),
    endedAt,
    tookMs,
    log,
    over: false,
  };
  await writeRecord(recordPath(options), record);
  return record;
}

/** Says that nobody needs to go on with the last training: it has been released, or found not to be good. */
export async function trainingIsOver(options: Pick<TrainingOptions, 'dir' | 'stateDir'>): Promise<void> {
  const record = await readRecord(recordPath(options));
  if (record && !record.over) await writeRecord(recordPath(options), { ...record, over: true });
}

async function environmentOf(
  options: Pick<TrainingOptions, 'dir' | 'stateDir' | 'env' | 'signal'> & { readonly requirements: string | undefined },
  log: (line: string) => void,
): Promise<{ readonly env: Env; readonly told: string }> {
  const { dir, stateDir, env, signal, requirements } = options;
  const own: Env = { ...env, PYTHONUNBUFFERED: '1', ...Object.fromEntries(SECRETS.map((name) => [name, undefined])) };
  if (requirements === undefined) return { env: own, told: 'in the environment of this machine' };
  const cacheDir = join(stateDir, 'environments');
  const python = await pythonEnvironment({ requirements: join(dir, requirements), cacheDir, env: own, log, signal });
  return { env: python.env, told: `in the environment of ${requirements}${python.kept ? '' : ', made now'}` };
}

/** The requirements file that training is made with; other kinds of files are not pip's. Undefined: what the machine has. */
export function requirementsOf(dir: string, { training }: Pick<Config, 'training'>): string | undefined {
  if (training?.environment === 'host') return undefined;
  const name = training?.requirements ?? 'requirements.txt';
  return name.endsWith('.txt') && existsSync(join(dir, name)) ? name : undefined;
}

/** What training is expected to write: all that inlay.yaml names. */
function outputNames(config: Config): string[] {
  const golden = typeof config.golden === 'string' ? config.golden : config.golden?.file;
  return [modelPathOf(config), config.labels, golden, config.metrics].filter((name) => name !== undefined);
}

async function outputsOf(dir: string, config: Config): Promise<Record<string, string>> {
  const there = outputNames(config).filter((name) => existsSync(join(dir, name)));
  const digests = await Promise.all(
    there.map(
      async (name) =>
        [
          name,
          await digestFile(join(dir, name)).then(
            ({ digest }) => digest,
            () => '',
          ),
        ] as const,
    ),
  );
  return Object.fromEntries(digests);
}

const SKIPPED = /(^|\/)(node_modules|\.git|\.venv|venv|__pycache__)\//;

/** Of the command, its requirements, and the files that training.inputs names, or else the Python files of the project. */
async function keyOf(dir: string, config: Config): Promise<string> {
  const { run = '', environment = 'venv', inputs } = config.training ?? {};
  const written = new Set(outputNames(config));
  const files = new Set<string>();
  for (const pattern of inputs ?? ['**/*.py'])
    for await (const file of new Bun.Glob(pattern).scan({ cwd: dir, onlyFiles: true, followSymlinks: false }))
      if (!SKIPPED.test(file) && !written.has(file)) files.add(file);
  const requirements = requirementsOf(dir, config);
  if (requirements !== undefined) files.add(requirements);
  const hash = createHash('sha256').update(JSON.stringify([run, environment]));
  for (const file of [...files].sort()) hash.update(`\n${file}\0${(await digestFile(join(dir, file))).digest}`);
  return `sha256:${hash.digest('hex')}`;
}

function folderOf({ dir, stateDir }: Pick<TrainingOptions, 'dir' | 'stateDir'>): string {
  return join(stateDir, createHash('sha256').update(realpathSync(dir)).digest('hex').slice(0, 16));
}

function recordPath(options: Pick<TrainingOptions, 'dir' | 'stateDir'>): string {
  return join(folderOf(options), 'record.json');
}

/** A record that cannot be read is none: training once more is no harm. */
async function readRecord(path: string): Promise<TrainingRecord | undefined> {
  try {
    return trainingRecordSchema.safeParse(JSON.parse(await readFile(path, 'utf8'))).data;
  } catch {
    return undefined;
  }
}

async function writeRecord(path: string, record: TrainingRecord): Promise<void> {
  const temporary = `${path}.${randomUUID()}`;
  await writeFile(temporary, JSON.stringify(record));
  await rename(temporary, path);
}

/** A disk that fills up ends the log, not hours of training. */
async function openLog(
  options: Pick<TrainingOptions, 'dir' | 'stateDir'>,
  started: Date,
  onFailed: (line: string) => void,
) {
  const folder = folderOf(options);
  await mkdir(folder, { recursive: true });
  const logs = (await readdir(folder)).filter((name) => name.endsWith('.log')).sort();
  for (const name of logs.slice(0, Math.max(0, logs.length - KEPT_LOGS + 1)))
    await rm(join(folder, name), { force: true });
  const path = join(folder, `${started.toISOString().replace(/[:.]/g, '-')}.log`);
  const stream = createWriteStream(path);
  const closed = new Promise<void>((resolve) => stream.once('close', () => resolve()));
  stream.on('error', ({ message }) => onFailed(`${path} is not whole: ${message}`));
  return {
    path,
    write: (text: string) => void (stream.writable && stream.write(text)),
    end: async () => {
      stream.end();
      await closed;
    },
  };
}
