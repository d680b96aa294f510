import { groupsOf } from '../model/changes.ts';
import { linkTo, type Place } from '../model/place.ts';
import type { CompareAnswer, ImageAnswer } from '../model/wire.ts';
import { setParams } from './navigation.ts';
import { Digest, Empty, Failed, Loading, Section, Table } from './parts.tsx';
import { useAnswer } from './use-answer.ts';

/** What differs between two versions. */
export function ComparePage({ params }: { readonly params: Place['params'] }) {
  const { a = '', b = '' } = params;
  const chosen = a !== '' && b !== '';
  const { answer, failure, loading } = useAnswer<CompareAnswer>(
    chosen ? `api/compare?${new URLSearchParams({ a, b })}` : undefined,
    true,
  );
  const groups = answer && groupsOf(answer.changes);
  return (
    <main>
      <h1 tabIndex={-1}>Compare versions</h1>
      {chosen ? null : (
        <Empty title="Choose two versions.">
          <a href={linkTo('versions', { a: a || b })}>Versions</a> lists all that are known, each with a button to
          compare it.
        </Empty>
      )}
      {failure?.code === 'NOT_FOUND' ? (
        <Empty title="The hub has never seen one of these images.">
          It knows what runs or ran in its clusters: <a href="versions">versions</a> lists that.
        </Empty>
      ) : failure ? (
        <Failed failure={failure} />
      ) : null}
      {chosen && loading && !failure ? <Loading /> : null}
      {chosen && answer && groups && !loading ? (
        <>
          <div class="sides">
            <Side name="from" image={answer.a} />
            <button type="button" onClick={() => setParams({ a: b, b: a })}>
              Swap
            </button>
            <Side name="to" image={answer.b} />
          </div>
          {groups.length === 0 ? <Empty title="Nothing differs that the hub knows of." /> : null}
          {groups.map(({ title, differences }) => (
            <Section key={title} title={title}>
              <Table label={title} class="differences" head={['what', 'from', 'to', { number: 'by' }]}>
                {differences.map(({ what, from, to, by }) => (
                  <tr key={what}>
                    <th scope="row">{what}</th>
                    <Values values={from} />
                    <Values values={to} />
                    <td class="number">{by}</td>
                  </tr>
                ))}
              </Table>
            </Section>
          ))}
        </>
      ) : null}
    </main>
  );
}

function Side({ name, image }: { readonly name: string; readonly image: ImageAnswer }) {
  return (
    <p>
      <span class="soft">{name}</span>{' '}
      <a href={linkTo('version', { digest: image.digest })}>
        {image.model ? `${image.model.name} ${image.model.version}` : image.repository}
      </a>
      <br />
      <Digest digest={image.digest} />
    </p>
  );
}

const MOST = 12;

function Values({ values }: { readonly values: readonly string[] }) {
  return (
    <td>
      {values.slice(0, MOST).map((value, i) => (
        <div key={i} class="value">
          {value}
        </div>
      ))}
      {values.length > MOST ? <div class="soft">and {values.length - MOST} more</div> : null}
    </td>
  );
}
