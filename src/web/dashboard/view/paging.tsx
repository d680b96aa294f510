import { count } from '../model/text.ts';
import { setParams } from './navigation.ts';

/** Rows of a page of a long list. */
export const PAGE = 200;

/** Which part of a long list is shown; the address has where it begins. */
export function Pages({ total, offset }: { readonly total: number; readonly offset: number }) {
  if (total <= PAGE) return null;
  const to = (next: number) => () => setParams({ offset: next === 0 ? undefined : String(next) });
  return (
    <p class="pages">
      <button type="button" disabled={offset === 0} onClick={to(Math.max(0, offset - PAGE))}>
        Before
      </button>
      {count(offset + 1)} to {count(Math.min(total, offset + PAGE))} of {count(total)}
      <button type="button" disabled={offset + PAGE >= total} onClick={to(offset + PAGE)}>
        After
      </button>
    </p>
  );
}
