import { randomUUID } from 'node:crypto';
import { appendFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Step } from '../decide/order.ts';

/**
 * What became of a manifest: `untagged`, `absent` as registries differ; `spared`: something needed it by then; `refused`: the registry
 * deletes nothing.
 */
export type Outcome = 'deleted' | 'untagged' | 'absent' | 'spared' | 'refused';

const stepSchema = z.object({
  repository: z.string(),
  digest: z.string(),
  tags: z.array(z.string()).readonly(),
  image: z.string(),
});
const doneSchema = z.object({
  repository: z.string(),
  digest: z.string(),
  outcome: z.enum(['deleted', 'untagged', 'absent', 'spared', 'refused']),
  at: z.string(),
});
export type Done = z.infer<typeof doneSchema>;

const lineSchema = z.union([doneSchema, z.object({ also: stepSchema })]);

const journalSchema = z.object({
  schemaVersion: z.literal(1),
  startedAt: z.string(),
  actor: z.string(),
  /** What was to go, in order. */
  steps: z.array(stepSchema),
  /** Once it is over, or another sweep has taken over what was left. */
  endedAt: z.string().optional(),
  done: z.array(doneSchema).optional(),
});
export type SweepJournal = z.infer<typeof journalSchema>;

const folderOf = (dir: string) => join(dir, 'sweeps');

/**
 * The record of one sweep: written whole before anything is deleted, then a line for each manifest that is done. What an index named is
 * seen by nobody once the index is gone, so without it a sweep that was killed would leave things behind for good.
 */
export class OpenJournal {
  readonly #path: string;
  readonly #journal: SweepJournal;
  readonly #done: Done[] = [];

  private constructor(path: string, journal: SweepJournal) {
    this.#path = path;
    this.#journal = journal;
  }

  /** Begins a sweep; what earlier ones have left in the repositories that this one was planned for is this one's now. */
  static async begin(
    dir: string,
    steps: readonly Step[],
    { actor, planned }: { readonly actor: string; readonly planned: ReadonlySet<string> },
  ): Promise<OpenJournal> {
    const startedAt = new Date().toISOString();
    const journal: SweepJournal = { schemaVersion: 1, startedAt, actor, steps: [...steps] };
    const path = join(folderOf(dir), `${startedAt.replaceAll(':', '-')}.json`);
    const before = await unfinished(dir);
    await mkdir(folderOf(dir), { recursive: true });
    await writeWhole(path, JSON.stringify(journal));
    for (const { path: old, journal: held, done } of before) {
      const left = held.steps.filter(({ repository }) => !planned.has(repository));
      const over = left.length === 0 ? { endedAt: startedAt } : {};
      const kept = left.length === 0 ? held.steps : left;
      await writeWhole(old, JSON.stringify({ ...held, ...over, steps: kept, done }));
      await rm(logOf(old), { force: true });
    }
    return new OpenJournal(path, journal);
  }

  get done(): readonly Done[] {
    return this.#done;
  }

  /** What was found on the way to go too: noted before what leads to it is gone. */
  async adds(steps: readonly Step[]): Promise<void> {
    this.#journal.steps.push(...steps);
    if (steps.length > 0)
      await appendFile(logOf(this.#path), steps.map((step) => `${JSON.stringify({ also: step })}\n`).join(''));
  }

  async wrote({ repository, digest }: Pick<Step, 'repository' | 'digest'>, outcome: Outcome): Promise<void> {
    const done: Done = { repository, digest, outcome, at: new Date().toISOString() };
    this.#done.push(done);
    await appendFile(logOf(this.#path), `${JSON.stringify(done)}\n`);
  }

  async end(): Promise<void> {
    const { steps, ...head } = this.#journal;
    const whole: SweepJournal = { ...head, endedAt: new Date().toISOString(), steps, done: this.#done };
    await writeWhole(this.#path, JSON.stringify(whole));
    await rm(logOf(this.#path), { force: true });
  }
}

interface Held {
  readonly path: string;
  readonly journal: SweepJournal;
  readonly done: readonly Done[];
}

/** Sweeps that were begun and have not ended. */
async function unfinished(dir: string): Promise<Held[]> {
  const names = await readdir(folderOf(dir)).catch(() => []);
  const held: Held[] = [];
  for (const name of names.filter((one) => one.endsWith('.json')).sort()) {
    const path = join(folderOf(dir), name);
    const journal = await readJson(path);
    if (!journal || journal.endedAt !== undefined) continue;
    const lines = await readFile(logOf(path), 'utf8').catch(() => '');
    // The last line may be half a line: its manifest is looked at again.
    const read = lines.split('\n').flatMap((line) => lineSchema.safeParse(jsonOf(line)).data ?? []);
    const done = read.flatMap((line) => ('also' in line ? [] : [line]));
    const steps = read.flatMap((line) => ('also' in line ? [line.also] : []));
    held.push({
      path,
      journal: { ...journal, steps: [...journal.steps, ...steps] },
      done: [...(journal.done ?? []), ...done],
    });
  }
  return held;
}

/** By repository, what sweeps that were interrupted have not done. */
export async function unfinishedSteps(dir: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const left = new Map<string, string[]>();
  for (const { journal, done } of await unfinished(dir)) {
    const over = new Set(done.map(({ repository, digest }) => `${repository}@${digest}`));
    for (const { repository, digest } of journal.steps)
      if (!over.has(`${repository}@${digest}`)) left.set(repository, [...(left.get(repository) ?? []), digest]);
  }
  return left;
}

function logOf(path: string): string {
  return path.replace(/\.json$/, '.log');
}

async function readJson(path: string): Promise<SweepJournal | undefined> {
  try {
    return journalSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return undefined;
  }
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}`;
  await writeFile(temporary, text);
  await rename(temporary, path);
}
