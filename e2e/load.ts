// A load for a service, as a program of its own: `bun load.ts OPTIONS`, as JSON; ends on SIGTERM or after `seconds`, and prints
// what its clients saw, as JSON. Whatever is not a 200 with the answer's form counts as failed, and is told.
import { Agent, request } from 'node:http';

export interface LoadOptions {
  readonly url: string;
  /** Clients that keep their connection, one each, and clients that open one a request. */
  readonly keepAlive: number;
  readonly fresh: number;
  /** Requests a second of each client. */
  readonly rate: number;
  readonly seconds: number;
  readonly path?: string;
  /** Each request sends one of them, by chance; one that stands there twice is sent twice as often. */
  readonly bodies: readonly string[];
}

export interface LoadResult {
  readonly requests: number;
  readonly failed: number;
  /** The first failures, in words. */
  readonly failures: readonly string[];
  /** Answers by the version that the `inlay-model` header names. */
  readonly versions: Readonly<Record<string, number>>;
  /** The same of each second, seconds since 1970: all clients, and those alone that keep their connection. */
  readonly seconds: readonly {
    readonly at: number;
    readonly all: Readonly<Record<string, number>>;
    readonly kept: Readonly<Record<string, number>>;
  }[];
  readonly p99Ms: number;
}

interface Second {
  all: Record<string, number>;
  kept: Record<string, number>;
}

async function load(options: LoadOptions, stopped: () => boolean): Promise<LoadResult> {
  const seconds = new Map<number, Second>();
  const failures: string[] = [];
  const latencies: number[] = [];
  let requests = 0;
  let failed = 0;
  const until = performance.now() + options.seconds * 1000;
  const answered = (version: string, keepAlive: boolean) => {
    const at = Math.floor(Date.now() / 1000);
    const second = seconds.get(at) ?? { all: {}, kept: {} };
    seconds.set(at, second);
    for (const counts of keepAlive ? [second.all, second.kept] : [second.all])
      counts[version] = (counts[version] ?? 0) + 1;
  };
  const client = async (keepAlive: boolean) => {
    const agent = new Agent({ keepAlive, maxSockets: 1 });
    // Clients do not step in line.
    await Bun.sleep(Math.random() * (1000 / options.rate));
    for (let due = performance.now(); performance.now() < until && !stopped(); due += 1000 / options.rate) {
      await Bun.sleep(Math.max(0, due - performance.now()));
      const begun = performance.now();
      requests++;
      try {
        const { status, body, model } = await ask(agent, options);
        if (status !== 200 || !body.startsWith('{"prediction":')) throw new Error(`${status} ${body.slice(0, 200)}`);
        answered(/^[^:]+:([^@]+)@/.exec(model)?.[1] ?? model, keepAlive);
        latencies.push(performance.now() - begun);
      } catch (error) {
        failed++;
        if (failures.length < 20)
          // Bun calls every connection that does not come about ECONNREFUSED: a refusal comes at once, no way to a host after 3 s.
          failures.push(
            `${new Date().toISOString()} ${keepAlive ? 'keep-alive' : 'fresh'} ${error}, after ${(performance.now() - begun).toFixed(1)} ms`,
          );
      }
    }
    agent.destroy();
  };
  await Promise.all([
    ...Array.from({ length: options.keepAlive }, () => client(true)),
    ...Array.from({ length: options.fresh }, () => client(false)),
  ]);
  latencies.sort((a, b) => a - b);
  const told = [...seconds].sort(([a], [b]) => a - b).map(([at, counts]) => ({ at, ...counts }));
  return {
    requests,
    failed,
    failures,
    versions: sum(told.map(({ all }) => all)),
    seconds: told,
    p99Ms: latencies[Math.floor(latencies.length * 0.99)] ?? 0,
  };
}

/** Counts by version, added up. */
export function sum(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const all: Record<string, number> = {};
  for (const [version, count] of counts.flatMap((one) => Object.entries(one)))
    all[version] = (all[version] ?? 0) + count;
  return all;
}

function ask(
  agent: Agent,
  { url, path, bodies }: LoadOptions,
): Promise<{ status: number; body: string; model: string }> {
  const body = bodies[Math.floor(Math.random() * bodies.length)] ?? '{}';
  return new Promise((resolve, reject) => {
    const sent = request(
      new URL(path ?? '/predict', url),
      {
        method: 'POST',
        agent,
        timeout: 10_000,
        headers: { 'content-type': 'application/json', 'content-length': body.length },
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => {
          text += chunk;
        });
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, body: text, model: String(answer.headers['inlay-model'] ?? '') }),
        );
        answer.on('error', reject);
      },
    );
    sent.on('timeout', () => sent.destroy(new Error('no answer within 10 s')));
    sent.on('error', reject);
    sent.end(body);
  });
}

if (import.meta.main) {
  let stop = false;
  process.on('SIGTERM', () => {
    stop = true;
  });
  const options = JSON.parse(process.argv[2] ?? '{}') as LoadOptions;
  process.stdout.write(`${JSON.stringify(await load(options, () => stop))}\n`);
}
