import { linkTo, type Place } from '../model/place.ts';
import { bytes, count, plural, shortDigest } from '../model/text.ts';
import type { ImagesAnswer } from '../model/wire.ts';
import { useNow } from './live.ts';
import { go, setParams } from './navigation.ts';
import { PAGE, Pages } from './paging.tsx';
import { Age, Empty, Failed, Loading, Table } from './parts.tsx';
import { Version } from './service-page.tsx';
import { useAnswer } from './use-answer.ts';

/** Every image that runs or ran; two of them lead to what differs. */
export function VersionsPage({ params }: { readonly params: Place['params'] }) {
  const { q = '', running = '', a = '' } = params;
  const offset = Math.max(0, Number(params.offset) || 0);
  const now = useNow();
  const query = new URLSearchParams({ limit: String(PAGE), offset: String(offset) });
  if (q) query.set('q', q);
  if (running) query.set('running', running);
  const { answer, failure } = useAnswer<ImagesAnswer>(`api/images?${query}`);
  return (
    <main>
      <h1 tabIndex={-1}>Versions</h1>
      <search>
        <form class="filters" onSubmit={(event) => event.preventDefault()}>
          <input
            type="search"
            aria-label="Filter versions by words"
            placeholder="Filter: repository, model, version, digest…"
            value={q}
            onInput={(event) => setParams({ q: event.currentTarget.value, offset: undefined }, true)}
          />
          <label>
            <span class="unseen">Running</span>
            <select
              value={running}
              onChange={(event) => setParams({ running: event.currentTarget.value, offset: undefined })}
            >
              <option value="">running or not</option>
              <option value="true">running</option>
              <option value="false">not running</option>
            </select>
          </label>
          {answer ? <output class="total">{plural(answer.total, 'version')}</output> : null}
        </form>
      </search>
      {a ? (
        <p class="banner" role="status">
          Choose what to compare <code>{shortDigest(a)}</code> with.{' '}
          <button type="button" onClick={() => setParams({ a: undefined })}>
            Stop comparing
          </button>
        </p>
      ) : null}
      {failure ? <Failed failure={failure} /> : null}
      {!answer && !failure ? <Loading /> : null}
      {answer?.total === 0 ? (
        <Empty title={q || running ? 'No version fits.' : 'No image is known yet.'}>
          The hub knows the images that run or ran in its clusters since it has watched.
        </Empty>
      ) : null}
      {answer && answer.total > 0 ? (
        <>
          <Table
            label="Versions"
            head={[
              'Model',
              'Version',
              'Repository',
              { number: 'Running' },
              { number: 'Size' },
              { number: 'Created' },
              'inlay',
              'Signature',
              'Owner',
              { unseen: 'Compare' },
            ]}
          >
            {answer.images.map((image) => (
              <tr key={image.digest}>
                <th scope="row">{image.model?.name ?? <span class="soft">not inlay</span>}</th>
                <td>
                  <Version version={image.model?.version ?? null} image={image.digest} />
                </td>
                <td>{image.repository}</td>
                <td class="number">{count(image.running)}</td>
                <td class="number">{bytes(image.sizeBytes)}</td>
                <td class="number">
                  <Age at={image.created} now={now} />
                </td>
                <td>{image.inlay ?? ''}</td>
                <td>{image.signed ? 'attached' : <span class="soft">none</span>}</td>
                <td>{image.owner ?? <span class="soft">nobody</span>}</td>
                <td>
                  <button
                    type="button"
                    class="quiet"
                    aria-label={`compare ${image.model?.name ?? image.repository} ${image.model?.version ?? image.digest.slice(7, 19)}`}
                    disabled={a === image.digest}
                    onClick={() => (a ? go(linkTo('compare', { a, b: image.digest })) : setParams({ a: image.digest }))}
                  >
                    compare
                  </button>
                </td>
              </tr>
            ))}
          </Table>
          <Pages total={answer.total} offset={offset} />
        </>
      ) : null}
    </main>
  );
}
