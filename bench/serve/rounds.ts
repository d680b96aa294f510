/** A measure that failed; its server takes no part in later rounds. */
export interface Failure {
  readonly name: string;
  readonly reason: string;
}

export interface Rounds<T> {
  /** By name, one value a round: the same index is the same round. */
  readonly values: ReadonlyMap<string, readonly T[]>;
  readonly failures: readonly Failure[];
}

/** Measures in turn, A B C A B C …, so that a busy minute of the machine meets all of them. */
export async function interleave<T>(
  rounds: number,
  measures: Readonly<Record<string, (round: number) => Promise<T>>>,
  onProgress: (text: string) => void,
): Promise<Rounds<T>> {
  const values = new Map<string, T[]>(Object.keys(measures).map((name) => [name, []]));
  const failures: Failure[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const [name, measure] of Object.entries(measures)) {
      if (failures.some((failure) => failure.name === name)) continue;
      onProgress(`round ${round + 1} of ${rounds}: ${name}`);
      try {
        values.get(name)?.push(await measure(round));
      } catch (error) {
        failures.push({ name, reason: (error as Error).message });
      }
    }
  }
  return { values, failures };
}
