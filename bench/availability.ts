/**
 * What rotations cost consumers: six ways to get a token, side by side, under load, while the real handler rotates the simulated provider's
 * client secret with a real Chromium. Prints a table, draws docs/availability.svg with `--write`, and exits with 1 where the library failed a call, or
 * fewer rotations were pressed than asked for.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { chart } from './availability/chart.ts';
import { measure } from './availability/measure.ts';
import { judge, readmeBlock, summary, table } from './availability/results.ts';

const { values } = parseArgs({
  options: {
    'true-scale': { type: 'string', default: '10' },
    scaled: { type: 'string', default: '40' },
    calls: { type: 'string', default: '100000' },
    write: { type: 'boolean', default: false },
  },
});
const whole = (name: 'true-scale' | 'scaled' | 'calls') => {
  const number = Number(values[name]);
  if (!Number.isInteger(number) || number < 0) throw new RangeError(`--${name} is a whole number, not ${values[name]}`);
  return number;
};
const rotations = { trueScale: whole('true-scale'), scaled: whole('scaled') };
const all = rotations.trueScale + rotations.scaled;
if (all === 0) throw new RangeError('--true-scale and --scaled are both 0');

const common = {
  calls: Math.ceil(whole('calls') / (Number(rotations.trueScale > 0) + Number(rotations.scaled > 0))),
  killEvery: 4,
  warmUpSeconds: 30,
  consumers: 20,
  onProgress: (text: string) => process.stderr.write(`${new Date().toISOString()} ${text}\n`),
};
// At once: most of a rotation at true scale is waiting.
const measured = await Promise.all(
  [
    {
      ...{ ...common, name: 'true scale', factor: 1, rotations: rotations.trueScale },
      ...{ tokenLifeSeconds: 600, expectedRotationSeconds: 100, rotationWait: 60_000 },
    },
    {
      ...{ ...common, name: 'a tenth', factor: 0.1, rotations: rotations.scaled },
      ...{ tokenLifeSeconds: 60, expectedRotationSeconds: 25, rotationWait: 6_000 },
    },
  ]
    .filter((setting) => setting.rotations > 0)
    .map(measure),
);

process.stdout.write(`${table(measured)}\n${summary(measured).join('\n')}\n`);
if (values.write) {
  writeFileSync('docs/availability.svg', chart(measured));
  const block = `<!-- availability -->\n\n${readmeBlock(measured)}\n\n<!-- /availability -->`;
  const readme = readFileSync('README.md', 'utf8');
  writeFileSync(
    'README.md',
    readme.replace(/<!-- availability -->[\s\S]*<!-- \/availability -->/, () => block),
  );
}
const faults = judge(measured);
process.stdout.write(faults.length === 0 ? 'The library held.\n' : `${faults.join('\n')}\n`);
process.exitCode = faults.length === 0 ? 0 : 1;
