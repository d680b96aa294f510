import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { CONFIG_FILE, type Config, durationMs, durationSchema, readConfig } from '../contract/index.ts';
import { InlayError } from '../error/index.ts';
import { formatReference, parseReference } from '../registry/index.ts';
import { DEFAULT_POLICY, type Policy } from './decide/world.ts';

/** A repository that is to be pruned, and by what rules. */
export interface Target {
  /** `registry.example.com/ml/iris` */
  readonly repository: string;
  readonly policy: Policy;
  /** UIDs of the kube-system namespaces of all clusters that may run its images; undefined where no file says. */
  readonly clusters: readonly string[] | undefined;
  /** The file that says so. */
  readonly declaredIn: string | undefined;
}

export interface Declaration {
  readonly targets: readonly Target[];
  /** Files that pin images. */
  readonly locks: readonly string[];
}

const rules = {
  clusters: z.array(z.string().min(1)).optional(),
  keepLast: z.int().min(1).optional(),
  grace: durationSchema.optional(),
  keepTags: z.array(z.string().min(1)).optional(),
};
const ruleSchema = z.strictObject(rules);
type Rules = z.infer<typeof ruleSchema>;

/** A file of several repositories; what stands beside them holds for each that does not say otherwise. */
const fleetSchema = z.strictObject({
  ...rules,
  /** Files whose pinned images stay, relative to the file. */
  locks: z.array(z.string().min(1)).optional(),
  repositories: z.record(z.string(), ruleSchema.nullable()),
});

export const LOCK_FILE = 'inlay.lock';

/**
 * Reads what a committed file says of pruning: an inlay.yaml, of its own repository, or a file with `repositories:`.
 * @param path a file, or a project's folder @throws CONFIG_INVALID, PROJECT_NOT_FOUND, FILE_UNREADABLE, FILE_NOT_FOUND for a lock that it names
 */
export async function readDeclaration(path: string): Promise<Declaration> {
  const file = basename(path).includes('.yaml') || basename(path).includes('.yml') ? path : join(path, CONFIG_FILE);
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined && file === path)
    throw new InlayError('FILE_NOT_FOUND', `there is no file ${file} that can be read`, {
      hint: 'Name an inlay.yaml, its folder, or a file with repositories: (docs/prune.md).',
    });
  if (text === undefined || !/^repositories:/m.test(text)) return projectDeclaration(await readConfig(path), file);
  return fleetDeclaration(text, file);
}

/** What inlay.yaml says of its repository; nothing where it names none. */
export function projectDeclaration({ image, prune = {} }: Config, file: string): Declaration {
  if (image === undefined) return { targets: [], locks: [join(dirname(file), LOCK_FILE)] };
  return {
    targets: [targetOf(image, prune, file)],
    locks: [join(dirname(file), LOCK_FILE)],
  };
}

function fleetDeclaration(text: string, file: string): Declaration {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [broken] = document.errors;
  if (broken) throw invalid(file, lines.linePos(broken.pos[0]).line, broken.message);
  const parsed = fleetSchema.safeParse(document.toJS());
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const node = document.getIn(issue?.path ?? [], true) as { range?: [number, number, number] } | undefined;
    const place = node?.range ? lines.linePos(node.range[0]).line : 1;
    throw invalid(file, place, `${issue?.path.join('.') || 'the file'}: ${issue?.message}`);
  }
  const { repositories, locks = [], ...common } = parsed.data;
  return {
    targets: Object.entries(repositories).map(([repository, own]) => targetOf(repository, { ...common, ...own }, file)),
    locks: locks.map((lock) => presentLock(resolve(dirname(file), lock), file)),
  };
}

/** A lock that was named has to be there: what it pins would be lost. */
function presentLock(path: string, where: string): string {
  if (existsSync(path)) return path;
  throw new InlayError('FILE_NOT_FOUND', `${where} names the lock ${path}, which is not there`, {
    hint: 'Name an inlay.lock; its path is relative to the file. Without it nothing would keep what it pins.',
  });
}

/** A repository that no file speaks of: it can be looked at, and not pruned. */
export function undeclared(repository: string): Target {
  return { ...targetOf(repository, {}, ''), declaredIn: undefined };
}

function targetOf(repository: string, { clusters, keepLast, grace, keepTags }: Rules, file: string): Target {
  return {
    repository: repositoryName(repository),
    policy: {
      keepLast: keepLast ?? DEFAULT_POLICY.keepLast,
      graceMs: grace === undefined ? DEFAULT_POLICY.graceMs : durationMs(grace),
      keepTags: keepTags ?? DEFAULT_POLICY.keepTags,
    },
    clusters,
    declaredIn: clusters === undefined ? undefined : file,
  };
}

/** What several files say. */
export function joined(declarations: readonly Declaration[]): Declaration {
  const byName = new Map<string, Target>();
  for (const target of declarations.flatMap(({ targets }) => targets)) {
    const other = byName.get(target.repository);
    byName.set(target.repository, other ? both(other, target) : target);
  }
  return { targets: [...byName.values()], locks: declarations.flatMap(({ locks }) => locks) };
}

/** Two projects that push to one repository: whatever one of them keeps stays. */
function both(a: Target, b: Target): Target {
  return {
    repository: a.repository,
    policy: {
      keepLast: Math.max(a.policy.keepLast, b.policy.keepLast),
      graceMs: Math.max(a.policy.graceMs, b.policy.graceMs),
      keepTags: [...a.policy.keepTags, ...b.policy.keepTags],
    },
    clusters: a.clusters && b.clusters ? [...new Set([...a.clusters, ...b.clusters])] : undefined,
    declaredIn: a.clusters && b.clusters ? a.declaredIn : undefined,
  };
}

/** `registry/repository`, in full. @throws REFERENCE_INVALID for a name with a tag or a digest */
export function repositoryName(text: string): string {
  const { registry, repository, tag, digest } = parseReference(text);
  if (tag === undefined && digest === undefined) return formatReference({ registry, repository });
  throw new InlayError('REFERENCE_INVALID', `"${text}" names an image, and prune takes repositories`, {
    hint: `Write ${formatReference({ registry, repository })}.`,
  });
}

function invalid(file: string, line: number, message: string): InlayError {
  return new InlayError('CONFIG_INVALID', `${file}:${line}: ${message}`, {
    hint: 'docs/prune.md shows such a file: clusters, keepLast, grace, keepTags, locks and repositories.',
  });
}
