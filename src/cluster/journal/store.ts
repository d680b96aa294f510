import { z } from 'zod';
import { InlayError } from '../../error/index.ts';
import { isConflict, type Kube, RESOURCES } from '../kube/index.ts';
import { journalName, PREFIX, SERVICE_LABEL } from '../names.ts';
import { emptyJournal } from './journal.ts';
import { type Journal, journalSchema, type Request, requestSchema } from './schema.ts';

const KEY = 'journal.json';
/** Where the text would not fit into a ConfigMap, which holds 1 MiB. */
const PACKED_KEY = 'journal.json.zst';
const PACKED_FROM_BYTES = 700_000;
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
  binaryData: z.record(z.string(), z.string()).default({}),
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
    this.#text = found && journalText(found, this.#name);
    if (!found || this.#text === undefined) return undefined;
    return {
      journal: parsed(this.#text, this.#name),
      request: requestOf(found.metadata.annotations[REQUEST]),
    };
  }

  /**
   * What somebody wishes of whoever works on the service. It is no reading of the journal: what somebody else has written there
   * meanwhile is still found when it is written.
   */
  async wish(): Promise<Request | undefined> {
    return requestOf((await this.#find())?.metadata.annotations[REQUEST]);
  }

  /** Reads it, or begins one. */
  async open(): Promise<Journal> {
    return (await this.read())?.journal ?? emptyJournal(this.#service);
  }

  /** @throws RELEASE_BUSY when somebody else has written it since */
  async write(journal: Journal): Promise<void> {
    const text = textOf(journal);
    for (let tries = 1; ; tries++) {
      const found = await this.#find();
      const there = found && journalText(found, this.#name);
      if (there !== undefined && there !== this.#text && there !== text) throw this.#busy();
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
      ...(Buffer.byteLength(text) < PACKED_FROM_BYTES
        ? { data: { [KEY]: text } }
        : { binaryData: { [PACKED_KEY]: Buffer.from(Bun.zstdCompressSync(text)).toString('base64') } }),
    };
  }

  get #name(): string {
    return `${this.#namespace}/${journalName(this.#service)}`;
  }

  #busy(): InlayError {
    return new InlayError('RELEASE_BUSY', `somebody else writes the journal of ${this.#namespace}/${this.#service}`, {
      hint: 'inlay status tells who works on it.',
    });
  }
}

/** What of a ConfigMap holds a journal. */
interface JournalData {
  readonly data: Readonly<Record<string, string>>;
  readonly binaryData: Readonly<Record<string, string>>;
}

/** The journal that a ConfigMap holds, if it holds one. @param name for errors @throws JOURNAL_INVALID */
export function parseJournal(configMap: JournalData, name: string): Journal | undefined {
  const text = journalText(configMap, name);
  return text === undefined ? undefined : parsed(text, name);
}

function journalText({ data, binaryData }: JournalData, name: string): string | undefined {
  const packed = binaryData[PACKED_KEY];
  if (packed === undefined) return data[KEY];
  try {
    return new TextDecoder().decode(Bun.zstdDecompressSync(Buffer.from(packed, 'base64')));
  } catch (cause) {
    throw invalid(name, cause);
  }
}

function parsed(text: string, name: string): Journal {
  try {
    return journalSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw invalid(name, cause);
  }
}

function invalid(name: string, cause: unknown): InlayError {
  return new InlayError('JOURNAL_INVALID', `ConfigMap ${name} is no journal that this inlay reads`, {
    cause,
    hint: 'A newer inlay wrote it, or somebody edited it. Use that inlay; what runs is not affected.',
  });
}

/** A line a release, so that whoever reads the ConfigMap finds them. */
function textOf({ releases, ...head }: Journal): string {
  return `${JSON.stringify(head).slice(0, -1)},"releases":[\n${releases.map((one) => JSON.stringify(one)).join(',\n')}\n]}\n`;
}

function requestOf(text: string | undefined): Request | undefined {
  if (text === undefined) return undefined;
  try {
    return requestSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
