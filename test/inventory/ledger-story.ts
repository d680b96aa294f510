// What the ledger promises, whichever database keeps it.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type Ledger, openLedger, type ServerRow } from '../../src/inventory/index.ts';
import { digest, factsOf, row } from './rows.ts';

const DAY = 86_400_000;
const T0 = Date.UTC(2026, 5, 1);

const RELEASE = { kind: 'release', state: 'ended', verdict: 'pass', waitingSince: null } as const;

/** @param fresh gives the address of a database with nothing in it */
export function ledgerStory(name: string, fresh: () => Promise<string>): void {
  describe(`the ledger in ${name}`, () => {
    let url: string;
    let ledger: Ledger;
    const version = (number: string, letter: string): ServerRow =>
      row({
        model: { name: 'iris', version: number, digest: digest('a') },
        image: { reference: `registry.example.com/ml/iris:${number}`, digest: digest(letter), index: digest(letter) },
        since: null,
      });
    const [one, two] = [version('0.0.1', '1'), version('0.0.2', '2')];
    const canary = { ...two, role: 'canary' as const, workload: { kind: 'Deployment', name: 'iris-canary' } };
    const write = (rows: readonly ServerRow[], at: number, more: { whole?: boolean; gone?: string[] } = {}) => ({
      at,
      rows,
      gone: more.gone ?? [],
      whole: more.whole ?? false,
      journals: [],
      images: rows.map(factsOf),
    });
    const versionsAt = async (time: number) =>
      (await ledger.inventoryAt(time)).servers
        .map(({ role, model, observed }) => `${role} ${model?.version}${observed ? '' : ' ?'}`)
        .sort();

    beforeAll(async () => {
      url = await fresh();
      ledger = await openLedger(url);
      const first = await ledger.cluster('uid-1', 'prod');
      await first.write(write([one], T0, { whole: true }));
      await first.write(write([canary], T0 + DAY));
      const note = { ...RELEASE, number: 2, actor: 'ada', reason: 'bake passed' };
      await first.write(
        write([{ ...two, release: note }], T0 + 2 * DAY, { gone: ['ml/Deployment/iris-canary/canary'] }),
      );
      await first.heard(T0 + 3 * DAY);
      // Nobody watches for two days; then the old version runs again.
      const second = await ledger.cluster('uid-1', 'prod');
      await second.write(
        write([{ ...one, since: new Date(T0 + 4 * DAY).toISOString() }], T0 + 5 * DAY, { whole: true }),
      );
      await second.heard(T0 + 6 * DAY);
    });
    afterAll(() => ledger[Symbol.asyncDispose]());

    test('tells what ran at any time', async () => {
      expect(await versionsAt(T0 - 1)).toEqual([]);
      expect(await versionsAt(T0 + DAY / 2)).toEqual(['stable 0.0.1']);
      expect(await versionsAt(T0 + 1.5 * DAY)).toEqual(['canary 0.0.2', 'stable 0.0.1']);
      expect(await versionsAt(T0 + 2.5 * DAY)).toEqual(['stable 0.0.2']);
      expect(await versionsAt(T0 + 5.5 * DAY)).toEqual(['stable 0.0.1']);
    });

    test('does not claim to have seen what happened while nobody watched', async () => {
      expect(await versionsAt(T0 + 3.5 * DAY)).toEqual(['stable 0.0.2 ?']);
      // When it began, the cluster told afterwards.
      expect(await versionsAt(T0 + 4.5 * DAY)).toEqual(['stable 0.0.1 ?']);
      const { gaps } = await ledger.timeline('prod', 'ml', 'iris', 0, T0 + 6 * DAY);
      expect(gaps).toEqual([{ from: new Date(T0 + 3 * DAY).toISOString(), to: new Date(T0 + 5 * DAY).toISOString() }]);
    });

    test('says of which times nobody knows for sure', async () => {
      const said = async (time: number) =>
        (await ledger.inventoryAt(time)).warnings.map(({ about, code }) => `${about} ${code}`);
      expect(await said(T0 - 1)).toEqual(['prod UNOBSERVED']);
      expect(await said(T0 + DAY / 2)).toEqual([]);
      expect(await said(T0 + 3.5 * DAY)).toEqual(['prod UNOBSERVED']);
      expect(await said(T0 + 5.5 * DAY)).toEqual([]);
      expect(await said(T0 + 7 * DAY)).toEqual(['prod UNOBSERVED']);
      await using empty = await openLedger(await fresh());
      expect((await empty.inventoryAt(T0)).warnings.map(({ code }) => code)).toEqual(['LEDGER_EMPTY']);
    });

    test('what is watched now is watched until now', async () => {
      await using other = await openLedger(await fresh());
      const watching = await other.cluster('uid-1', 'prod');
      const now = Date.now();
      await watching.write(write([one], now - 5000, { whole: true }));
      const { servers, warnings } = await other.inventoryAt(now);
      expect(servers.map(({ observed }) => observed)).toEqual([true]);
      expect(warnings).toEqual([]);
    });

    test('names nobody for what was changed by hand, and keeps what is known of an image that cannot be read', async () => {
      await using other = await openLedger(await fresh());
      const writer = await other.cluster('uid-1', 'prod');
      const release = { ...RELEASE, number: 1, actor: 'ada', reason: 'bake passed' };
      await writer.write(write([{ ...one, release }], T0, { whole: true }));
      const image = { reference: 'elsewhere.example.com/iris:9', digest: digest('9'), index: null };
      const drift = [{ kind: 'differs-from-applied' as const, message: '' }];
      const unread: ServerRow = { ...version('9.0.0', '9'), image, release, drift, os: null, libraries: {} };
      await writer.write({ ...write([], T0 + DAY), rows: [unread] });
      const { intervals } = await other.timeline('prod', 'ml', 'iris', 0, T0 + 2 * DAY);
      expect(intervals.map(({ version: ran, actor, reason }) => [ran, actor, reason])).toEqual([
        ['9.0.0', null, null],
        ['0.0.1', 'ada', 'bake passed'],
      ]);
      expect((await other.inventoryAt(T0 + DAY)).servers.map(({ model, os }) => [model?.version, os])).toEqual([
        ['9.0.0', null],
      ]);
    });

    test('tells a service’s story with who and why', async () => {
      const { intervals } = await ledger.timeline('prod', 'ml', 'iris', 0, T0 + 6 * DAY);
      expect(
        intervals.map(({ role, version: ran, actor, verdict, observedTo }) => [
          role,
          ran,
          actor,
          verdict,
          observedTo === null,
        ]),
      ).toEqual([
        ['stable', '0.0.1', null, null, true],
        ['stable', '0.0.2', 'ada', 'pass', false],
        ['canary', '0.0.2', null, null, false],
        ['stable', '0.0.1', null, null, false],
      ]);
      expect((await ledger.ran(digest('2'))).map(({ role }) => role)).toEqual(['stable', 'canary']);
    });

    test('keeps what an image was, with its libraries', async () => {
      const [then] = (await ledger.inventoryAt(T0 + DAY / 2)).servers;
      expect(then?.libraries).toEqual({ onnxruntime: '1.30.0' });
      expect(then?.ranTo).toBe(new Date(T0 + 2 * DAY).toISOString());
    });

    test('opened again is as it was', async () => {
      await using again = await openLedger(url);
      expect((await again.inventoryAt(T0 + 2.5 * DAY)).servers.map(({ model }) => model?.version)).toEqual(['0.0.2']);
    });

    test('writes all of a change or nothing', async () => {
      const writer = await ledger.cluster('uid-2', 'other');
      const broken = { ...row({ context: 'other' }), service: null as unknown as string };
      await expect(
        writer.write(write([row({ context: 'other', workload: { kind: 'Deployment', name: 'good' } }), broken], T0)),
      ).rejects.toThrow();
      expect((await ledger.inventoryAt(T0 + 1)).servers.filter(({ context }) => context === 'other')).toEqual([]);
    });

    test('a signature that came later is told, of the past too', async () => {
      const facts = factsOf(one);
      const signedAt = async () =>
        (await ledger.inventoryAt(T0 + 1000)).servers.map(({ model, signed }) => [model?.version, signed]);
      expect(await signedAt()).toEqual([['0.0.1', facts.attached.signed]]);
      const writer = await ledger.cluster('uid-1', 'prod');
      const signed = { ...facts, attached: { ...facts.attached, signed: true } };
      await writer.write({ ...write([one], T0 + 6 * DAY + 1000), images: [signed] });
      expect(await signedAt()).toEqual([['0.0.1', true]]);
      await writer.write({ ...write([one], T0 + 6 * DAY + 2000), images: [facts] });
      expect(await signedAt()).toEqual([['0.0.1', facts.attached.signed]]);
    });
  });
}
