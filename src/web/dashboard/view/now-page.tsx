import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { Place } from '../model/place.ts';
import { filtered, type ListedRow, listed, ordered, orderOf, orderText, stateCounts, valuesOf } from '../model/rows.ts';
import { count, driftName, plural } from '../model/text.ts';
import type { AtAnswer } from '../model/wire.ts';
import { useLive } from './live.ts';
import { go, setParams } from './navigation.ts';
import { Empty, Failed, Loading, Moment } from './parts.tsx';
import { ServerTable } from './server-table.tsx';
import { useAnswer } from './use-answer.ts';

const NONE: readonly ListedRow[] = [];
const STATES = [
  ['degraded', 'fewer ready than wanted'],
  ['waiting', 'canary waits for somebody'],
  ['drift', 'any drift'],
  ['unsigned', 'unsigned'],
  ['unowned', 'without an owner'],
] as const;
const KINDS = ['tag-moved', 'differs-from-applied', 'contract-missing', 'mixed', 'not-inlay'];

/** Service by cluster, as it is now or as it was. */
export function NowPage({ params }: { readonly params: Place['params'] }) {
  const live = useLive();
  const { at } = params;
  const past = useAnswer<AtAnswer>(
    at ? `api/at?brief=true&limit=100000&time=${encodeURIComponent(at)}` : undefined,
    true,
  );
  const pastRows = useMemo(() => past.answer?.servers.map(listed), [past.answer]);
  const all = useMemo(() => (at ? (pastRows ?? NONE) : [...live.rows.values()]), [at, pastRows, live.rows]);
  const order = orderOf(params.sort);
  const sorted = useMemo(() => ordered(all, order), [all, params.sort]);
  const { q, context, namespace, owner, role, state } = params;
  const rows = useMemo(
    () => filtered(sorted, { q, context, namespace, owner, role, state }),
    [sorted, q, context, namespace, owner, role, state],
  );
  const waiting = at ? past.loading && !past.failure : live.state === 'loading' && !live.failure;
  const failure = at ? past.failure : live.rows.size === 0 ? live.failure : undefined;
  return (
    <main class="list">
      <h1 class="unseen" tabIndex={-1}>
        {at ? 'What ran' : 'What runs now'}
      </h1>
      <FilterBar params={params} all={all} shown={rows.length} />
      {at && past.answer ? <PastNotice answer={past.answer} /> : null}
      {failure ? (
        <Failed failure={failure} />
      ) : waiting ? (
        <Loading />
      ) : rows.length > 0 ? (
        <ServerTable
          rows={rows}
          order={order}
          onOrder={(next) => setParams({ sort: orderText(next) })}
          at={at && past.answer?.at}
        />
      ) : (
        <Nothing filtered={all.length > 0} past={Boolean(at)} />
      )}
    </main>
  );
}

function Nothing({ filtered: narrowed, past }: { readonly filtered: boolean; readonly past: boolean }) {
  if (narrowed)
    return (
      <Empty title="No server fits these filters.">
        <button type="button" onClick={() => go('./')}>
          Clear filters
        </button>
      </Empty>
    );
  return past ? (
    <Empty title="Nothing is known to have run then.">The ledger begins when a hub first watches a cluster.</Empty>
  ) : (
    <Empty title="No model server runs in the clusters that are watched.">
      <a href="clusters">Clusters</a> says which are watched. <code>inlay deploy</code> releases a model;{' '}
      <code>inlay hub --all</code> lists every workload.
    </Empty>
  );
}

function PastNotice({ answer }: { readonly answer: AtAnswer }) {
  return (
    <p class="banner" role="status">
      As it ran at <Moment at={answer.at} />
      {doubt(answer)}{' '}
      <button type="button" onClick={() => setParams({ at: undefined })}>
        Back to now
      </button>
    </p>
  );
}

/** What is not known for sure of an answer about the past. */
function doubt({ observed, warnings, total }: AtAnswer): string {
  if (observed) return '.';
  if (warnings.some(({ code }) => code === 'LEDGER_EMPTY')) return ': the ledger has nothing yet.';
  const unwatched = warnings.map(({ about }) => about).join(', ');
  const known = 'as they were seen before, or as clusters told later';
  if (unwatched === '') return `; servers marked “not watched” are ${known}.`;
  return `: nobody watched ${unwatched} then${total === 0 ? '' : `, so its servers are ${known}`}.`;
}

interface FilterBarProps {
  readonly params: Place['params'];
  readonly all: readonly ListedRow[];
  readonly shown: number;
}

function FilterBar({ params, all, shown }: FilterBarProps) {
  const search = useRef<HTMLInputElement>(null);
  const counts = useMemo(() => stateCounts(all), [all]);
  useEffect(() => {
    const typed = (event: KeyboardEvent) => {
      if (event.key !== '/' || event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      search.current?.focus();
    };
    addEventListener('keydown', typed);
    return () => removeEventListener('keydown', typed);
  }, []);
  const narrowed = ['q', 'context', 'namespace', 'owner', 'role', 'state'].some((name) => params[name]);
  return (
    <search>
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <input
          ref={search}
          type="search"
          aria-label="Filter by words"
          placeholder="Filter: service, model, version, owner…   /"
          value={params.q ?? ''}
          onInput={(event) => setParams({ q: event.currentTarget.value }, true)}
          onKeyDown={(event) => {
            if (event.key !== 'ArrowDown') return;
            event.preventDefault();
            document.querySelector<HTMLElement>('.rows a[tabindex="0"]')?.focus();
          }}
        />
        <div class="choices">
          <Choice name="context" label="Cluster" all={all} value={params.context} />
          <Choice name="namespace" label="Namespace" all={all} value={params.namespace} />
          <Choice name="owner" label="Owner" all={all} value={params.owner} />
          <label>
            <span class="unseen">Role</span>
            <select value={params.role ?? ''} onChange={(event) => setParams({ role: event.currentTarget.value })}>
              <option value="">Role: any</option>
              <option value="stable">stable</option>
              <option value="canary">canary</option>
              <option value="none">none</option>
            </select>
          </label>
          <label>
            <span class="unseen">State</span>
            <select value={params.state ?? ''} onChange={(event) => setParams({ state: event.currentTarget.value })}>
              <option value="">State: any</option>
              {STATES.map(([value, text]) => (
                <option key={value} value={value}>
                  {text} ({count(counts[value] ?? 0)})
                </option>
              ))}
              {KINDS.map((kind) => (
                <option key={kind} value={kind}>
                  drift: {driftName(kind)}
                </option>
              ))}
            </select>
          </label>
        </div>
        <label class="at">
          <span>at</span>
          <input
            type="datetime-local"
            value={localOf(params.at)}
            aria-label="As it ran at a time"
            onChange={(event) => setParams({ at: isoOf(event.currentTarget.value) })}
          />
        </label>
        {narrowed ? (
          <button type="button" onClick={() => go(params.at ? `./?at=${encodeURIComponent(params.at)}` : './')}>
            Clear
          </button>
        ) : null}
        <output class="total" aria-live="polite">
          {shown === all.length ? '' : `${count(shown)} of `}
          {plural(all.length, 'server')}
        </output>
      </form>
    </search>
  );
}

interface ChoiceProps {
  readonly name: 'context' | 'namespace' | 'owner';
  readonly label: string;
  readonly all: readonly ListedRow[];
  readonly value: string | undefined;
}

function Choice({ name, label, all, value }: ChoiceProps) {
  const values = useMemo(() => valuesOf(all, name), [all, name]);
  return (
    <label>
      <span class="unseen">{label}</span>
      <select value={value ?? ''} onChange={(event) => setParams({ [name]: event.currentTarget.value })}>
        <option value="">{label}: any</option>
        {value && !values.some((one) => one.value === value) ? <option value={value}>{value} (0)</option> : null}
        {values.map((one) => (
          <option key={one.value} value={one.value}>
            {one.value} ({count(one.count)})
          </option>
        ))}
      </select>
    </label>
  );
}

/** As the field writes a time, in the reader's zone. */
function localOf(at: string | undefined): string {
  const ms = at === undefined ? Number.NaN : Date.parse(at);
  return Number.isNaN(ms) ? '' : new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function isoOf(local: string): string | undefined {
  const ms = Date.parse(local);
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
}
