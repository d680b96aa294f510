import { Tunnels } from './http/tunnel.ts';
import type { RegistryOptions } from './options.ts';
import type { ImageReference } from './reference.ts';
import { Repository, type RepositoryAccess } from './repository.ts';

/** How registries are reached from here. Each piece of work opens its repositories through it. */
export class Registry {
  readonly #options: RegistryOptions;
  readonly #tunnels = new Tunnels();

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  get options(): RegistryOptions {
    return this.#options;
  }

  /** Ends the connections through proxies; whoever does not call it leaves an empty folder behind. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tunnels.close();
  }

  open(reference: Pick<ImageReference, 'registry' | 'repository'>, access: RepositoryAccess): Repository {
    return new Repository(reference, this.#options, access, this.#tunnels);
  }
}
