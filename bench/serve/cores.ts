import { availableParallelism } from 'node:os';

/** The core of the server under test, and the one of whatever loads it. */
const CORES = { server: '0', load: '1' } as const;

/** The command on its core: taskset replaces itself with it, so that its pid is the command's. */
export function onCore(role: keyof typeof CORES, command: readonly string[]): string[] {
  return ['taskset', '-c', CORES[role], ...command];
}

/** @throws when server and load would share a core */
export function requireTwoCores(): void {
  if (availableParallelism() < 2) throw new Error('the server and its load need a core each: this machine has one');
}
