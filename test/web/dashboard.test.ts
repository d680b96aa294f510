// What the dashboard decides, without a browser.
import { describe, expect, test } from 'bun:test';
import { groupsOf } from '../../src/web/dashboard/model/changes.ts';
import { chartOf, entriesOf } from '../../src/web/dashboard/model/lanes.ts';
import { linkTo, linkToService, placeOf } from '../../src/web/dashboard/model/place.ts';
import {
  changedRows,
  filtered,
  listed,
  ordered,
  orderOf,
  orderText,
  stateCounts,
} from '../../src/web/dashboard/model/rows.ts';
import { bytes, count, duration, percent, plural } from '../../src/web/dashboard/model/text.ts';
import { rowAfterKey, visible } from '../../src/web/dashboard/model/visible.ts';
import type { BriefRow, IntervalAnswer } from '../../src/web/dashboard/model/wire.ts';
import { bundleDashboard, DASHBOARD_PAGE } from '../../src/web/index.ts';

const row = (service: string, more: Partial<BriefRow> = {}): BriefRow => ({
  id: `prod/ml/Deployment/${service}/${more.role ?? 'stable'}`,
  context: 'prod',
  namespace: 'ml',
  service,
  role: 'stable',
  kind: 'Deployment',
  workload: service,
  ready: 1,
  desired: 1,
  restarts: 0,
  weight: null,
  model: 'iris',
  version: '0.0.1',
  reference: 'registry.example.com/ml/iris:0.0.1',
  index: null,
  owner: 'flowers',
  signed: true,
  since: '2026-01-01T00:00:00Z',
  drift: [],
  release: null,
  ...more,
});
const services = (rows: readonly BriefRow[]) => rows.map(({ service }) => service);

describe('rows', () => {
  const rows = [
    row('svc-10', { ready: 0, since: '2026-03-01T00:00:00Z' }),
    row('svc-9', { role: 'canary', owner: null, version: '0.0.10', since: null }),
    row('Äpfel', { version: '0.0.9', drift: [{ kind: 'tag-moved', message: '' }], signed: false }),
  ].map(listed);

  test('are narrowed by words, fields and states, all together', () => {
    const found = (filter: Parameters<typeof filtered>[1]) => services(filtered(rows, filter));
    expect(found({})).toEqual(['svc-10', 'svc-9', 'Äpfel']);
    expect(found({ q: ' SVC  9 ' })).toEqual(['svc-9']);
    expect(found({ q: 'svc', state: 'degraded' })).toEqual(['svc-10']);
    expect(found({ role: 'canary' })).toEqual(['svc-9']);
    expect(found({ state: 'tag-moved' })).toEqual(['Äpfel']);
    expect(found({ state: 'unowned' })).toEqual(['svc-9']);
    expect(found({ context: 'other' })).toEqual([]);
    expect(stateCounts(rows)).toMatchObject({ degraded: 1, drift: 1, unsigned: 1, unowned: 1, waiting: 0 });
  });

  test('are ordered with numbers as numbers, either way, and what is unknown last', () => {
    const by = (text: string) => services(ordered(rows, orderOf(text)));
    expect(by('service')).toEqual(['Äpfel', 'svc-9', 'svc-10']);
    expect(by('-service')).toEqual(['svc-10', 'svc-9', 'Äpfel']);
    expect(by('version')).toEqual(['svc-10', 'Äpfel', 'svc-9']);
    expect(by('age')).toEqual(['svc-10', 'Äpfel', 'svc-9']);
    expect(by('ready')).toEqual(['svc-10', 'Äpfel', 'svc-9']);
    expect(orderOf('nothing')).toEqual({ by: 'service', descending: false });
    expect(['-age', 'owner', 'service'].map((text) => orderText(orderOf(text)))).toEqual(['-age', 'owner', undefined]);
  });

  test('change, come and go', () => {
    const before = new Map(rows.map((one) => [one.id, one]));
    const after = changedRows(before, {
      revision: 2,
      changed: [row('svc-10', { version: '7' }), row('new')],
      removed: [rows[2]?.id ?? ''],
    });
    expect([...after.values()].map(({ service, version }) => `${service} ${version}`)).toEqual([
      'svc-10 7',
      'svc-9 0.0.10',
      'new 0.0.1',
    ]);
    expect(before.size).toBe(3);
  });
});

describe('a long list', () => {
  test('draws what is in sight, and some beside', () => {
    expect(visible(0, 600, 30, 10_000)).toEqual({ first: 0, end: 32 });
    expect(visible(30_000, 600, 30, 10_000)).toEqual({ first: 988, end: 1032 });
    expect(visible(299_400, 600, 30, 10_000)).toEqual({ first: 9968, end: 10_000 });
    // Scrolled further than what is left of it after filtering.
    expect(visible(299_400, 600, 30, 3)).toEqual({ first: 3, end: 3 });
    expect(visible(0, 600, 30, 0)).toEqual({ first: 0, end: 0 });
  });

  test('is walked through by keys, not beyond its ends', () => {
    const at = (key: string, from: number) => rowAfterKey(key, from, 100, 20);
    expect([at('ArrowDown', 0), at('ArrowUp', 0), at('PageDown', 95), at('End', 3), at('Home', 3)]).toEqual([
      1, 0, 99, 99, 0,
    ]);
    expect(at('a', 3)).toBeUndefined();
    expect(rowAfterKey('End', 0, 0, 20)).toBeUndefined();
  });
});

describe('a timeline', () => {
  const now = Date.parse('2026-01-11T00:00:00Z');
  const interval = (version: string, startedAt: string, observedTo: string | null): IntervalAnswer => ({
    context: 'prod',
    namespace: 'ml',
    service: 'iris',
    role: 'stable',
    workload: 'iris',
    version,
    model: 'iris',
    digest: null,
    image: null,
    reference: '',
    owner: null,
    drift: [],
    startedAt,
    observedFrom: startedAt,
    observedTo,
    actor: null,
    verdict: null,
    reason: null,
    release: null,
  });
  const timeline = {
    intervals: [
      interval('2', '2026-01-06T00:00:00Z', null),
      { ...interval('2', '2026-01-05T00:00:00Z', '2026-01-06T00:00:00Z'), role: 'canary' },
      interval('1', '2026-01-01T00:00:00Z', '2026-01-06T00:00:00Z'),
    ],
    gaps: [{ from: '2026-01-06T00:00:00Z', to: '2026-01-07T00:00:00Z' }],
    releases: [],
  };

  test('is drawn to scale, stable first, with its gaps', () => {
    const { lanes, gaps } = chartOf(timeline, undefined, now);
    expect(lanes.map(({ role }) => role)).toEqual(['stable', 'canary']);
    expect(lanes[0]?.bars.map(({ left, width }) => [left, width])).toEqual([
      [0.5, 0.5],
      [0, 0.5],
    ]);
    expect(gaps.map(({ left, width }) => [left, Number(width.toFixed(6))])).toEqual([[0.5, 0.1]]);
    // What is written on a bar begins after the gap that hides its beginning.
    expect(lanes[0]?.bars.map(({ hidden }) => Number(hidden.toFixed(6)))).toEqual([0.1, 0]);
  });

  test('of the last day has what ran then only', () => {
    const { lanes, gaps } = chartOf(timeline, '24h', now);
    expect(
      lanes.map(({ bars }) => bars.map(({ interval: { version }, left, width }) => [version, left, width])),
    ).toEqual([[['2', 0, 1]]]);
    expect(gaps).toEqual([]);
  });

  test('as a list is newest first, with gaps in their places', () => {
    const kinds = entriesOf(timeline, 0).map((one) => (one.kind === 'gap' ? 'gap' : one.interval.version));
    expect(kinds).toEqual(['2', 'gap', '2', '1']);
  });
});

test('what differs stands in groups, numbers with how much, empty groups left out', () => {
  const groups = groupsOf([
    { what: 'libraries.onnxruntime', from: '1.29.0', to: '1.30.0' },
    { what: 'metrics.accuracy', from: 0.94, to: 0.961 },
    { what: 'sizeBytes', from: 2_000_000, to: 1_000_000 },
    { what: 'inputs', from: null, to: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }] },
    { what: 'signed', from: false, to: true },
  ]);
  expect(groups).toEqual([
    { title: 'Metrics of training', differences: [{ what: 'accuracy', from: ['0.94'], to: ['0.961'], by: '+0.021' }] },
    { title: 'Contract', differences: [{ what: 'inputs', from: ['none'], to: ['x: FP32 [-1, 4]'] }] },
    { title: 'Libraries', differences: [{ what: 'onnxruntime', from: ['1.29.0'], to: ['1.30.0'] }] },
    { title: 'Layers', differences: [{ what: 'size', from: ['2.0 MB'], to: ['1.0 MB'], by: '−1.0 MB' }] },
    { title: 'Origin', differences: [{ what: 'signed', from: ['no'], to: ['yes'] }] },
  ]);
});

test('the address is the state: links are relative, and are read back', () => {
  expect(linkTo('')).toBe('./');
  expect(linkTo('who', { library: 'onnxruntime<1.30', model: '' })).toBe('who?library=onnxruntime%3C1.30');
  const link = linkToService({ context: 'arn:aws:eks:1:cluster/prod', namespace: 'ml', service: 'a&b' });
  expect(placeOf(new URL(link, 'http://hub.example/behind/a/prefix/versions?q=x'))).toEqual({
    page: 'service',
    params: { context: 'arn:aws:eks:1:cluster/prod', namespace: 'ml', service: 'a&b' },
  });
  expect(placeOf(new URL('http://hub.example/api'))).toBeUndefined();
});

test('values as people read them', () => {
  const minute = 60_000;
  expect([-5, 12_000, 5 * minute, 200 * minute, 75 * 60 * minute, 63 * 1440 * minute].map(duration)).toEqual([
    '0s',
    '12s',
    '5m',
    '3h 20m',
    '3d 3h',
    '63d',
  ]);
  expect([0, 999, 1000, 61_400_000, 123_456_789].map(bytes)).toEqual(['0 B', '999 B', '1.0 kB', '61.4 MB', '123 MB']);
  expect([count(999), count(1_234_567)]).toEqual(['999', '1\u202f234\u202f567']);
  expect([percent(0.5), percent(0.123456)]).toEqual(['50 %', '12.3 %']);
  expect([plural(1, 'server'), plural(0, 'server')]).toEqual(['1 server', '0 servers']);
});

test('the page and its files name no other host and hold nothing inline; the script is small', async () => {
  expect(DASHBOARD_PAGE).not.toMatch(/https?:\/\/|<style|style=|<script(?! src)|javascript:| on\w+=/);
  const { files, inputs } = await bundleDashboard();
  const text = Object.fromEntries(files.map(({ name, content }) => [name, new TextDecoder().decode(content)]));
  for (const [, file] of DASHBOARD_PAGE.matchAll(/(?:src|href)="dashboard\/([^"]+)"/g))
    expect(text[file as string]?.length).toBeGreaterThan(100);
  expect(text['dashboard.css']).not.toMatch(/url\(|@import/);
  // Names of XML's vocabularies are no addresses.
  const addresses = text['dashboard.js']?.replaceAll('http://www.w3.org/', '').match(/https?:\/\/[^"'` )]+/g) ?? [];
  expect(addresses).toEqual([]);
  expect(text['dashboard.js']?.length).toBeLessThan(90_000);
  expect(inputs.some((file) => file.includes('node_modules/preact/'))).toBe(true);
});
