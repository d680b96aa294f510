import { bytes, shortDigest, tensorText } from './text.ts';
import type { CompareAnswer } from './wire.ts';

export interface Difference {
  readonly what: string;
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** Of numbers: how much more. */
  readonly by?: string;
}

export interface DifferenceGroup {
  readonly title: string;
  readonly differences: readonly Difference[];
}

const GROUPS: readonly { readonly title: string; readonly fits: (what: string) => boolean }[] = [
  { title: 'Metrics of training', fits: (what) => what.startsWith('metrics.') },
  {
    title: 'Contract',
    fits: (what) => ['name', 'version', 'model', 'task', 'inputs', 'outputs', 'labels'].includes(what),
  },
  { title: 'Libraries', fits: (what) => what.startsWith('libraries.') },
  { title: 'Layers', fits: (what) => what.startsWith('layers.') || what === 'sizeBytes' },
  { title: 'Origin', fits: () => true },
];

/** What differs, in groups; those that have nothing are left out. */
export function groupsOf(changes: CompareAnswer['changes']): readonly DifferenceGroup[] {
  const groups = GROUPS.map(({ title }) => ({ title, differences: [] as Difference[] }));
  for (const { what, from, to } of changes) {
    const at = GROUPS.findIndex(({ fits }) => fits(what));
    const by = typeof from === 'number' && typeof to === 'number' ? difference(what, to - from) : undefined;
    groups[at]?.differences.push({
      what: what === 'sizeBytes' ? 'size' : what.replace(/^(metrics|libraries|layers)\./, ''),
      from: textsOf(what, from),
      to: textsOf(what, to),
      ...(by === undefined ? {} : { by }),
    });
  }
  return groups.filter(({ differences }) => differences.length > 0);
}

function difference(what: string, by: number): string {
  const sign = by > 0 ? '+' : '−';
  return `${sign}${what === 'sizeBytes' ? bytes(Math.abs(by)) : Number(Math.abs(by).toPrecision(4))}`;
}

function textsOf(what: string, value: unknown): string[] {
  if (value === null || value === undefined || (Array.isArray(value) && value.length === 0)) return ['none'];
  if (Array.isArray(value)) return value.map((one) => textOf(what, one));
  return [textOf(what, value)];
}

function textOf(what: string, value: unknown): string {
  if (isTensor(value)) return tensorText(value);
  if (typeof value === 'number' && what === 'sizeBytes') return bytes(value);
  if (typeof value === 'string') return value.startsWith('sha256:') ? shortDigest(value) : value;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function isTensor(value: unknown): value is { name: string; datatype: string; shape: number[] } {
  return typeof value === 'object' && value !== null && 'datatype' in value && 'shape' in value;
}
