import { useMemo } from 'preact/hooks';
import { linkTo, type Place } from '../model/place.ts';
import { listed, ordered, orderOf, orderText } from '../model/rows.ts';
import { count, plural } from '../model/text.ts';
import type { Facet, FacetsAnswer, NowAnswer } from '../model/wire.ts';
import { go, setParams } from './navigation.ts';
import { Empty, Failed, Loading } from './parts.tsx';
import { ServerTable } from './server-table.tsx';
import { useAnswer } from './use-answer.ts';

const FIELDS = ['model', 'library', 'owner', 'digest', 'olderThan'] as const;

/** Who runs a model, a library in some versions, an image. */
export function WhoPage({ params }: { readonly params: Place['params'] }) {
  const asked = FIELDS.filter((name) => params[name]);
  const query = new URLSearchParams(asked.map((name) => [name, params[name] ?? '']));
  const { answer, failure, loading } = useAnswer<NowAnswer>(
    asked.length > 0 ? `api/now?brief=true&limit=100000&${query}` : undefined,
  );
  const facets = useAnswer<FacetsAnswer>('api/facets', true).answer;
  const order = orderOf(params.sort);
  const rows = useMemo(() => ordered(answer?.servers.map(listed) ?? [], order), [answer, params.sort]);
  const library = /^\s*([@\w][\w.+@/-]*)/.exec(params.library ?? '')?.[1];
  return (
    <main class="list">
      <h1 tabIndex={-1}>Who runs…</h1>
      <form
        key={FIELDS.map((name) => params[name]).join('\n')}
        class="question"
        onSubmit={(event) => {
          event.preventDefault();
          const form = new FormData(event.currentTarget);
          const answers = FIELDS.map((name) => [name, String(form.get(name) ?? '').trim()]);
          go(linkTo('who', Object.fromEntries(answers)));
        }}
      >
        <Field
          name="model"
          label="Model"
          hint="iris, iris:0.0.2, or a digest"
          value={params.model}
          facets={facets?.models}
        />
        <Field
          name="library"
          label="Library"
          hint="onnxruntime<1.30 or libssl3>=3.0.14,<3.0.16"
          value={params.library}
          facets={facets?.libraries}
        />
        <Field name="owner" label="Owner" hint="flowers-team" value={params.owner} facets={facets?.owners} />
        <Field name="digest" label="Image digest" hint="sha256:…, from its beginning" value={params.digest} />
        <Field name="olderThan" label="Older than" hint="180d" value={params.olderThan} />
        <button type="submit" class="main-button">
          Ask
        </button>
        {asked.length > 0 && answer && !failure ? (
          <output class="total">{loading ? '…' : plural(rows.length, 'server')}</output>
        ) : null}
      </form>
      {asked.length === 0 ? (
        <Empty title="Ask for a model, a library, an owner or an image.">
          For example <a href={linkTo('who', { library: 'onnxruntime' })}>who runs onnxruntime, in which versions</a>,
          or <a href={linkTo('who', { olderThan: '180d' })}>what is older than 180 days</a>. Conditions of several
          fields hold together.
        </Empty>
      ) : failure ? (
        <Failed failure={failure} />
      ) : !answer || loading ? (
        <Loading />
      ) : rows.length === 0 ? (
        <Empty title="Nobody runs that now.">
          What ran before: <a href="versions?running=false">versions that do not run</a>.
        </Empty>
      ) : (
        <>
          {library === undefined ? null : <Spread versions={rows.map((row) => row.library ?? '')} library={library} />}
          <ServerTable
            rows={rows}
            order={order}
            onOrder={(next) => setParams({ sort: orderText(next) })}
            library={library}
          />
        </>
      )}
    </main>
  );
}

/** How many servers have each version of a library. */
function Spread({ versions, library }: { readonly versions: readonly string[]; readonly library: string }) {
  const counts = new Map<string, number>();
  for (const version of versions) counts.set(version, (counts.get(version) ?? 0) + 1);
  const most = [...counts].sort(([, a], [, b]) => b - a);
  return (
    <ul class="spread" aria-label={`Versions of ${library}`}>
      {most.slice(0, 12).map(([version, servers]) => (
        <li key={version}>
          <a href={linkTo('who', { library: `${library}=${version}` })}>{version}</a>{' '}
          <span class="soft">{count(servers)}</span>
        </li>
      ))}
      {most.length > 12 ? <li class="soft">and {most.length - 12} more</li> : null}
    </ul>
  );
}

interface FieldProps {
  readonly name: string;
  readonly label: string;
  readonly hint: string;
  readonly value: string | undefined;
  readonly facets?: readonly Facet[] | undefined;
}

function Field({ name, label, hint, value, facets }: FieldProps) {
  return (
    <label>
      <span>{label}</span>
      <input
        name={name}
        defaultValue={value ?? ''}
        placeholder={hint}
        list={facets ? `known-${name}` : undefined}
        autoComplete="off"
        spellcheck={false}
      />
      {facets ? (
        <datalist id={`known-${name}`}>
          {facets.map((one) => (
            <option key={one.value} value={one.value} />
          ))}
        </datalist>
      ) : null}
    </label>
  );
}
