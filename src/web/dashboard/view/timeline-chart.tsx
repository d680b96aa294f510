import type { Bar, Chart, Stretch } from '../model/lanes.ts';
import { linkTo } from '../model/place.ts';
import { moment } from '../model/text.ts';

const part = ({ left, width }: Stretch) => ({ left: `${left * 100}%`, width: `${width * 100}%` });

/** Lanes of roles, with time to the right; the table below says the same in words. */
export function TimelineChart({ chart }: { readonly chart: Chart }) {
  return (
    <figure class="chart" aria-label="Timeline as a chart; the table below has all of it">
      {chart.lanes.map(({ role, bars }) => (
        <div key={role} class="lane">
          <span class="lane-name">{role}</span>
          <div class="track">
            {bars.map((bar) => (
              <Piece key={`${bar.interval.workload} ${bar.interval.observedFrom}`} bar={bar} />
            ))}
            {chart.gaps.map((gap) => (
              <span key={gap.left} class="gap-mark" style={part(gap)} title="unknown: no hub watched" />
            ))}
          </div>
        </div>
      ))}
      <div class="lane axis" aria-hidden="true">
        <span class="lane-name" />
        <div class="track">
          {chart.ticks.map(({ at, left }) => (
            <span
              key={left}
              class="tick"
              style={{ left: `${left * 100}%` }}
              data-edge={left === 1 ? 'end' : left === 0 ? 'start' : undefined}
            >
              {left === 1 ? 'now' : moment(at)}
            </span>
          ))}
        </div>
      </div>
      {chart.gaps.length > 0 ? (
        <figcaption class="soft">
          <span class="gap-key" aria-hidden="true" /> hatched: unknown, no hub watched
        </figcaption>
      ) : null}
    </figure>
  );
}

function Piece({ bar }: { readonly bar: Bar }) {
  const { version, image, startedAt, observedTo, drift } = bar.interval;
  const name = version ?? 'unknown version';
  const until = observedTo === null ? 'now' : moment(Date.parse(observedTo));
  const title = `${name}: ${moment(Date.parse(startedAt))} to ${until}${drift.length > 0 ? `, drift: ${drift.join(', ')}` : ''}`;
  const style = { ...part(bar), paddingLeft: `calc(${bar.hidden * 100}% + 6px)` };
  const props = { class: 'bar', style, title, 'data-drift': drift.length > 0 ? '' : undefined };
  // What is too small for a name has it in its title, and in the table.
  const text = bar.width - bar.hidden < 0.035 ? '' : `${drift.length > 0 ? '! ' : ''}${name}`;
  return image === null ? (
    <span {...props}>{text}</span>
  ) : (
    <a {...props} href={linkTo('version', { digest: image })} aria-label={title}>
      {text}
    </a>
  );
}
