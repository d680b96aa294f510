import { createContext } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import { ask, type Failure } from '../model/fetched.ts';
import { changedRows, type ListedRow, listed } from '../model/rows.ts';
import type { NowAnswer, ServersEvent } from '../model/wire.ts';

export type LiveState = 'loading' | 'live' | 'reconnecting';

/** Changes that come at once are drawn at once. */
const DRAW_MS = 200;
const AGAIN_MS = 3000;

/** What runs now: asked for once, then told by the hub. */
export class Live {
  state: LiveState = 'loading';
  rows: ReadonlyMap<string, ListedRow> = new Map();
  failure: Failure | undefined;
  /** Goes up with every change that is drawn. */
  changes = 0;
  #hub: string | undefined;
  #events: EventSource | undefined;
  #waiting: ServersEvent[] = [];
  #drawing: ReturnType<typeof setTimeout> | undefined;
  #again: ReturnType<typeof setTimeout> | undefined;
  readonly #listeners = new Set<() => void>();

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Asks for everything, then listens; also to begin anew. */
  async load(): Promise<void> {
    this.#stop();
    const fetched = await ask<NowAnswer>('api/now?brief=true&limit=100000');
    if ('failure' in fetched) {
      this.failure = fetched.failure;
      if (!fetched.failure.login) this.#retry();
      return this.#tell();
    }
    this.failure = undefined;
    this.rows = new Map(fetched.answer.servers.map((row) => [row.id, listed(row)]));
    this.changes++;
    this.#listen(fetched.answer.revision);
    this.#tell();
  }

  #listen(revision: number): void {
    this.#hub = undefined;
    const events = new EventSource(`api/events?brief=true&since=${revision}`);
    this.#events = events;
    events.addEventListener('hello', ({ data }: MessageEvent<string>) => {
      const { startedAt } = JSON.parse(data) as { startedAt: string };
      this.#hub ??= startedAt;
      // Another hub counts its revisions anew.
      if (this.#hub !== startedAt) return void this.load();
      this.#is('live');
    });
    events.addEventListener('reset', () => void this.load());
    events.addEventListener('servers', ({ data }: MessageEvent<string>) => {
      this.#waiting.push(JSON.parse(data) as ServersEvent);
      this.#drawing ??= setTimeout(() => this.#draw(), DRAW_MS);
    });
    events.addEventListener('error', () => {
      this.#is('reconnecting');
      // The browser comes back by itself after a cut, not after a refusal.
      if (events.readyState === EventSource.CLOSED) this.#retry();
    });
  }

  #draw(): void {
    this.#drawing = undefined;
    for (const change of this.#waiting.splice(0)) this.rows = changedRows(this.rows, change);
    this.changes++;
    this.#tell();
  }

  #retry(): void {
    if (this.state === 'live') this.state = 'reconnecting';
    clearTimeout(this.#again);
    this.#again = setTimeout(() => void this.load(), AGAIN_MS);
  }

  #stop(): void {
    this.#events?.close();
    this.#events = undefined;
    clearTimeout(this.#again);
    clearTimeout(this.#drawing);
    this.#drawing = undefined;
    this.#waiting = [];
  }

  #is(state: LiveState): void {
    if (this.state === state) return;
    this.state = state;
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

export const LiveContext = createContext(new Live());

/** Draws anew when something changes. */
export function useLive(): Live {
  const live = useContext(LiveContext);
  const [, setSeen] = useState(0);
  useEffect(() => live.subscribe(() => setSeen((seen) => seen + 1)), [live]);
  return live;
}

/** The time, which goes on. */
export function useNow(everyMs = 15_000): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
