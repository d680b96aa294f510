import { linkTo } from '../model/place.ts';
import { bytes, count, percent, plural } from '../model/text.ts';
import type { StorageAnswer } from '../model/wire.ts';
import { Empty, Failed, Loading, Moment, Section, Table } from './parts.tsx';
import { StorageHistory } from './storage-history.tsx';
import { useAnswer } from './use-answer.ts';

/** What the registries hold. */
export function StoragePage() {
  const { answer, failure } = useAnswer<StorageAnswer>('api/storage', true);
  return (
    <main>
      <h1 tabIndex={-1}>Storage</h1>
      {failure ? <Failed failure={failure} /> : null}
      {!answer && !failure ? <Loading /> : null}
      {answer ? <Repositories answer={answer} /> : null}
      <StorageHistory />
    </main>
  );
}

function Repositories({ answer }: { readonly answer: StorageAnswer }) {
  const { repositories } = answer;
  if (repositories.length === 0)
    return <Empty title="No repository is known yet.">The hub reads those whose images run in its clusters.</Empty>;
  const total = repositories.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return (
    <Section
      title="By repository"
      note={
        <>
          {plural(repositories.length, 'repository', 'repositories')}, {bytes(total)} compressed, each layer counted
          once in its repository; read <Moment at={answer.readAt} />
        </>
      }
    >
      <Table
        label="Storage by repository"
        head={[
          'Repository',
          { number: 'Size' },
          { number: 'Part' },
          { number: 'Shared by images' },
          { number: 'Images' },
          { number: 'Tags' },
          { number: 'Servers running' },
          'Not read',
        ]}
      >
        {repositories.map((one) => (
          <tr key={one.repository}>
            <th scope="row">
              <a href={linkTo('versions', { q: one.repository })}>{one.repository}</a>
            </th>
            <td class="number">{one.error ? '' : bytes(one.sizeBytes)}</td>
            <td class="number">{total === 0 || one.error ? '' : percent(one.sizeBytes / total)}</td>
            <td class="number">{one.error ? '' : bytes(one.sharedBytes)}</td>
            <td class="number">{one.error ? '' : count(one.images)}</td>
            <td class="number">{one.error ? '' : count(one.tags)}</td>
            <td class="number">{count(one.running)}</td>
            <td class="reason">
              {one.error ? <span class="bad">{one.error}</span> : one.left ? `${count(one.left)} tags more` : ''}
            </td>
          </tr>
        ))}
      </Table>
    </Section>
  );
}
