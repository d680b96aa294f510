import { useMemo } from 'preact/hooks';
import { chartOf, entriesOf, RANGES } from '../model/lanes.ts';
import { linkTo, type Place } from '../model/place.ts';
import { duration, percent } from '../model/text.ts';
import type { IntervalAnswer, ReleaseAnswer, TimelineAnswer } from '../model/wire.ts';
import { useLive, useNow } from './live.ts';
import { setParams } from './navigation.ts';
import { Age, Digest, Drifts, Empty, Failed, Loading, Moment, Ready, Section, Table, Unknown } from './parts.tsx';
import { TimelineChart } from './timeline-chart.tsx';
import { useAnswer } from './use-answer.ts';

/** What a service runs and ran, by whom and why. */
export function ServicePage({ params }: { readonly params: Place['params'] }) {
  const { context = '', namespace = '', service = '', range } = params;
  const live = useLive();
  const now = useNow();
  const path = [context, namespace, service].map(encodeURIComponent).join('/');
  const { answer, failure } = useAnswer<TimelineAnswer>(`api/services/${path}/timeline`);
  const running = useMemo(
    () =>
      [...live.rows.values()].filter(
        (row) => row.context === context && row.namespace === namespace && row.service === service,
      ),
    [live.rows, context, namespace, service],
  );
  const chart = answer && chartOf(answer, range, now);
  return (
    <main>
      <h1 tabIndex={-1}>{service}</h1>
      <p class="soft">
        namespace <a href={linkTo('', { namespace })}>{namespace}</a> in cluster{' '}
        <a href={linkTo('', { context })}>{context}</a>
        {running[0]?.owner ? (
          <>
            {' '}
            · owner <a href={linkTo('', { owner: running[0].owner })}>{running[0].owner}</a>
          </>
        ) : null}
      </p>
      <Section title="Runs now">
        {running.length === 0 ? (
          <Empty title="It does not run now.">What ran stands below.</Empty>
        ) : (
          <Table
            label="Runs now"
            head={[
              'Role',
              'Workload',
              'Version',
              { number: 'Weight' },
              { number: 'Ready' },
              { number: 'Restarts' },
              { number: 'Age' },
              'Drift',
            ]}
          >
            {running.map((row) => (
              <tr key={row.id}>
                <td>{row.role ?? <span class="soft">none</span>}</td>
                <td>
                  {row.kind} {row.workload}
                </td>
                <td>
                  <Version version={row.version} image={row.index} />
                </td>
                <td class="number">{row.weight ? percent(row.weight.achieved ?? row.weight.asked) : ''}</td>
                <td class="number">
                  <Ready ready={row.ready} desired={row.desired} />
                </td>
                <td class="number">{row.restarts}</td>
                <td class="number">
                  <Age at={row.since} now={now} />
                </td>
                <td>
                  <ul class="plain">
                    {row.drift.map((one) => (
                      <li key={one.kind}>
                        <Drifts drift={[one]} /> <span class="soft">{one.message}</span>
                      </li>
                    ))}
                  </ul>
                </td>
              </tr>
            ))}
          </Table>
        )}
      </Section>
      <Section title="Timeline" note={<RangeChoice range={range} />}>
        {failure ? <Failed failure={failure} /> : null}
        {!answer && !failure ? <Loading /> : null}
        {answer && chart && answer.intervals.length === 0 ? (
          <Empty title="The ledger knows nothing of it.">
            Is the name right? A service appears once a hub has seen it run.
          </Empty>
        ) : null}
        {answer && chart && answer.intervals.length > 0 ? (
          <>
            <TimelineChart chart={chart} />
            <History entries={entriesOf(answer, chart.from)} now={now} />
          </>
        ) : null}
      </Section>
      {answer && answer.releases.length > 0 ? <Releases releases={answer.releases} /> : null}
    </main>
  );
}

function RangeChoice({ range }: { readonly range: string | undefined }) {
  return (
    <select
      aria-label="How far back"
      value={range ?? ''}
      onChange={(event) => setParams({ range: event.currentTarget.value })}
    >
      <option value="">all that is known</option>
      {Object.keys(RANGES).map((name) => (
        <option key={name} value={name}>
          the last {name}
        </option>
      ))}
    </select>
  );
}

export function Version({ version, image }: { readonly version: string | null; readonly image: string | null }) {
  if (image === null) return version === null ? <Unknown /> : <span>{version}</span>;
  return <a href={linkTo('version', { digest: image })}>{version ?? image.slice(7, 19)}</a>;
}

/** A story of hours is told to the second. */
const CLOSE_MS = 86_400_000;

function History({ entries, now }: { readonly entries: ReturnType<typeof entriesOf>; readonly now: number }) {
  const seconds = now - (entries.at(-1)?.at ?? now) < CLOSE_MS;
  return (
    <Table
      label="Timeline as a table"
      head={['From', 'To', { number: 'For' }, 'Role', 'Version', 'Actor', 'Verdict', 'Reason', 'Drift', 'Image']}
    >
      {entries.map((entry) =>
        entry.kind === 'gap' ? (
          <tr key={`gap ${entry.from}`} class="gap">
            <td>
              <Moment at={entry.from} seconds={seconds} />
            </td>
            <td>
              <Moment at={entry.to} seconds={seconds} />
            </td>
            <td class="number">{duration(entry.to - entry.from)}</td>
            <td colSpan={7}>unknown: no hub watched</td>
          </tr>
        ) : (
          <Ran
            key={`${entry.interval.workload} ${entry.interval.role} ${entry.interval.observedFrom}`}
            interval={entry.interval}
            now={now}
            seconds={seconds}
          />
        ),
      )}
    </Table>
  );
}

interface RanProps {
  readonly interval: IntervalAnswer;
  readonly now: number;
  readonly seconds: boolean;
}

function Ran({ interval, now, seconds }: RanProps) {
  const { startedAt, observedFrom, observedTo, role, version, image, actor, verdict, reason, drift, digest } = interval;
  const end = observedTo === null ? now : Date.parse(observedTo);
  return (
    <tr>
      <td title={`observed from ${observedFrom}`}>
        <Moment at={startedAt} seconds={seconds} />
      </td>
      <td>{observedTo === null ? 'runs now' : <Moment at={observedTo} seconds={seconds} />}</td>
      <td class="number">{duration(end - Date.parse(startedAt))}</td>
      <td>{role || <span class="soft">none</span>}</td>
      <td>
        <Version version={version} image={image} />
      </td>
      <td>{actor ?? <span class="soft">not known</span>}</td>
      <td>
        <Verdict verdict={verdict} />
      </td>
      <td class="reason">{reason}</td>
      <td>
        <Drifts drift={drift.map((kind) => ({ kind }))} />
      </td>
      <td>{digest === null ? <Unknown /> : <Digest digest={digest} />}</td>
    </tr>
  );
}

function Verdict({ verdict }: { readonly verdict: string | null }) {
  if (verdict === null) return null;
  const sign = verdict === 'pass' ? '✓' : verdict === 'fail' ? '✗' : '?';
  return (
    <span class={verdict === 'fail' ? 'bad' : undefined}>
      <span aria-hidden="true">{sign}</span> {verdict}
    </span>
  );
}

function Releases({ releases }: { readonly releases: readonly ReleaseAnswer[] }) {
  return (
    <Section title="Releases" note="from the releases’ own journal">
      <Table
        label="Releases"
        head={[{ number: 'No.' }, 'Kind', 'Version', 'Actor', 'Started', 'Ended', 'Outcome', 'Verdict', 'Reason']}
      >
        {[...releases].reverse().map((release) => (
          <tr key={release.number}>
            <td class="number">{release.number}</td>
            <td>{release.kind}</td>
            <td>
              <Version version={release.version} image={release.digest} />
            </td>
            <td>{release.actor}</td>
            <td>
              <Moment at={release.startedAt} />
            </td>
            <td>{release.endedAt === null ? release.state : <Moment at={release.endedAt} />}</td>
            <td>{release.outcome}</td>
            <td>
              <Verdict verdict={release.verdict} />
            </td>
            <td class="reason">{release.reason}</td>
          </tr>
        ))}
      </Table>
    </Section>
  );
}
