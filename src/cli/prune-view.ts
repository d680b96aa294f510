import { dirname } from 'node:path';
import {
  compareVersionsOfTags,
  type Gap,
  type PlannedImage,
  type PruneDocument,
  type StoreDocument,
  type SweepResult,
  versionOf,
} from '../prune/index.ts';
import { formatBytes, table } from './output.ts';

/** More images than that are told by repository. */
const MANY = 60;

const KEPT_FOR: Readonly<Record<string, string>> = {
  RUNS: 'running now',
  COULD_RUN: 'could run again',
  RELEASE: 'being released, or stable',
  ROLLBACK: 'may be rolled back to',
  LOCKED: 'pinned by a lock',
  BASE: 'others were built on',
  KEPT_TAG: 'with a tag that is kept',
  LAST_VERSIONS: 'among the last versions',
  NEW: 'newer than the grace',
  ATTACHED: 'part of one that stays',
};

/** A plan for people. @param list every image, however many there are */
export function describePlan(
  plan: PruneDocument | undefined,
  store: StoreDocument | undefined,
  { list, acts }: { readonly list: boolean; readonly acts: boolean },
): string {
  const parts: string[] = [];
  if (plan && plan.repositories.length > 0) parts.push(describeRegistries(plan, list));
  if (store) parts.push(describeStore(store, list));
  // A refusal tells them itself.
  if (acts) return parts.join('\n');
  if (plan && plan.gaps.length > 0) parts.push(describeGaps(plan.gaps));
  const drops = (plan?.drop.length ?? 0) + (store?.freeBytes ?? 0);
  parts.push(
    plan && plan.gaps.length > 0
      ? 'Nothing was deleted, and --yes would refuse until that is known. --json tells why for each image.'
      : drops === 0
        ? 'Nothing is to go.'
        : 'Nothing was deleted. inlay prune --yes does it; --json tells why for each image.',
  );
  return parts.join('\n');
}

function describeRegistries({ repositories, keep, drop, ...plan }: PruneDocument, list: boolean): string {
  const rows =
    list || keep.length + drop.length <= MANY
      ? imageRows({ keep, drop })
      : [
          ['repository', 'keeps', 'drops', 'holds', 'frees'],
          ...repositories.map((one) => [
            one.repository,
            String(one.keeps),
            String(one.drops),
            formatBytes(one.sizeBytes),
            formatBytes(one.freeBytes),
          ]),
        ];
  return [
    table(rows),
    `keeps  ${keep.length}${whyKept(keep)}`,
    ...(keep.some(({ reasons: [first] }) => first?.code === 'NEW')
      ? [
          '       new is what neither the registry, nor a release, nor an earlier look proves to be older: on a first look all may be. --grace 0s does not wait',
        ]
      : []),
    `drops  ${drop.length}  ${formatBytes(plan.freeBytes)} free after the registry's own collection`,
    ...(plan.attachmentsUncounted > 0
      ? [`       what is attached to ${plan.attachmentsUncounted} of them goes too, and is not counted`]
      : []),
  ].join('\n');
}

function describeStore({ dir, keep, drop, freeBytes, ...beside }: StoreDocument, list: boolean): string {
  const { environments, rootFileSystems } = beside;
  return [
    `local store ${dir}`,
    ...(keep.length + drop.length > 0 && (list || keep.length + drop.length <= MANY)
      ? [table(imageRows({ keep, drop }))]
      : []),
    `keeps  ${keep.length}${whyKept(keep)}`,
    ...environments.map(
      ({ path, usedAt, sizeBytes }) =>
        `drop  ${path}  ${formatBytes(sizeBytes)}  an environment of training, not used since ${usedAt.slice(0, 10)}`,
    ),
    ...describeRootFileSystems(rootFileSystems),
    `drops  ${drop.length + environments.length + rootFileSystems.length}  ${formatBytes(freeBytes)} free, with what no image has any more`,
  ].join('\n');
}

/** In a line: each run of another image unpacks one. */
function describeRootFileSystems(folders: StoreDocument['rootFileSystems']): string[] {
  const [first] = folders;
  if (!first) return [];
  const bytes = folders.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const last = folders.reduce((latest, { usedAt }) => (usedAt > latest ? usedAt : latest), '');
  const what = folders.length === 1 ? '1 root file system' : `${folders.length} root file systems`;
  return [
    `drop  ${dirname(first.path)}  ${formatBytes(bytes)}  ${what} that runs unpacked, not used since ${last.slice(0, 10)}`,
  ];
}

function imageRows({ keep, drop }: Pick<PruneDocument, 'keep' | 'drop'>): string[][] {
  const more = (tags: readonly string[]) => (tags.length > 1 ? ` +${tags.length - 1}` : '');
  return [
    ...newestFirst(keep).map(({ reference, tags, sizeBytes, reasons }) => [
      'keep',
      reference + more(tags),
      formatBytes(sizeBytes),
      reasons.map(({ code, detail }) => `${code} ${detail}`)[0] ?? '',
    ]),
    ...newestFirst(drop).map(({ reference, tags, freeBytes, reasons }) => [
      'drop',
      reference + more(tags),
      formatBytes(freeBytes),
      reasons
        .filter(({ code }) => code !== 'UNUSED')
        .map(({ detail }) => detail)
        .join(', '),
    ]),
  ];
}

/** By repository, and not as registries list tags: in no order. */
function newestFirst<T extends PlannedImage>(images: readonly T[]): T[] {
  return images
    .map((image) => {
      const tag = image.tags[0] ?? '';
      const place = image.reference.slice(0, image.reference.length - (tag === '' ? 0 : tag.length + 1));
      return { image, place, version: versionOf(tag) };
    })
    .sort((a, b) => (a.place === b.place ? compareVersionsOfTags(b.version, a.version) : a.place < b.place ? -1 : 1))
    .map(({ image }) => image);
}

/** `  (4 running now, 3 may be rolled back to)`: each image by its strongest reason. */
function whyKept(keep: PruneDocument['keep']): string {
  const counts = new Map<string, number>();
  for (const { reasons } of keep) {
    const code = reasons[0]?.code ?? '';
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  const told = Object.entries(KEPT_FOR).flatMap(([code, text]) => {
    const count = counts.get(code);
    return count === undefined ? [] : [`${count} ${text}`];
  });
  return told.length === 0 ? '' : `  (${told.join(', ')})`;
}

export function describeGaps(gaps: readonly Gap[]): string {
  return gaps
    .map(({ about, code, message, hint }) => `missing ${code}: ${about}: ${message}${hint ? `\n  ${hint}` : ''}`)
    .join('\n');
}

/** What was done, for people. */
export function describeSweep(swept: SweepResult | undefined, storeBytes: number | undefined): string {
  const lines: string[] = [];
  if (swept) {
    const { deleted, untagged, absent, spared, freeBytes, failures } = swept;
    const parts = [
      `${deleted} manifests deleted`,
      ...(untagged > 0 ? [`${untagged} without tags now: this registry deletes tags alone`] : []),
      ...(absent > 0 ? [`${absent} were gone already`] : []),
    ];
    lines.push(`${parts.join(', ')}; ${formatBytes(freeBytes)} free after the registry's own collection`);
    for (const { reference, why } of spared) lines.push(`stays after all: ${reference}: ${why}`);
    if (failures.length > 0) lines.push(describeGaps(failures).replaceAll(/^missing/gm, 'failed'));
  }
  if (storeBytes !== undefined) lines.push(`local store: ${formatBytes(storeBytes)} freed`);
  return lines.join('\n');
}
