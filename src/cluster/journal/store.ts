import { z } from 'zod';
import { InlayError } from '../../error/index.ts';
import { isConflict, type Kube, RESOURCES } from '../kube/index.ts';
import { journalName, PREFIX, SERVICE_LABEL } from '../names.ts';
import { emptyJournal } from './journal.ts';
import { type Journal, journalSchema, type Request, requestSchema } from './schema.ts';

/** Where in the ConfigMap's data the journal lies. */
export const JOURNAL_KEY = 'journal.json';
const KEY = JOURNAL_KEY;
const REQUEST = `${PREFIX}/request`;
const TRIES = 5;

const configMapSchema = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    resourceVersion: z.string(),
    annotations: z.record(z.string(), z.string()).default({}),
  }),
  data: z.record(z.string(), z.string()).default({}),
});

/** The journal of a service as it lies in the cluster. Only who holds the service's Lease writes it; anyone may leave a request. */
export class JournalStore {
  readonly #kube: Kube;
  readonly #namespace: string;
  readonly #service: string;
  /** What was read or written last: what is there otherwise is somebody else's. */
  #text: string | undefined;

  constructor(kube: Kube, namespace: string, service: string) {
    this.#kube = kube;
    this.#namespace = namespace;
    this.#service = service;
  }

  /** @returns undefined where inlay has never released the service @throws JOURNAL_INVALID */
  async read(): Promise<{ readonly journal: Journal; readonly request: Request | undefined } | undefined> {
    const found = await this.#find();
    this.#text = found?.data[KEY];
    if (!found || this.#text === undefined) return undefined;
    return {
      journal: parseJournal(this.#text, `${this.#namespace}/${journalName(this.#service)}`),
      request: requestOf(found.metadata.annotations[REQUEST]),
    };
  }

  /** Reads it, or begins one. */
  async open(): Promise<Journal> {
    return (await this.read())?.journal ?? emptyJournal(this.#service);
  }

  /** @throws RELEASE_BUSY when somebody else has written it since */
  async write(journal: Journal): Promise<void> {
    const text = `${JSON.stringify(journal, null, 1)}\n`;
    for (let tries = 1; ; tries++) {
      const found = await this.#find();
      if (found !== undefined && found.data[KEY] !== this.#text && found.data[KEY] !== text) throw this.#busy();
      try {
        await (found
          ? this.#kube.replace(this.#object(text, found.metadata))
          : this.#kube.create(this.#object(text, { annotations: {} })));
        this.#text = text;
        return;
      } catch (error) {
        // A request came in between.
        if (!isConflict(error) || tries === TRIES) throw error;
      }
    }
  }

  /** Leaves a request for whoever works on the service, or takes it away. */
  async request(request: Request | undefined): Promise<void> {
    await this.#kube.merge(RESOURCES.configMap, journalName(this.#service), this.#namespace, {
      metadata: { annotations: { [REQUEST]: request === undefined ? null : JSON.stringify(request) } },
    });
  }

  #find() {
    return this.#kube.find(configMapSchema, RESOURCES.configMap, journalName(this.#service), this.#namespace);
  }

  #object(
    text: string,
    kept: { readonly annotations: Readonly<Record<string, string>>; readonly resourceVersion?: string },
  ) {
    return {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: journalName(this.#service),
        namespace: this.#namespace,
        labels: { 'app.kubernetes.io/managed-by': 'inlay', [SERVICE_LABEL]: this.#service },
        annotations: kept.annotations,
        ...(kept.resourceVersion === undefined ? {} : { resourceVersion: kept.resourceVersion }),
      },
      data: { [KEY]: text },
    };
  }

  #busy(): InlayError {
    return new InlayError('RELEASE_BUSY', `somebody else writes the journal of ${this.#namespace}/${this.#service}`, {
      hint: 'inlay status tells who works on it.',
    });
  }
}

/** @param name of its ConfigMap, for errors @throws JOURNAL_INVALID */
export function parseJournal(text: string, name: string): Journal {
  try {
    return journalSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new InlayError('JOURNAL_INVALID', `ConfigMap ${name} is no journal that this inlay reads`, {
      cause,
      hint: 'A newer inlay wrote it, or somebody edited it. Use that inlay; what runs is not affected.',
    });
  }
}

function requestOf(text: string | undefined): Request | undefined {
  if (text === undefined) return undefined;
  try {
    return requestSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
