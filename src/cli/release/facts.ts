import type { Release, ServiceStatus } from '../../cluster/index.ts';
import type { AnyProject, Config, EnvironmentConfig } from '../../contract/index.ts';
import type { ImageNote, NextVersion, StepName, Trained } from '../../release/index.ts';
import type { SigningKey } from '../../supply/index.ts';
import type { BuiltProject, OpenedProject } from '../build-project.ts';

/** What is asked, and known before the first step. */
export interface Asked {
  readonly dir: string;
  readonly config: Config;
  readonly own: EnvironmentConfig;
  readonly until: StepName | undefined;
  readonly key: SigningKey | undefined;
  readonly database: string | undefined;
  readonly signal: AbortSignal;
}

/** What the steps find out, each for those after it. */
export interface Facts {
  trained?: Trained | undefined;
  opened?: OpenedProject;
  built?: BuiltProject;
  next?: NextVersion | undefined;
  sentBytes?: number;
  namespace?: string;
  against?: ImageNote | undefined;
  status?: ServiceStatus;
  unchanged?: boolean;
}

export function needed<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a step was taken before the one that it builds on');
  return value;
}

export function noteOf({ image }: Pick<Release, 'image'>): ImageNote {
  return { reference: image.reference, digest: image.digest, version: image.contract.version };
}

export function projectOf({ built, opened }: Facts): AnyProject | undefined {
  return built?.project ?? opened?.project;
}
