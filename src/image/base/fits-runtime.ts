import type { RuntimeNeeds } from '../runtime/needs.ts';
import type { BaseImageFacts } from './image-facts.ts';

/** Why Bun and ONNX Runtime cannot run on what an image holds, and what to do; undefined when they can. */
export function whyUnfit(
  facts: BaseImageFacts,
  needs: RuntimeNeeds,
): { readonly why: string; readonly hint: string } | undefined {
  const { prettyName } = facts.os;
  if (facts.musl && facts.libraries['libc.so.6'] === undefined)
    return {
      why: `it is ${prettyName}, whose C library is musl: Bun and ONNX Runtime are built for glibc`,
      hint: `Take an image of Debian, Ubuntu or Red Hat's family, or a distroless cc image.`,
    };
  const names = Object.keys(needs.libraries);
  const missing = names.filter((name) => facts.libraries[name] === undefined);
  if (missing.length > 0)
    return {
      why: `it is ${prettyName} and lacks ${missing.join(', ')}`,
      hint: missing.includes('libc.so.6')
        ? 'It has no C library. Take a distroless cc image, or one of Debian or Ubuntu.'
        : 'Take an image with libstdc++ and libgcc: distroless cc rather than base, or install libstdc++6 in it.',
    };
  const old = names.flatMap((name) => {
    const lacking = needs.libraries[name]?.filter((version) => !facts.libraries[name]?.includes(version)) ?? [];
    const newest = lacking.toSorted(byVersion).at(-1);
    return newest === undefined ? [] : [`${name} lacks ${newest} (it has up to ${newestOf(facts, name, newest)})`];
  });
  if (old.length === 0) return undefined;
  return {
    why: `it is ${prettyName}, which is too old for Bun and ONNX Runtime: ${old.join('; ')}`,
    hint: 'Take a newer image: Debian 10, Ubuntu 20.04, Red Hat 8 and all that came after them will do.',
  };
}

function newestOf(facts: BaseImageFacts, library: string, like: string): string {
  const family = like.replace(/[\d.]+$/, '');
  const numbered = new RegExp(`^${family}\\d[\\d.]*$`);
  return (
    facts.libraries[library]
      ?.filter((version) => numbered.test(version))
      .toSorted(byVersion)
      .at(-1) ?? 'none'
  );
}

const byVersion = (a: string, b: string) => a.localeCompare(b, 'en', { numeric: true });
