import type { Attack } from './attackers.ts';

const HEAD = 'POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
const BODY = '{"data":[[5.1,3.5,1.4,0.2]]}';
const whole = `${HEAD}Content-Length: ${BODY.length}\r\n\r\n${BODY}`;

/** What is survived, at which scale. @param scale 1 for all of it, less for a short look */
export function attacks(scale: number): Attack[] {
  const times = (count: number) => Math.ceil(count * scale);
  return [
    {
      name: 'idle after a request',
      port: 'http',
      connections: times(10_000),
      first: whole,
      seconds: 10,
    },
    { name: 'idle from the beginning', port: 'http', connections: times(10_000), first: '', seconds: 15 },
    {
      name: 'slow heads',
      port: 'http',
      connections: times(2_000),
      first: HEAD,
      trickle: { text: 'X-More: a\r\n', everyMs: 1000 },
      seconds: 20,
    },
    {
      name: 'slow bodies',
      port: 'http',
      connections: times(2_000),
      first: `${HEAD}Content-Length: 1000\r\n\r\n{"data"`,
      trickle: { text: ' ', everyMs: 1000 },
      seconds: 20,
    },
    {
      name: 'slow bodies, 8 MB of 16 each',
      port: 'http',
      connections: times(100),
      first: `${HEAD}Content-Length: 16000000\r\n\r\n${'['.repeat(8_000_000)}`,
      seconds: 20,
    },
    {
      name: 'aborted uploads of 1 MB',
      port: 'http',
      connections: times(2_000),
      first: `${HEAD}Content-Length: 8000000\r\n\r\n${'['.repeat(1_000_000)}`,
      aborts: true,
      seconds: 5,
    },
    {
      name: 'heads of 1 MB',
      port: 'http',
      connections: times(2_000),
      first: `${HEAD}X-Bomb: ${'a'.repeat(1_000_000)}\r\n\r\n`,
      seconds: 20,
    },
    {
      name: 'heads of 10,000 lines',
      port: 'http',
      connections: times(2_000),
      first: `${HEAD}${'a: b\r\n'.repeat(10_000)}\r\n`,
      seconds: 20,
    },
    {
      name: '2,000 requests each, answers not read',
      port: 'http',
      connections: times(100),
      first: whole.repeat(2_000),
      seconds: 10,
    },
    { name: 'gRPC, idle from the beginning', port: 'grpc', connections: times(10_000), first: '', seconds: 20 },
    { name: 'gRPC, no HTTP/2', port: 'grpc', connections: times(2_000), first: whole, seconds: 10 },
    {
      name: 'gRPC, idle after the preface',
      port: 'grpc',
      connections: times(2_000),
      first: Buffer.concat([
        Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
        // An empty SETTINGS frame.
        Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0, 0),
      ]),
      seconds: 5,
    },
    {
      name: 'more connections than MAX_CONNECTIONS',
      port: 'http',
      connections: times(17_000),
      first: whole,
      seconds: 10,
    },
  ];
}
