// Releases as journals hold them.
import type { Journal, Release } from '../../src/cluster/journal/index.ts';
import { CONTRACT } from './plans.ts';

const AT = '2026-01-01T00:00:00.000Z';

export function digestOf(version: string): string {
  return `sha256:${Buffer.from(version).toString('hex').padStart(64, '0')}`;
}

/** A release that is over and was never stable, unless `more` says otherwise. */
export function releaseOf(number: number, version: string, more: Partial<Release> = {}): Release {
  const digest = digestOf(version);
  return {
    number,
    kind: 'release',
    image: {
      reference: `registry.example.com/ml/iris:${version}@${digest}`,
      digest,
      platforms: ['linux/amd64'],
      contract: { ...CONTRACT, version, model: { ...CONTRACT.model, externalData: [] } },
    },
    deploy: {},
    actor: 'ada@laptop',
    startedAt: AT,
    endedAt: AT,
    state: 'ended',
    outcome: 'backed-out',
    steps: [{ name: 'canary 20 %', kind: 'canary', status: 'failed', weight: { asked: 20 } }],
    ...more,
  };
}

/** One that was stable, until `to` if that is given. */
export function released(number: number, version: string, to?: string): Release {
  return releaseOf(number, version, {
    outcome: 'released',
    stableFrom: AT,
    ...(to === undefined ? {} : { stableTo: to }),
  });
}

export function journalOf(...releases: Release[]): Journal {
  return { schemaVersion: 1, service: 'iris', releases };
}

export const LATER = '2026-02-01T00:00:00.000Z';
