import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Failure } from '../model/fetched.ts';
import { driftName, duration, moment, shortDigest } from '../model/text.ts';

/** How long ago, with the time itself for who wants to know. */
export function Age({ at, now }: { readonly at: string | null; readonly now: number }) {
  if (at === null) return <Unknown />;
  return (
    <time dateTime={at} title={moment(Date.parse(at))}>
      {duration(now - Date.parse(at))}
    </time>
  );
}

/** @param seconds where things came so close together that minutes tell nothing */
export function Moment({ at, seconds }: { readonly at: string | number; readonly seconds?: boolean }) {
  const ms = typeof at === 'number' ? at : Date.parse(at);
  return (
    <time dateTime={new Date(ms).toISOString()} title={new Date(ms).toISOString()}>
      {moment(ms, seconds)}
    </time>
  );
}

/** For what nobody knows. @param why as the hub says it */
export function Unknown({ why }: { readonly why?: string | undefined }) {
  return (
    <span class="soft" title={why}>
      unknown
    </span>
  );
}

/** A digest short enough to compare, and whole for the clipboard. */
export function Digest({ digest, link }: { readonly digest: string; readonly link?: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard?.writeText(digest).catch(() => undefined);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  const text = <code title={digest}>{shortDigest(digest)}</code>;
  return (
    <span class="digest">
      {link === undefined ? text : <a href={link}>{text}</a>}{' '}
      <button type="button" class="quiet" onClick={copy} aria-label={`Copy ${shortDigest(digest)}`}>
        {copied ? 'copied' : 'copy'}
      </button>
    </span>
  );
}

export function Drifts({ drift }: { readonly drift: readonly { readonly kind: string; readonly message?: string }[] }) {
  return (
    <>
      {drift.map(({ kind, message }) => (
        <span key={kind} class="mark warn" title={message}>
          {driftName(kind)}
        </span>
      ))}
    </>
  );
}

/** `3/3`, and in words where it is fewer than wanted. */
export function Ready({ ready, desired }: { readonly ready: number; readonly desired: number }) {
  const state = ready >= desired ? undefined : ready === 0 ? 'down' : 'degraded';
  return (
    <span class={state === undefined ? undefined : 'bad'}>
      {ready}/{desired}
      {state === undefined ? null : <span class="state"> {state}</span>}
    </span>
  );
}

export function Failed({ failure }: { readonly failure: Failure }) {
  return (
    <div class="notice bad-notice" role="alert">
      <strong>{failure.message}</strong>
      {failure.hint ? <p>{failure.hint}</p> : null}
      <p class="soft">{failure.code}</p>
    </div>
  );
}

/** What to do where there is nothing to show. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ComponentChildren }) {
  return (
    <div class="notice">
      <strong>{title}</strong>
      {children ? <p>{children}</p> : null}
    </div>
  );
}

export function Loading() {
  return (
    <p class="soft loading" role="status">
      Asking the hub…
    </p>
  );
}

/** A heading with what belongs to it. */
export function Section({
  title,
  note,
  children,
}: {
  readonly title: string;
  readonly note?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  const id = `section-${title.toLowerCase().replace(/\W+/g, '-')}`;
  return (
    <section aria-labelledby={id}>
      <header class="section-head">
        <h2 id={id}>{title}</h2>
        {note ? <span class="soft">{note}</span> : null}
      </header>
      {children}
    </section>
  );
}

/** A column: its name, and whether it is of numbers or told to screen readers alone. */
export type Column = string | { readonly number: string } | { readonly unseen: string };

/** A table under its columns' names, which scrolls by itself where a screen is too narrow for it. @param children its rows */
export function Table({
  label,
  head,
  class: style,
  children,
}: {
  readonly label: string;
  readonly head: readonly Column[];
  readonly class?: string;
  readonly children: ComponentChildren;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <section class="wide" aria-label={`Table: ${label}`} tabIndex={0}>
      <table class={style}>
        <thead>
          <tr>
            {head.map((column) =>
              typeof column === 'string' ? (
                <th key={column} scope="col">
                  {column}
                </th>
              ) : 'number' in column ? (
                <th key={column.number} scope="col" class="number">
                  {column.number}
                </th>
              ) : (
                <th key={column.unseen} scope="col">
                  <span class="unseen">{column.unseen}</span>
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}
