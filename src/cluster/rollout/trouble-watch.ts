import { IMAGE_ANNOTATION } from '../names.ts';
import { observeTrouble, podLog, type Trouble, type Workload } from '../observe/index.ts';
import type { Session } from './session.ts';
import { StepFailed } from './step-failed.ts';

/** Where pods are looked at: a session's work, or whoever only judges. */
export type Place = Pick<Session, 'kube'> & { readonly options: Pick<Session['options'], 'namespace'> };

/** What keeps the pods of one image from serving, and since when. */
export class TroubleWatch {
  readonly #place: Place;
  readonly #reference: string;
  /** When each trouble was seen first. */
  readonly #since = new Map<string, number>();

  /** @param reference the image: pods of another one, which are about to go, may have what trouble they like */
  constructor(place: Place, reference: string) {
    this.#place = place;
    this.#reference = reference;
  }

  /**
   * What there is now.
   * @param matters which of them may end the release
   * @throws StepFailed with the cause of one that has lasted longer than it may
   */
  async look(workload: Workload, matters: (trouble: Trouble) => boolean = () => true): Promise<readonly Trouble[]> {
    const { kube, options } = this.#place;
    const pods = workload.pods.filter(({ metadata }) => metadata.annotations[IMAGE_ANNOTATION] === this.#reference);
    const troubles = await observeTrouble(kube, options.namespace, { ...workload, pods });
    const keys = new Set(troubles.map(keyOf));
    for (const key of this.#since.keys()) if (!keys.has(key)) this.#since.delete(key);
    for (const trouble of troubles) {
      const first = this.#since.get(keyOf(trouble)) ?? performance.now();
      this.#since.set(keyOf(trouble), first);
      if (matters(trouble) && performance.now() - first >= trouble.patienceMs)
        throw await failedBy(this.#place, trouble);
    }
    return troubles;
  }
}

/** Crash and OOM go in turns as the kubelet backs off: it is the pod that has trouble. */
function keyOf({ object, cause }: Trouble): string {
  return `${object} ${cause}`;
}

/** The end of a step, with the likely cause. */
export async function failedBy(place: Place, trouble: Trouble): Promise<StepFailed> {
  const said = trouble.cause === 'CRASH' ? await lastWords(place, trouble.object.replace('Pod ', '')) : undefined;
  return new StepFailed(`${trouble.cause} ${trouble.object}: ${trouble.message}${said ? `: ${said}` : ''}`, {
    hint: trouble.hint,
  });
}

/** The last line that says what was wrong, of the container that ended. */
async function lastWords({ kube, options }: Place, pod: string): Promise<string | undefined> {
  for (const previous of [true, false]) {
    try {
      const lines = (await podLog(kube, options.namespace, pod, { tailLines: 20, previous })).trim().split('\n');
      const told = lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1);
      if (told) return told.slice(0, 500);
    } catch {
      // There is no earlier container, or its log is gone.
    }
  }
  return undefined;
}
