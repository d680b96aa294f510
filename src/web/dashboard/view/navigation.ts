import { useEffect, useState } from 'preact/hooks';
import { linkTo, type Place, placeOf } from '../model/place.ts';

const HERE: Place = { page: '', params: {} };
/** Browsers refuse more than some hundred writes to the address in half a minute: while somebody types it follows. */
const TYPING_MS = 250;

let place = placeOf(new URL(location.href)) ?? HERE;
let writing: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

function told(next: Place): void {
  place = next;
  for (const listener of listeners) listener();
}

function write(): void {
  if (writing === undefined) return;
  clearTimeout(writing);
  writing = undefined;
  history.replaceState(history.state, '', linkTo(place.page, place.params));
}

/** How far the list was scrolled when somebody came back to it. */
export const scrollBefore = (): number => {
  const state: unknown = history.state;
  return typeof state === 'object' && state !== null && 'scroll' in state && typeof state.scroll === 'number'
    ? state.scroll
    : 0;
};

/** Goes to another page, or to another state of this one. */
export function go(link: string): void {
  write();
  const next = placeOf(new URL(link, location.href));
  if (!next) {
    location.assign(link);
    return;
  }
  history.replaceState({ scroll: document.querySelector('.rows')?.scrollTop ?? 0 }, '');
  history.pushState(null, '', link);
  const other = next.page !== place.page;
  told(next);
  if (other) scrollTo(0, 0);
}

/** Changes parts of this page's state. @param typing without a step for the back button */
export function setParams(changes: Readonly<Record<string, string | undefined>>, typing = false): void {
  const all = Object.entries({ ...place.params, ...changes });
  const params = Object.fromEntries(all.flatMap(([name, value]) => (value ? [[name, value]] : [])));
  if (!typing) {
    go(linkTo(place.page, params));
    return;
  }
  clearTimeout(writing);
  writing = setTimeout(write, TYPING_MS);
  told({ page: place.page, params });
}

export function usePlace(): Place {
  const [at, setAt] = useState(place);
  useEffect(() => {
    const listener = () => setAt(place);
    listeners.add(listener);
    listener();
    return () => {
      listeners.delete(listener);
    };
  }, []);
  return at;
}

/** Links of the dashboard are followed without loading it anew; those that open elsewhere are left to the browser. */
export function followLinks(): void {
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey)
      return;
    const url = new URL(link.href);
    if (link.target || url.origin !== location.origin || url.hash || !placeOf(url)) return;
    event.preventDefault();
    go(link.href);
  });
  addEventListener('popstate', () => told(placeOf(new URL(location.href)) ?? HERE));
  addEventListener('pagehide', write);
}
