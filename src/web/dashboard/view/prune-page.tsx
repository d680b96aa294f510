import type { Place } from '../model/place.ts';
import { bytes, count, plural } from '../model/text.ts';
import type { PruneAnswer } from '../model/wire.ts';
import { setParams } from './navigation.ts';
import { PAGE, Pages } from './paging.tsx';
import { Empty, Failed, Loading, Moment, Section, Table } from './parts.tsx';
import { useAnswer } from './use-answer.ts';

/** What `inlay prune` would do now, and why. Nothing here deletes. */
export function PrunePage({ params }: { readonly params: Place['params'] }) {
  const { q = '', verdict = '', repository = '' } = params;
  const offset = Math.max(0, Number(params.offset) || 0);
  const query = new URLSearchParams({ limit: String(PAGE), offset: String(offset) });
  for (const [name, value] of Object.entries({ q, verdict, repository })) if (value) query.set(name, value);
  const { answer, failure } = useAnswer<PruneAnswer>(`api/prune?${query}`, true);
  const choose = (changes: Readonly<Record<string, string | undefined>>, typing = false) =>
    setParams({ ...changes, offset: undefined }, typing);
  return (
    <main>
      <h1 tabIndex={-1}>Prune</h1>
      {failure ? <Failed failure={failure} /> : null}
      {!answer && !failure ? <Loading /> : null}
      {answer ? (
        <>
          <p>
            {bytes(answer.freeBytes)} would become free, as planned <Moment at={answer.plannedAt} />. The hub deletes
            nothing: <code>inlay prune --yes</code> does, after it has looked again.
          </p>
          {answer.gaps.length > 0 ? <Gaps gaps={answer.gaps} /> : null}
          <Repositories answer={answer} />
          <search>
            <form class="filters" onSubmit={(event) => event.preventDefault()}>
              <input
                type="search"
                aria-label="Filter images by words"
                placeholder="Filter: repository, tag, digest…"
                value={q}
                onInput={(event) => choose({ q: event.currentTarget.value }, true)}
              />
              <label>
                <span class="unseen">Verdict</span>
                <select value={verdict} onChange={(event) => choose({ verdict: event.currentTarget.value })}>
                  <option value="">goes or stays</option>
                  <option value="drop">goes</option>
                  <option value="keep">stays</option>
                </select>
              </label>
              <label>
                <span class="unseen">Repository</span>
                <select value={repository} onChange={(event) => choose({ repository: event.currentTarget.value })}>
                  <option value="">any repository</option>
                  {answer.repositories.map((one) => (
                    <option key={one.repository} value={one.repository}>
                      {one.repository}
                    </option>
                  ))}
                </select>
              </label>
              <output class="total">{plural(answer.total, 'image')}</output>
            </form>
          </search>
          {answer.total === 0 ? (
            <Empty title="No image fits.">
              What nothing needs is listed first, then what stays, each with its reason.
            </Empty>
          ) : (
            <Images answer={answer} />
          )}
          <Pages total={answer.total} offset={offset} />
        </>
      ) : null}
    </main>
  );
}

function Gaps({ gaps }: Pick<PruneAnswer, 'gaps'>) {
  return (
    <div class="notice">
      <strong>Not all is known, so nothing of it may be done.</strong>
      <ul>
        {gaps.map(({ about, code, message, hint }) => (
          <li key={`${about} ${code} ${message}`}>
            {about}: {message} {hint ? <span class="soft">{hint}</span> : null}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Repositories({ answer: { repositories } }: { readonly answer: PruneAnswer }) {
  return (
    <Section title="By repository" note={plural(repositories.length, 'repository', 'repositories')}>
      <Table
        label="What goes, by repository"
        head={['Repository', { number: 'Goes' }, { number: 'Stays' }, { number: 'Size' }, { number: 'Becomes free' }]}
      >
        {repositories.map((one) => (
          <tr key={one.repository}>
            <th scope="row">{one.repository}</th>
            <td class="number">{count(one.drops)}</td>
            <td class="number">{count(one.keeps)}</td>
            <td class="number">{bytes(one.sizeBytes)}</td>
            <td class="number">{bytes(one.freeBytes)}</td>
          </tr>
        ))}
      </Table>
    </Section>
  );
}

function Images({ answer: { images } }: { readonly answer: PruneAnswer }) {
  return (
    <Table label="Images that go or stay" head={['Image', 'Verdict', { number: 'Size' }, 'Why']}>
      {images.map(({ reference, digest, verdict, sizeBytes, reasons }) => (
        <tr key={`${reference} ${digest}`}>
          <th scope="row">{reference}</th>
          <td>{verdict === 'drop' ? <strong>goes</strong> : 'stays'}</td>
          <td class="number">{bytes(sizeBytes)}</td>
          <td class="reason">{reasons.map(({ detail }) => detail).join('; ')}</td>
        </tr>
      ))}
    </Table>
  );
}
