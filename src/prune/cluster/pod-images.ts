import { z } from 'zod';

const named = z.array(z.object({ image: z.string().default('') })).default([]);

/** Of a pod's spec the images, volumes of images included (`volumes[].image`). */
export const podSpecSchema = z
  .object({
    containers: named,
    initContainers: named,
    ephemeralContainers: named,
    volumes: z.array(z.object({ image: z.object({ reference: z.string().default('') }).optional() })).default([]),
  })
  .transform(({ containers, initContainers, ephemeralContainers, volumes }): readonly string[] =>
    [
      ...[...containers, ...initContainers, ...ephemeralContainers].map(({ image }) => image),
      ...volumes.flatMap(({ image }) => image?.reference ?? []),
    ].filter((image) => image !== ''),
  );

const statuses = z.array(z.object({ image: z.string().default(''), imageID: z.string().default('') })).default([]);

/** What a pod's containers run, as the node says. */
export const podStatusSchema = z
  .object({ containerStatuses: statuses, initContainerStatuses: statuses, ephemeralContainerStatuses: statuses })
  .prefault({})
  .transform(({ containerStatuses, initContainerStatuses, ephemeralContainerStatuses }) =>
    [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses].filter(
      ({ imageID }) => imageID !== '',
    ),
  );

export const templateSchema = z.object({ spec: podSpecSchema });
