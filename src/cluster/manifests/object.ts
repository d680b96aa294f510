/** Who an object is, and what is said about it. */
export interface Metadata {
  readonly name: string;
  /** Undefined for what belongs to no namespace. */
  readonly namespace?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * An object as the API takes it on the wire: JSON that server-side apply sends as it is. (The classes of
 * @kubernetes/client-node call a few fields otherwise, `_from` for one, and rename them when they serialize.)
 */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
}

/** A Kubernetes type with what every object of ours has. */
export type Manifest<T> = KubeObject & Omit<T, 'apiVersion' | 'kind' | 'metadata' | 'status'>;

type Defined<T> = T extends readonly (infer Item)[]
  ? Defined<Item>[]
  : T extends object
    ? { [Key in keyof T]: Defined<Exclude<T[Key], undefined>> }
    : T;

/** A value without its undefined keys, as JSON has it. */
export function defined<T>(value: T): Defined<T> {
  return JSON.parse(JSON.stringify(value)) as Defined<T>;
}
