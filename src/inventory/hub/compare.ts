import type { ImageFacts } from '../image/facts.ts';

export interface Change {
  readonly what: string;
  readonly from: unknown;
  readonly to: unknown;
}

/** What differs between two images; metrics where their contracts are given. */
export function compareImages(
  a: ImageFacts,
  b: ImageFacts,
  metrics: { readonly a: Readonly<Record<string, number>>; readonly b: Readonly<Record<string, number>> },
): Change[] {
  const changes: Change[] = [];
  const add = (what: string, from: unknown, to: unknown) => {
    if (JSON.stringify(from ?? null) !== JSON.stringify(to ?? null))
      changes.push({ what, from: from ?? null, to: to ?? null });
  };
  add('name', a.model?.name, b.model?.name);
  add('version', a.model?.version, b.model?.version);
  add('model', a.model?.digest, b.model?.digest);
  for (const field of ['task', 'inputs', 'outputs', 'labels', 'owner', 'os', 'inlay', 'sizeBytes'] as const)
    add(field, a[field], b[field]);
  add('signed', a.attached.signed, b.attached.signed);
  add('source', a.attached.source?.commit, b.attached.source?.commit);
  add('trainingRun', a.attached.trainingRun, b.attached.trainingRun);
  for (const name of names(a.libraries, b.libraries)) add(`libraries.${name}`, a.libraries[name], b.libraries[name]);
  for (const name of names(metrics.a, metrics.b)) add(`metrics.${name}`, metrics.a[name], metrics.b[name]);
  for (const kind of new Set([...a.layers, ...b.layers].map((layer) => layer.kind))) {
    const of = (facts: ImageFacts) => facts.layers.filter((layer) => layer.kind === kind).map(({ digest }) => digest);
    add(`layers.${kind}`, of(a), of(b));
  }
  return changes;
}

function names(a: object, b: object): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
}
