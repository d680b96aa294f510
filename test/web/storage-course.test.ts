import { expect, test } from 'bun:test';
import { coursesOf } from '../../src/web/dashboard/model/storage-course.ts';

const point = (repository: string, day: number, sizeBytes: number) => ({
  at: new Date(Date.UTC(2026, 0, day)).toISOString(),
  repository,
  tags: 1,
  images: 1,
  sizeBytes,
  prunableImages: 0,
  prunableBytes: 0,
});

test('each repository has its line over the same time, the largest first', () => {
  const points = [point('a', 1, 50), point('b', 1, 10), point('a', 2, 100), point('a', 3, 0), point('b', 3, 20)];
  expect(coursesOf(points, 100, 20).map(({ repository, line }) => [repository, line])).toEqual([
    ['b', '0.0,10.0 100.0,0.0'],
    ['a', '0.0,10.0 50.0,0.0 100.0,20.0'],
  ]);
});

test('one report is a point at the end; none are no lines', () => {
  expect(coursesOf([point('a', 1, 5)], 100, 20)).toMatchObject([{ first: { sizeBytes: 5 }, line: '100.0,0.0' }]);
  expect(coursesOf([], 100, 20)).toEqual([]);
});
