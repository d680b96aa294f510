import { InlayError } from '../../error/index.ts';
import type { DriftKind, ServerRow } from '../row.ts';
import { type LibraryQuery, matchesLibrary } from './library-query.ts';

/** What is asked of an inventory; what is not given is not asked. */
export interface Question {
  readonly context?: string | undefined;
  readonly namespace?: string | undefined;
  readonly service?: string | undefined;
  readonly role?: string | undefined;
  /** A model's name, `NAME:VERSION`, or the beginning of its digest. */
  readonly model?: string | undefined;
  readonly library?: LibraryQuery | undefined;
  /** The beginning of the digest that runs, or of its index's. */
  readonly digest?: string | undefined;
  readonly owner?: string | undefined;
  readonly unowned?: boolean | undefined;
  /** What was rolled out before that, ms since 1970. */
  readonly before?: number | undefined;
  /** `any`, or a kind. */
  readonly drift?: DriftKind | 'any' | undefined;
  readonly unsigned?: boolean | undefined;
  /** Words that stand somewhere in service, namespace, model, owner, image or operating system. */
  readonly text?: string | undefined;
}

/** Whether a row is an answer. */
export function answers(row: ServerRow, question: Question): boolean {
  const { context, namespace, service, role, model, library, digest, owner, unowned, before, drift, unsigned, text } =
    question;
  return (
    (context === undefined || row.context === context) &&
    (namespace === undefined || row.namespace === namespace) &&
    (service === undefined || row.service === service) &&
    (role === undefined || (row.role ?? 'none') === role) &&
    (model === undefined || isModel(row, model)) &&
    (library === undefined || matchesLibrary(row.libraries, library)) &&
    (digest === undefined || isImage(row, digest)) &&
    (owner === undefined || row.owner === owner) &&
    (!unowned || row.owner === null) &&
    (before === undefined || (row.since !== null && Date.parse(row.since) < before)) &&
    (drift === undefined || row.drift.some(({ kind }) => drift === 'any' || kind === drift)) &&
    (!unsigned || row.signed === false) &&
    (text === undefined || hasWords(row, text))
  );
}

function isModel({ model }: ServerRow, asked: string): boolean {
  if (!model) return false;
  const digest = asked.replace(/^sha256:/, '');
  return (
    model.name === asked ||
    `${model.name}:${model.version}` === asked ||
    (/^[0-9a-f]{8,64}$/.test(digest) && model.digest.startsWith(`sha256:${digest}`))
  );
}

function isImage({ image }: ServerRow, asked: string): boolean {
  const digest = asked.replace(/^(.*@)?sha256:/, '');
  if (!/^[0-9a-f]{7,64}$/.test(digest)) return false;
  return [image.digest, image.index].some((one) => one?.startsWith(`sha256:${digest}`) === true);
}

function hasWords(row: ServerRow, text: string): boolean {
  const { service, namespace, context, model, owner, image, os, workload } = row;
  const all = [service, namespace, context, model?.name, model?.version, owner, image.reference, os, workload.name]
    .join(' ')
    .toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word));
}

const UNITS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_557_600_000,
};

/** `180d` as ms. @throws USAGE */
export function parseAge(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([smhdwy])$/.exec(text) ?? [];
  const factor = unit === undefined ? undefined : UNITS[unit];
  if (number === undefined || factor === undefined)
    throw new InlayError('USAGE', `"${text}" is no duration`, {
      hint: 'Write a number and s, m, h, d, w or y: 180d, 2y.',
    });
  return Number(number) * factor;
}

/** `2026-06-01`, a time of RFC 3339, or a duration ago as `30d`: ms since 1970. @throws USAGE */
export function parseTime(text: string, now: number): number {
  if (/^\d+(\.\d+)?[smhdwy]$/.test(text)) return now - parseAge(text);
  const time = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[-+]\d{2}:?\d{2})?)?$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (Number.isNaN(time))
    throw new InlayError('USAGE', `"${text}" is no time`, {
      hint: 'Write 2026-06-01, 2026-06-01T14:00:00Z, or 30d for so long ago.',
    });
  return time;
}

/** Clocks of machines that ask may be ahead by so much. */
const AHEAD_MS = 60_000;

/** The same for a time that has been. @throws USAGE */
export function parsePastTime(text: string, now: number): number {
  const time = parseTime(text, now);
  if (time > now + AHEAD_MS)
    throw new InlayError('USAGE', `${text} has not been yet: it is ${new Date(now).toISOString()}`, {
      hint: 'The ledger tells what ran, until now.',
    });
  return time;
}
