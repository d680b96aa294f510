import { coursesOf } from '../model/storage-course.ts';
import { bytes, count } from '../model/text.ts';
import type { StorageHistoryAnswer } from '../model/wire.ts';
import { Empty, Failed, Moment, Section, Table } from './parts.tsx';
import { useAnswer } from './use-answer.ts';

const [WIDTH, HEIGHT] = [120, 20];

/** What repositories held, as the ledger has it. */
export function StorageHistory() {
  const { answer, failure } = useAnswer<StorageHistoryAnswer>('api/storage/history', true);
  if (failure) return <Failed failure={failure} />;
  if (!answer) return null;
  const courses = coursesOf(answer.points, WIDTH, HEIGHT);
  const [begin] = answer.points;
  if (!begin)
    return (
      <Section title="Over time">
        <Empty title="Nothing is recorded yet.">
          A hub that writes the ledger records what repositories hold at each --storage-interval.
        </Empty>
      </Section>
    );
  return (
    <Section
      title="Over time"
      note={
        <>
          since <Moment at={begin.at} />
        </>
      }
    >
      <Table
        label="Storage over time"
        head={[
          'Repository',
          { number: 'At first' },
          { number: 'Now' },
          { number: 'Images' },
          { number: 'Nothing needs' },
          'Course',
        ]}
      >
        {courses.map(({ repository, first, last, line }) => (
          <tr key={repository}>
            <th scope="row">{repository}</th>
            <td class="number">{bytes(first.sizeBytes)}</td>
            <td class="number">{bytes(last.sizeBytes)}</td>
            <td class="number">{count(last.images)}</td>
            <td class="number">{bytes(last.prunableBytes)}</td>
            <td>
              <svg
                class="course"
                viewBox={`0 -1 ${WIDTH} ${HEIGHT + 2}`}
                width={WIDTH}
                height={HEIGHT}
                aria-hidden="true"
              >
                <polyline points={line} />
              </svg>
            </td>
          </tr>
        ))}
      </Table>
    </Section>
  );
}
