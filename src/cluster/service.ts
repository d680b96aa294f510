import type { Contract, Deploy } from '../contract/index.ts';

/** What a release needs to know of an image; kept in the journal, so it is small: no sample, no golden values. */
export interface ReleaseImage {
  /** `REGISTRY/REPOSITORY:TAG@sha256:…`, the digest of the index. */
  readonly reference: string;
  readonly digest: string;
  /** `linux/amd64`, … */
  readonly platforms: readonly string[];
  readonly contract: ReleaseContract;
}

/** The part of contract.json that matters for running a model beside another. */
export type ReleaseContract = Pick<
  Contract,
  'name' | 'version' | 'task' | 'inputs' | 'outputs' | 'prediction' | 'labels' | 'metrics' | 'server' | 'owner'
> & {
  /** `externalData` tells how long a large model may take to load; without it that is guessed from the model's file alone. */
  readonly model: Pick<Contract['model'], 'digest' | 'sizeBytes'> & Partial<Pick<Contract['model'], 'externalData'>>;
};

/** A service as it is to be: where, how, and the image of a role. */
export interface ServicePlan {
  /** The service's name: that of the contract. */
  readonly service: string;
  readonly namespace: string;
  /** `deploy:` of inlay.yaml with its defaults, for the environment that was asked for. */
  readonly deploy: Deploy;
  readonly image: ReleaseImage;
}
