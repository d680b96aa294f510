import { briefOf } from './brief.ts';
import type { Hub, HubChange } from './hub.ts';

const PING_MS = 15_000;
/** Bytes that a reader may be behind before it is cut off: it comes back and goes on. */
const BEHIND = 8 * 2 ** 20;

/**
 * What changes, as Server-Sent Events (HTML standard, 9.2).
 * @param lastEventId the revision that the reader has @param brief rows as lists show them
 */
export function eventStream(hub: Hub, lastEventId: string | null, brief: boolean): Response {
  const encoder = new TextEncoder();
  let stop = () => {};
  const stream = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const send = (text: string) => {
          if ((controller.desiredSize ?? 0) < -BEHIND) {
            stop();
            return controller.close();
          }
          controller.enqueue(encoder.encode(text));
        };
        const event = (name: string, data: unknown, id?: number) =>
          send(`event: ${name}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`);
        const tell = ({ revision, changed, removed }: HubChange) =>
          event(
            'servers',
            { revision, changed: brief ? changed.map((row) => briefOf(row)) : changed, removed },
            revision,
          );
        // Revisions count from the hub's start: who comes back to another hub begins anew.
        const now = { revision: hub.revision, startedAt: hub.startedAt };
        const missed = lastEventId === null ? [] : hub.since(Number(lastEventId));
        if (missed === undefined) event('reset', now, hub.revision);
        else {
          event('hello', now, hub.revision);
          missed.forEach(tell);
        }
        const unsubscribe = hub.subscribe(tell);
        const ping = setInterval(() => send(': still here\n\n'), PING_MS);
        stop = () => {
          clearInterval(ping);
          unsubscribe();
        };
      },
      cancel: () => stop(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: 64 * 1024 }),
  );
  return new Response(stream, {
    headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
  });
}
