import { linkTo } from '../model/place.ts';
import { count } from '../model/text.ts';
import type { StatusAnswer } from '../model/wire.ts';
import { useNow } from './live.ts';
import { Age, Empty, Failed, Loading, Moment, Section, Table } from './parts.tsx';
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
            <Table
              label="Clusters"
              head={['Context', 'State', { number: 'Servers' }, { number: 'Last heard' }, 'Cluster', 'Error']}
            >
              {answer.clusters.map((cluster) => (
                <tr key={cluster.context}>
                  <th scope="row">
                    <a href={linkTo('', { context: cluster.context })}>{cluster.context}</a>
                  </th>
                  <td class={cluster.state === 'away' ? 'bad' : undefined}>{SAID[cluster.state] ?? cluster.state}</td>
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
            </Table>
          </Section>
          <Section title="Registries">
            {answer.registries.length === 0 ? (
              <Empty title="Every image could be read." />
            ) : (
              <Table label="What could not be read" head={['About', 'Code', 'What failed', 'What to do']}>
                {answer.registries.map(({ about, code, message, hint }) => (
                  <tr key={about}>
                    <th scope="row">{about}</th>
                    <td>{code}</td>
                    <td class="reason">{message}</td>
                    <td class="reason">{hint}</td>
                  </tr>
                ))}
              </Table>
            )}
          </Section>
        </>
      ) : null}
    </main>
  );
}
