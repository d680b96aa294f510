import type { ComponentChildren } from 'preact';
import { linkTo, linkToService, type Place } from '../model/place.ts';
import { bytes, count, percent, plural } from '../model/text.ts';
import type { ImageAnswer, ImagesAnswer, VersionAnswer } from '../model/wire.ts';
import { useNow } from './live.ts';
import { go } from './navigation.ts';
import { Age, Digest, Empty, Failed, Loading, Moment, Ready, Section, Table, Unknown } from './parts.tsx';
import { useAnswer } from './use-answer.ts';

/** All that is known of an image. */
export function VersionPage({ params }: { readonly params: Place['params'] }) {
  const { digest = '' } = params;
  const { answer, failure, loading } = useAnswer<VersionAnswer>(
    `api/versions/${encodeURIComponent(digest)}?brief=true`,
  );
  if (failure)
    return (
      <main>
        <h1 tabIndex={-1}>Version</h1>
        {failure.code === 'NOT_FOUND' ? (
          <Empty title="The hub has never seen this image.">
            It knows what runs or ran in its clusters: <a href="versions">versions</a> lists that.
          </Empty>
        ) : (
          <Failed failure={failure} />
        )}
      </main>
    );
  if (!answer || loading)
    return (
      <main>
        <h1 tabIndex={-1}>Version</h1>
        <Loading />
      </main>
    );
  const { image, contract } = answer;
  return (
    <main>
      <h1 tabIndex={-1}>{image.model ? `${image.model.name} ${image.model.version}` : image.repository}</h1>
      <div class="headline">
        <Digest digest={image.digest} />
        {image.model ? <CompareChoice image={image} model={image.model.name} /> : null}
      </div>
      <Facts image={image} />
      <RunsAndRan answer={answer} />
      <div class="columns">
        <Section title="Contract" note={contract ? undefined : answer.contractUnknown}>
          <Tensors title="inputs" specs={contract?.inputs ?? image.inputs} />
          <Tensors title="outputs" specs={contract?.outputs ?? image.outputs} />
          <Labels labels={contract?.labels?.names ?? image.labels} />
        </Section>
        <Measured contract={contract} why={answer.contractUnknown} />
      </div>
      <div class="columns">
        <Layers image={image} />
        <Libraries image={image} />
      </div>
    </main>
  );
}

/** Leads to what changes from another version of the same model. */
function CompareChoice({ image, model }: { readonly image: ImageAnswer; readonly model: string }) {
  const { answer } = useAnswer<ImagesAnswer>(`api/images?limit=1000&model=${encodeURIComponent(model)}`);
  const others = answer?.images.filter(({ digest }) => digest !== image.digest) ?? [];
  if (others.length === 0) return null;
  return (
    <label>
      Compare with{' '}
      <select value="" onChange={(event) => go(linkTo('compare', { a: event.currentTarget.value, b: image.digest }))}>
        <option value="">another version…</option>
        {others.map((one) => (
          <option key={one.digest} value={one.digest}>
            {one.model?.version} · {one.digest.slice(7, 15)}
          </option>
        ))}
      </select>
    </label>
  );
}

function Facts({ image }: { readonly image: ImageAnswer }) {
  const { attached } = image;
  const facts: readonly (readonly [string, ComponentChildren])[] = [
    ['Repository', image.repository],
    ['Model', image.model && <Digest digest={image.model.digest} />],
    ['Task', image.task],
    ['Owner', image.owner === null ? 'nobody' : <a href={linkTo('', { owner: image.owner })}>{image.owner}</a>],
    ['Created', image.created && <Moment at={image.created} />],
    ['Platforms', image.platforms.map(({ platform }) => platform).join(', ')],
    ['Size', `${bytes(image.sizeBytes)} compressed`],
    ['Operating system', image.os],
    ['Built by', image.builtBy === 'inlay' ? `inlay ${image.inlay ?? ''}` : 'not inlay'],
    ['Signature', attached.signed ? 'attached' : 'none attached'],
    [
      'Source',
      attached.source
        ? `${attached.source.repository ?? ''} ${attached.source.commit.slice(0, 12)}${attached.source.dirty ? ', with changes' : ''}`
        : 'none attached',
    ],
    ['Training run', attached.trainingRun ?? 'none attached'],
  ];
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value || <Unknown />}</dd>
        </div>
      ))}
    </dl>
  );
}

function RunsAndRan({ answer }: { readonly answer: VersionAnswer }) {
  const now = useNow();
  const past = answer.ran.filter(({ observedTo }) => observedTo !== null);
  return (
    <>
      <Section title="Runs now" note={plural(answer.running.length, 'server')}>
        {answer.running.length === 0 ? (
          <Empty title="It runs nowhere now." />
        ) : (
          <Table
            label="Where it runs now"
            head={['Service', 'Namespace', 'Cluster', 'Role', { number: 'Ready' }, { number: 'Age' }]}
          >
            {answer.running.slice(0, MOST).map((row) => (
              <tr key={row.id}>
                <th scope="row">
                  <a href={linkToService(row)}>{row.service}</a>
                </th>
                <td>{row.namespace}</td>
                <td>{row.context}</td>
                <td>{row.role ?? <span class="soft">none</span>}</td>
                <td class="number">
                  <Ready ready={row.ready} desired={row.desired} />
                </td>
                <td class="number">
                  <Age at={row.since} now={now} />
                </td>
              </tr>
            ))}
          </Table>
        )}
        {answer.running.length > MOST ? (
          <p>
            <a href={linkTo('who', { digest: answer.image.digest })}>All {count(answer.running.length)} servers</a>
          </p>
        ) : null}
      </Section>
      {past.length > 0 ? (
        <Section title="Ran before">
          <Table
            label="Where it ran before"
            head={['Service', 'Namespace', 'Cluster', 'Role', 'From', 'To', 'Actor', 'Reason']}
          >
            {past.slice(0, MOST).map((one) => (
              <tr key={`${one.context}/${one.namespace}/${one.workload}/${one.role}/${one.observedFrom}`}>
                <th scope="row">
                  <a href={linkToService(one)}>{one.service}</a>
                </th>
                <td>{one.namespace}</td>
                <td>{one.context}</td>
                <td>{one.role || <span class="soft">none</span>}</td>
                <td>
                  <Moment at={one.startedAt} />
                </td>
                <td>
                  <Moment at={one.observedTo ?? now} />
                </td>
                <td>{one.actor ?? <span class="soft">not known</span>}</td>
                <td class="reason">{one.reason}</td>
              </tr>
            ))}
          </Table>
          {past.length > MOST ? (
            <p class="soft">
              The last {MOST} of {count(past.length)}.
            </p>
          ) : null}
        </Section>
      ) : null}
    </>
  );
}
const MOST = 100;

interface Spec {
  readonly name: string;
  readonly datatype?: string;
  readonly shape: readonly number[];
}

function Tensors({ title, specs }: { readonly title: string; readonly specs: readonly Spec[] | null }) {
  return (
    <Table label={`Contract: ${title}`} head={[title, 'datatype', 'shape']}>
      {specs === null || specs.length === 0 ? (
        <tr>
          <td colSpan={3}>
            <Unknown />
          </td>
        </tr>
      ) : (
        specs.map(({ name, datatype, shape }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{datatype}</td>
            <td>[{shape.join(', ')}]</td>
          </tr>
        ))
      )}
    </Table>
  );
}

function Labels({ labels }: { readonly labels: readonly string[] | null }) {
  if (labels === null || labels.length === 0) return null;
  const shown = labels.slice(0, 30).join(', ');
  return (
    <p>
      <span class="soft">{count(labels.length)} labels:</span> {shown}
      {labels.length > 30 ? ', …' : ''}
    </p>
  );
}

function Measured({
  contract,
  why,
}: {
  readonly contract: VersionAnswer['contract'];
  readonly why: string | undefined;
}) {
  const metrics = Object.entries(contract?.metrics ?? {});
  const golden = contract?.golden;
  return (
    <Section title="Training" note={contract ? undefined : why}>
      {metrics.length === 0 ? (
        <p class="soft">
          {contract
            ? 'No metrics: inlay.yaml’s metrics names a file that training wrote.'
            : 'Metrics are in the contract.'}
        </p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">metric</th>
              <th scope="col" class="number">
                value
              </th>
            </tr>
          </thead>
          <tbody>
            {metrics.map(([name, value]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td class="number">{value}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {golden ? (
        <p>
          {plural(golden.cases, 'golden case')}, {golden.inImage ? 'replayed at every start' : 'checked when built'}
          {golden.raw ? `; ${count(golden.raw)} through the transform` : ''}.{' '}
          <span class="soft">
            Trained with{' '}
            {Object.entries(golden.environment)
              .map(([name, version]) => `${name} ${version}`)
              .join(', ') || 'libraries that are not known'}
            .
          </span>
        </p>
      ) : contract ? (
        <p class="soft">No golden cases.</p>
      ) : null}
    </Section>
  );
}

function Layers({ image }: { readonly image: ImageAnswer }) {
  const total = image.layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return (
    <Section title="Layers" note={bytes(total)}>
      <Table label="Layers" head={['kind', { number: 'size' }, { number: 'part' }, 'digest']}>
        {image.layers.map(({ kind, digest, sizeBytes }) => (
          <tr key={digest}>
            <th scope="row">{kind}</th>
            <td class="number">{bytes(sizeBytes)}</td>
            <td class="number">{total === 0 ? '' : percent(sizeBytes / total)}</td>
            <td>
              <Digest digest={digest} />
            </td>
          </tr>
        ))}
      </Table>
    </Section>
  );
}

function Libraries({ image }: { readonly image: ImageAnswer }) {
  const all = Object.entries(image.libraries).sort(([a], [b]) => (a < b ? -1 : 1));
  const note = image.packages === 'part' ? 'some layers are too large, or broken' : `${count(all.length)}`;
  return (
    <Section title="Libraries" note={note}>
      {all.length === 0 ? (
        <p class="soft">Not known: the layers were not read.</p>
      ) : (
        <Table label="Libraries" head={['name', 'version', { unseen: 'who else' }]}>
          {all.map(([name, version]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{version}</td>
              <td>
                <a
                  href={linkTo('who', { library: `${name}=${version}` })}
                  aria-label={`who runs it: ${name} ${version}`}
                >
                  who runs it
                </a>
              </td>
            </tr>
          ))}
        </Table>
      )}
    </Section>
  );
}
