import { z } from 'zod';
import { InlayError } from '../../error/index.ts';
import { isConflict, Kube, RESOURCES } from '../kube/index.ts';
import { journalName, SERVICE_LABEL } from '../names.ts';

const leaseSchema = z.object({
  metadata: z.object({ name: z.string(), resourceVersion: z.string() }),
  spec: z
    .object({
      holderIdentity: z.string().nullish(),
      leaseDurationSeconds: z.number().nullish(),
      acquireTime: z.string().nullish(),
      renewTime: z.string().nullish(),
      leaseTransitions: z.number().nullish(),
    })
    .prefault({}),
});
type Lease = z.infer<typeof leaseSchema>;

const DURATION_S = 15;
const DURATION_MS = DURATION_S * 1000;
const RENEW_MS = 4000;
const LOOK_MS = 1000;
/** How long others may be quicker again and again. */
const GIVE_UP_MS = 60_000;
/** The clocks of several API servers may differ by so much before an old Lease is taken for what it says. */
const SKEW_MS = 60_000;

/** Who works on a service, as its Lease says. */
export interface Holder {
  readonly name: string;
  readonly renewedAt: string | undefined;
}

/** The Lease of a service while this program holds it. When it is lost, `signal` aborts: nothing may be done any more. */
export class HeldLease {
  readonly signal: AbortSignal;
  readonly #lost = new AbortController();
  readonly #kube: Kube;
  readonly #namespace: string;
  readonly #service: string;
  readonly #holder: string;
  readonly #timer: ReturnType<typeof setInterval>;
  #renewed = new Since();
  #renewing: Promise<void> | undefined;

  private constructor(kube: Kube, namespace: string, service: string, holder: string) {
    this.#kube = kube;
    this.#namespace = namespace;
    this.#service = service;
    this.#holder = holder;
    this.signal = this.#lost.signal;
    this.#timer = setInterval(() => void this.#renew(), RENEW_MS);
  }

  /**
   * Returns while it is certain that nobody else has taken the Lease: after the API server was away it is asked first.
   * @throws RELEASE_BUSY
   */
  async check(): Promise<void> {
    if (this.#renewed.ms > DURATION_MS) await this.#renew();
    if (this.signal.aborted) throw this.signal.reason;
  }

  /**
   * Takes a service's Lease. One whose holder has died is waited for until it is proven: 16 s without a renewal.
   * @param holder of this program alone: `ada@laptop 4711-…`
   * @throws RELEASE_BUSY with who holds it
   */
  static async take(kube: Kube, namespace: string, service: string, holder: string): Promise<HeldLease> {
    const giveUpAt = performance.now() + GIVE_UP_MS;
    let seen: { readonly version: string; readonly at: number } | undefined;
    let renewals = 0;
    for (;;) {
      const lease = await findLease(kube, namespace, service);
      const other = lease?.spec.holderIdentity;
      if (lease && other && other !== holder && !expired(kube, lease)) {
        const version = lease.metadata.resourceVersion;
        if (seen && seen.version !== version) renewals++;
        if (seen?.version !== version) seen = { version, at: performance.now() };
        // One renewal may have been on its way when its holder died.
        if (renewals > 1)
          throw new InlayError('RELEASE_BUSY', `${other} works on ${namespace}/${service} right now`, {
            hint: 'inlay status --watch follows it; inlay abort asks it to back out.',
          });
        if (performance.now() - seen.at < (DURATION_S + 1) * 1000) {
          await Bun.sleep(LOOK_MS);
          continue;
        }
      }
      try {
        await writeLease(kube, namespace, service, holder, lease);
        return new HeldLease(kube, namespace, service, holder);
      } catch (error) {
        // Somebody was quicker: look again.
        if (!isConflict(error) || performance.now() > giveUpAt) throw error;
      }
    }
  }

  /** Lets others have it, after Ctrl-C too. */
  async release(): Promise<void> {
    clearInterval(this.#timer);
    await this.#renewing;
    if (this.signal.aborted) return;
    const kube = new Kube(this.#kube.connection, { patienceMs: 2000 });
    try {
      const lease = await findLease(kube, this.#namespace, this.#service);
      if (lease?.spec.holderIdentity === this.#holder)
        await writeLease(kube, this.#namespace, this.#service, '', lease);
    } catch {
      // It ends by itself.
    }
  }

  /** One at a time: the API server may take its time to answer. */
  #renew(): Promise<void> {
    this.#renewing ??= this.#write().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #write(): Promise<void> {
    try {
      const lease = await findLease(this.#kube, this.#namespace, this.#service);
      const other = lease?.spec.holderIdentity;
      if (other !== this.#holder) return this.#lose(`the Lease is ${other ? `${other}'s` : 'gone'}`);
      // It counts from when it is sent: its answer may take longer than the Lease.
      const sent = new Since();
      await writeLease(this.#kube, this.#namespace, this.#service, this.#holder, lease);
      this.#renewed = sent;
    } catch (error) {
      // A conflict is looked at again at the next turn: it is somebody else's Lease by then, or still this one's.
      if (!isConflict(error) && this.#renewed.ms > DURATION_MS)
        this.#lose(error instanceof Error ? error.message : String(error));
    }
  }

  #lose(why: string): void {
    clearInterval(this.#timer);
    this.#lost.abort(
      new InlayError('RELEASE_BUSY', `${this.#namespace}/${this.#service} is no longer this program's: ${why}`, {
        hint: 'Nothing more was changed. inlay status tells where the release is, and the same command goes on with it.',
      }),
    );
  }
}

/** Who holds a service now; undefined when nobody does. */
export async function holderOf(kube: Kube, namespace: string, service: string): Promise<Holder | undefined> {
  const lease = await findLease(kube, namespace, service);
  const name = lease?.spec.holderIdentity;
  return !lease || !name || stale(kube, lease, DURATION_MS)
    ? undefined
    : { name, renewedAt: lease.spec.renewTime ?? undefined };
}

function findLease(kube: Kube, namespace: string, service: string): Promise<Lease | undefined> {
  return kube.find(leaseSchema, RESOURCES.lease, journalName(service), namespace);
}

async function writeLease(
  kube: Kube,
  namespace: string,
  service: string,
  holder: string,
  lease?: Lease,
): Promise<void> {
  const now = new Date(kube.now).toISOString().replace('Z', '000Z');
  const taken = lease?.spec.holderIdentity !== holder;
  const object = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name: journalName(service),
      namespace,
      labels: { 'app.kubernetes.io/managed-by': 'inlay', [SERVICE_LABEL]: service },
      ...(lease ? { resourceVersion: lease.metadata.resourceVersion } : {}),
    },
    spec: {
      holderIdentity: holder,
      leaseDurationSeconds: DURATION_S,
      renewTime: now,
      acquireTime: taken ? now : lease?.spec.acquireTime,
      leaseTransitions: (lease?.spec.leaseTransitions ?? 0) + (taken ? 1 : 0),
    },
  };
  await (lease ? kube.replace(object) : kube.create(object));
}

/** Whether it is beyond doubt, clocks that differ included, that its holder is gone. */
function expired(kube: Kube, lease: Lease): boolean {
  return stale(kube, lease, DURATION_MS + SKEW_MS);
}

function stale(kube: Kube, { spec }: Lease, afterMs: number): boolean {
  const renewed = Date.parse(spec.renewTime ?? '');
  return Number.isNaN(renewed) || kube.now - renewed > afterMs;
}

/** Time since a moment, by the clock that goes on while a machine sleeps too. */
class Since {
  readonly #at = performance.now();
  readonly #wallAt = Date.now();

  /** Whichever clock says more: one stands still in a sleep, the other may be set back. */
  get ms(): number {
    return Math.max(performance.now() - this.#at, Date.now() - this.#wallAt);
  }
}
