import { useEffect, useRef } from 'preact/hooks';
import { linkTo, type Place } from '../model/place.ts';
import type { PageName } from '../page.ts';
import { ClustersPage } from './clusters-page.tsx';
import { ComparePage } from './compare-page.tsx';
import { useLive } from './live.ts';
import { LoginPage } from './login-page.tsx';
import { usePlace } from './navigation.ts';
import { NowPage } from './now-page.tsx';
import { PrunePage } from './prune-page.tsx';
import { ServicePage } from './service-page.tsx';
import { StoragePage } from './storage-page.tsx';
import { VersionPage } from './version-page.tsx';
import { VersionsPage } from './versions-page.tsx';
import { WhoPage } from './who-page.tsx';

const NAVIGATION: readonly (readonly [PageName, string])[] = [
  ['', 'Now'],
  ['who', 'Who runs'],
  ['versions', 'Versions'],
  ['compare', 'Compare'],
  ['storage', 'Storage'],
  ['prune', 'Prune'],
  ['clusters', 'Clusters'],
];
const SAID = { loading: 'loading', live: 'live', reconnecting: 'no connection' } as const;

/** The head of every page, and the page that the address names. */
export function Shell() {
  const place = usePlace();
  const live = useLive();
  const login = live.failure?.login === true;
  const title = titleOf(place);
  const seen = useRef(title);
  useEffect(() => {
    document.title = `${title} · inlay hub`;
    // A page that was gone to is read from its heading; the first is the browser's own matter.
    if (seen.current !== title) document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true });
    seen.current = title;
  }, [title]);
  return (
    <>
      <header class="top">
        <a class="brand" href={linkTo('')}>
          inlay hub
        </a>
        <nav aria-label="Pages">
          {NAVIGATION.map(([page, name]) => (
            <a key={page} href={linkTo(page)} aria-current={place.page === page ? 'page' : undefined}>
              {name}
            </a>
          ))}
        </nav>
        <span class="live" data-state={live.state} role="status">
          {login ? '' : SAID[live.state]}
        </span>
      </header>
      {login ? <LoginPage onLogin={() => void live.load()} /> : <Page place={place} />}
    </>
  );
}

function Page({ place: { page, params } }: { readonly place: Place }) {
  switch (page) {
    case '':
      return <NowPage params={params} />;
    case 'who':
      return <WhoPage params={params} />;
    case 'service':
      return <ServicePage params={params} />;
    case 'versions':
      return <VersionsPage params={params} />;
    case 'version':
      return <VersionPage params={params} />;
    case 'compare':
      return <ComparePage params={params} />;
    case 'storage':
      return <StoragePage />;
    case 'prune':
      return <PrunePage params={params} />;
    case 'clusters':
      return <ClustersPage />;
  }
}

function titleOf({ page, params }: Place): string {
  if (page === 'service') return params.service ?? 'Service';
  if (page === 'version') return 'Version';
  return NAVIGATION.find(([name]) => name === page)?.[1] ?? 'inlay hub';
}
