import type { TargetedKeyboardEvent } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { linkTo, linkToService } from '../model/place.ts';
import type { ListedRow, Order, Sort } from '../model/rows.ts';
import { percent } from '../model/text.ts';
import { rowAfterKey, visible } from '../model/visible.ts';
import { useNow } from './live.ts';
import { scrollBefore } from './navigation.ts';
import { Age, Drifts, Ready, Unknown } from './parts.tsx';

interface Column {
  readonly sort: Sort | undefined;
  readonly title: string;
  readonly name: string;
}

const COLUMNS: readonly Column[] = [
  { sort: 'service', title: 'Service', name: 'service' },
  { sort: 'context', title: 'Cluster', name: 'cluster' },
  { sort: 'namespace', title: 'Namespace', name: 'namespace' },
  { sort: 'role', title: 'Role', name: 'role' },
  { sort: undefined, title: 'Weight', name: 'weight' },
  { sort: 'model', title: 'Model', name: 'model' },
  { sort: 'version', title: 'Version', name: 'version' },
  { sort: 'ready', title: 'Ready', name: 'ready' },
  { sort: 'restarts', title: 'Restarts', name: 'restarts' },
  { sort: 'age', title: 'Age', name: 'age' },
  { sort: 'drift', title: 'Drift', name: 'drift' },
  { sort: 'owner', title: 'Owner', name: 'owner' },
];

/** As the style sheet has it: a list of equal rows is drawn where it is looked at only. */
const ROW = { wide: 30, narrow: 54 } as const;
const NARROW = matchMedia('(max-width: 700px)');

interface Props {
  readonly rows: readonly ListedRow[];
  readonly order: Order;
  readonly onOrder: (order: Order) => void;
  /** A library whose version is a column. */
  readonly library?: string | undefined;
  /** A time in the past, of which the rows tell: ages are what they were then. */
  readonly at?: string | undefined;
}

export function ServerTable({ rows, order, onOrder, library, at }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(800);
  const [narrow, setNarrow] = useState(NARROW.matches);
  const [active, setActive] = useState(0);
  const focusing = useRef(false);
  const present = useNow();
  const now = at === undefined ? present : Date.parse(at);
  const rowHeight = narrow ? ROW.narrow : ROW.wide;

  useEffect(() => {
    const node = box.current;
    if (!node) return;
    const sizes = new ResizeObserver(() => setHeight(node.clientHeight));
    sizes.observe(node);
    const change = () => setNarrow(NARROW.matches);
    NARROW.addEventListener('change', change);
    return () => {
      sizes.disconnect();
      NARROW.removeEventListener('change', change);
    };
  }, []);
  // Who comes back finds the list where it was left.
  useLayoutEffect(() => {
    if (box.current) box.current.scrollTop = scrollBefore();
  }, []);
  useLayoutEffect(() => {
    if (!focusing.current) return;
    focusing.current = false;
    box.current?.querySelector<HTMLElement>(`tr[data-row="${active}"] a`)?.focus({ preventScroll: true });
  });

  const { first, end } = visible(top, height, rowHeight, rows.length);
  const inSight = Math.max(first, Math.min(rows.length - 1, Math.ceil(top / rowHeight)));
  const tabbed = active >= first && active < end ? active : inSight;

  const moved = (event: TargetedKeyboardEvent<HTMLElement>) => {
    const target = event.target as HTMLElement;
    const row = target.closest<HTMLElement>('tr[data-row]');
    if (!row || !box.current || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') {
      const links = [...row.querySelectorAll('a')];
      links[links.indexOf(target as HTMLAnchorElement) + (event.key === 'ArrowRight' ? 1 : -1)]?.focus();
      return event.preventDefault();
    }
    const page = Math.max(1, Math.floor(height / rowHeight) - 2);
    const to = rowAfterKey(event.key, Number(row.dataset.row), rows.length, page);
    if (to === undefined) return;
    event.preventDefault();
    const head = box.current.querySelector('thead')?.offsetHeight ?? 0;
    const [above, below] = [to * rowHeight, (to + 1) * rowHeight + head];
    if (above < box.current.scrollTop) box.current.scrollTop = above;
    else if (below > box.current.scrollTop + height) box.current.scrollTop = below - height;
    setTop(box.current.scrollTop);
    setActive(to);
    focusing.current = true;
  };

  const columns = library === undefined ? COLUMNS : withLibrary(library);
  return (
    <div class="rows" ref={box} onScroll={(event) => setTop(event.currentTarget.scrollTop)}>
      <table class="servers" aria-rowcount={rows.length + 1} onKeyDown={moved}>
        <colgroup>
          {columns.map(({ name }) => (
            <col key={name} class={`col-${name}`} />
          ))}
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <Head key={column.name} column={column} order={order} onOrder={onOrder} />
            ))}
          </tr>
        </thead>
        <Space height={first * rowHeight} />
        <tbody>
          {rows.slice(first, end).map((row, i) => (
            <Row
              key={row.id}
              row={row}
              at={first + i}
              tabbed={first + i === tabbed}
              now={now}
              library={library !== undefined}
            />
          ))}
        </tbody>
        <Space height={(rows.length - end) * rowHeight} />
      </table>
    </div>
  );
}

function withLibrary(library: string): readonly Column[] {
  const at = COLUMNS.findIndex(({ name }) => name === 'ready');
  return [...COLUMNS.slice(0, at), { sort: undefined, title: library, name: 'library' }, ...COLUMNS.slice(at)];
}

/** Rows that are not drawn. */
function Space({ height }: { readonly height: number }) {
  if (height <= 0) return null;
  return (
    <tbody aria-hidden="true" class="space">
      <tr style={{ height: `${height}px` }}>
        <td />
      </tr>
    </tbody>
  );
}

function Head({
  column,
  order,
  onOrder,
}: {
  readonly column: Column;
  readonly order: Order;
  readonly onOrder: (order: Order) => void;
}) {
  const { sort, title, name } = column;
  if (sort === undefined)
    return (
      <th scope="col" class={`c-${name}`}>
        {title}
      </th>
    );
  const sorted = order.by === sort;
  const direction = order.descending ? 'descending' : 'ascending';
  return (
    <th scope="col" class={`c-${name}`} aria-sort={sorted ? direction : undefined}>
      <button type="button" onClick={() => onOrder({ by: sort, descending: sorted && !order.descending })}>
        {title}
        <span aria-hidden="true" class="arrow">
          {sorted ? (order.descending ? '↓' : '↑') : ''}
        </span>
      </button>
    </th>
  );
}

interface RowProps {
  readonly row: ListedRow;
  readonly at: number;
  readonly tabbed: boolean;
  readonly now: number;
  readonly library: boolean;
}

function Row({ row, at, tabbed, now, library }: RowProps) {
  const { role, weight, model, version, index, unknown, release } = row;
  return (
    <tr data-row={at} aria-rowindex={at + 2}>
      <th scope="row" class="c-service">
        <a href={linkToService(row)} tabIndex={tabbed ? 0 : -1} title={row.service}>
          {row.service}
        </a>
        <span class="under">
          {row.context} · {row.namespace}
        </span>
      </th>
      <td class="c-cluster" title={row.context}>
        {row.context}
      </td>
      <td class="c-namespace" title={row.namespace}>
        {row.namespace}
      </td>
      <td class="c-role">
        {role ?? <span class="soft">none</span>}
        {release?.state === 'paused' && role === 'canary' ? <span class="mark warn">waits</span> : null}
      </td>
      <td class="c-weight" title={weight ? weightTitle(weight) : undefined}>
        {weight ? percent(weight.achieved ?? weight.asked) : null}
      </td>
      <td class="c-model" title={model ?? undefined}>
        {model ?? <Unknown why={unknown} />}
      </td>
      <td class="c-version" title={version ?? undefined}>
        {index === null ? (
          (version ?? <Unknown why={unknown} />)
        ) : (
          <a href={linkTo('version', { digest: index })} tabIndex={-1}>
            {version ?? index.slice(7, 19)}
          </a>
        )}
        <span class="under">
          {[role, weight ? percent(weight.achieved ?? weight.asked) : ''].filter(Boolean).join(' ')}
        </span>
      </td>
      {library ? <td class="c-library">{row.library}</td> : null}
      <td class="c-ready">
        <Ready ready={row.ready} desired={row.desired} />
      </td>
      <td class="c-restarts">{row.restarts === 0 ? <span class="soft">0</span> : row.restarts}</td>
      <td class="c-age">
        <Age at={row.since} now={now} />
      </td>
      <td class="c-drift">
        {row.observed === false ? <span class="mark">not watched</span> : null}
        <Drifts drift={row.drift} />
      </td>
      <td class="c-owner" title={row.owner ?? undefined}>
        {row.owner ?? <span class="soft">nobody</span>}
      </td>
    </tr>
  );
}

function weightTitle({ asked, achieved }: NonNullable<ListedRow['weight']>): string {
  return achieved === null
    ? `${percent(asked)} asked for`
    : `${percent(asked)} asked for, ${percent(achieved)} achieved`;
}
