import { linkTo } from '../model/place.ts';
import { count } from '../model/text.ts';
import type { StatusAnswer } from '../model/wire.ts';
import { useNow } from './live.ts';
import { Age, Empty, Failed, Loading, Moment, Section, Wide } from './parts.tsx';
import { useAnswer } from './use-answer.ts';

const SAID: Readonly<Record<string, string>> = {
  syncing: 'is being listed',
  watching: 'watched',
  away: 'cannot be heard',
  'same-cluster': 'another name of a cluster above',
};

/** What the hub watches, and what it could not read. */
export function ClustersPage() {
  const { answer, failure } = useAnswer<StatusAnswer>('api/status');
  const now = useNow(5000);
  return (
    <main>
      <h1 tabIndex={-1}>Clusters and registries</h1>
      {failure ? <Failed failure={failure} /> : null}
      {!answer && !failure ? <Loading /> : null}
      {answer ? (
        <>
          <p class="soft">
            inlay {answer.version}, started <Moment at={answer.startedAt} />; ledger {answer.database},{' '}
            {answer.writer ? 'written by this hub' : 'written by another hub'}
          </p>
          <Section title="Clusters">
            <Wide label="Clusters">
              <table>
                <thead>
                  <tr>
                    <th scope="col">Context</th>
                    <th scope="col">State</th>
                    <th scope="col" class="number">
                      Servers
                    </th>
                    <th scope="col" class="number">
                      Last heard
                    </th>
                    <th scope="col">Cluster</th>
                    <th scope="col">Error</th>
                  </tr>
                </thead>
                <tbody>
                  {answer.clusters.map((cluster) => (
                    <tr key={cluster.context}>
                      <th scope="row">
                        <a href={linkTo('', { context: cluster.context })}>{cluster.context}</a>
                      </th>
                      <td class={cluster.state === 'away' ? 'bad' : undefined}>
                        {SAID[cluster.state] ?? cluster.state}
                      </td>
                      <td class="number">{count(cluster.servers)}</td>
                      <td class="number">
                        <Age at={cluster.lastObservedAt} now={now} />
                      </td>
                      <td>
                        <code>{cluster.uid ?? ''}</code>
                      </td>
                      <td class="reason">{cluster.error ?? ''}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </Wide>
          </Section>
          <Section title="Registries">
            {answer.registries.length === 0 ? (
              <Empty title="Every image could be read." />
            ) : (
              <Wide label="What could not be read">
                <table>
                  <thead>
                    <tr>
                      <th scope="col">About</th>
                      <th scope="col">Code</th>
                      <th scope="col">What failed</th>
                      <th scope="col">What to do</th>
                    </tr>
                  </thead>
                  <tbody>
                    {answer.registries.map(({ about, code, message, hint }) => (
                      <tr key={about}>
                        <th scope="row">{about}</th>
                        <td>{code}</td>
                        <td class="reason">{message}</td>
                        <td class="reason">{hint}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </Wide>
            )}
          </Section>
        </>
      ) : null}
    </main>
  );
}
