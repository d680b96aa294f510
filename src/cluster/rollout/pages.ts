import type { Kube } from '../kube/index.ts';
import { type Forward, forwardPort, pathOf, RESOURCES } from '../kube/index.ts';
import { HTTP_PORT } from '../manifests/index.ts';
import type { Pod } from '../observe/index.ts';
import { type Scrape, scrapeOf } from '../verdict/index.ts';

const PATIENCE_MS = 5000;

/**
 * Reads /metrics of pods from wherever the CLI runs: by port-forward, which goes through the kubelet; where that is not allowed or
 * does not answer, by the API server's proxy.
 */
export class MetricsPages {
  readonly #kube: Kube;
  readonly #namespace: string;
  readonly #forwards = new Map<string, Promise<Forward>>();
  /** Pods whose forward has failed: the proxy is asked first. */
  readonly #proxied = new Set<string>();

  constructor(kube: Kube, namespace: string) {
    this.#kube = kube;
    this.#namespace = namespace;
  }

  /** A page of each pod, or why there is none. */
  scrape(pods: readonly Pod[]): Promise<Scrape[]> {
    return Promise.all(pods.map(({ metadata }) => this.#page(metadata.name)));
  }

  async close(): Promise<void> {
    const forwards = [...this.#forwards.values()];
    this.#forwards.clear();
    for (const forward of await Promise.allSettled(forwards))
      if (forward.status === 'fulfilled') await forward.value.close();
  }

  async #page(pod: string): Promise<Scrape> {
    const ways = this.#proxied.has(pod) ? [this.#proxy, this.#forward] : [this.#forward, this.#proxy];
    const failed: string[] = [];
    for (const way of ways) {
      try {
        return scrapeOf(pod, Date.now(), await way.call(this, pod));
      } catch (error) {
        failed.push(error instanceof Error ? error.message : String(error));
      }
    }
    return { pod, at: Date.now(), unreadable: failed.join('; ') };
  }

  async #forward(pod: string): Promise<string> {
    const known =
      this.#forwards.get(pod) ?? forwardPort(this.#kube, { namespace: this.#namespace, pod, port: HTTP_PORT });
    this.#forwards.set(pod, known);
    try {
      const { url } = await known;
      // A connection of its own each time: one that the server has aged out would fail the first try.
      const response = await fetch(`${url}/metrics`, {
        headers: { connection: 'close' },
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      if (!response.ok) throw new Error(`/metrics answered ${response.status}`);
      const text = await response.text();
      this.#proxied.delete(pod);
      return text;
    } catch (error) {
      this.#proxied.add(pod);
      throw error;
    }
  }

  #proxy(pod: string): Promise<string> {
    return this.#kube.text({
      step: `reading /metrics of Pod ${this.#namespace}/${pod}`,
      path: `${pathOf(RESOURCES.pod, this.#namespace, `${pod}:${HTTP_PORT}`)}/proxy/metrics`,
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  }
}
