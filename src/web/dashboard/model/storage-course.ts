import type { StoragePoint } from './wire.ts';

/** What a repository has held over time. */
export interface Course {
  readonly repository: string;
  readonly first: StoragePoint;
  readonly last: StoragePoint;
  /** `x,y` of each report: from 0 to `width` by time, from `height` (nothing) up to 0 (the most). */
  readonly line: string;
}

/**
 * The reports of each repository as a line; those that hold most now come first.
 * @param points oldest first @param width,height of the drawing, in its own units
 */
export function coursesOf(points: readonly StoragePoint[], width: number, height: number): Course[] {
  const times = points.map(({ at }) => Date.parse(at));
  const from = Math.min(...times);
  const span = Math.max(...times) - from;
  return [...Map.groupBy(points, ({ repository }) => repository)]
    .flatMap(([repository, own]): Course[] => {
      const [first, last] = [own[0], own.at(-1)];
      if (!first || !last) return [];
      const most = Math.max(1, ...own.map(({ sizeBytes }) => sizeBytes));
      const x = ({ at }: StoragePoint) => (span === 0 ? width : ((Date.parse(at) - from) / span) * width);
      const y = ({ sizeBytes }: StoragePoint) => height - (sizeBytes / most) * height;
      const line = own.map((point) => `${x(point).toFixed(1)},${y(point).toFixed(1)}`).join(' ');
      return [{ repository, first, last, line }];
    })
    .sort((a, b) => b.last.sizeBytes - a.last.sizeBytes || (a.repository < b.repository ? -1 : 1));
}
