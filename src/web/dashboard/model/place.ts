import { DASHBOARD_PAGES, type PageName } from '../page.ts';

/** Where somebody is: the whole state of a page stands in it. */
export interface Place {
  readonly page: PageName;
  readonly params: Readonly<Record<string, string>>;
}

/** Reads a URL of the hub. @returns undefined where there is no such page */
export function placeOf(url: URL): Place | undefined {
  const name = url.pathname.slice(url.pathname.lastIndexOf('/') + 1);
  const page = DASHBOARD_PAGES.find((one) => one === name);
  return page === undefined ? undefined : { page, params: Object.fromEntries(url.searchParams) };
}

/** A relative link; what is empty is left out. */
export function linkTo(page: PageName, params: Readonly<Record<string, string | null | undefined>> = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) if (value) search.set(name, value);
  const query = search.toString();
  return `${page === '' ? './' : page}${query === '' ? '' : `?${query}`}`;
}

export function linkToService(of: { readonly context: string; readonly namespace: string; readonly service: string }) {
  return linkTo('service', { context: of.context, namespace: of.namespace, service: of.service });
}
