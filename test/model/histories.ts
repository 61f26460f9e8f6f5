import fc from 'fast-check';
import { createSecret } from '../../lambda/rotation/1-create-secret.ts';
import { setSecret } from '../../lambda/rotation/2-set-secret.ts';
import { testSecret } from '../../lambda/rotation/3-test-secret.ts';
import { finishSecret } from '../../lambda/rotation/4-finish-secret.ts';
import type { Ports } from '../../lambda/rotation/ports.ts';
import { preflight } from '../../lambda/rotation/preflight.ts';
import type { Run } from '../../lambda/rotation/run.ts';
import { type Conduct, type Invocation, tokenFor, World } from './world.ts';

const steps = { createSecret, setSecret, testSecret, finishSecret };

/** Runs the work in the world until it ends, dies, or is given up. @returns whether it succeeded */
async function invoke(
  world: World,
  name: string,
  work: (run: Run, ports: Ports) => Promise<unknown>,
  step: Run['step'],
  token: string,
) {
  const invocation: Invocation = {
    name,
    dead: false,
    givenUp: undefined,
    startedAtMs: world.nowMs,
    signal: new AbortController().signal,
  };
  let outcome: boolean | undefined;
  invocation.givenUp = () => {
    outcome ??= false;
  };
  work(world.run(invocation, step, token), world.ports(invocation)).then(
    () => {
      outcome ??= true;
    },
    (error: Error) => {
      world.history.push(`  ${name} failed: ${error.message}`);
      if (!('category' in error)) world.history.push(String(error.stack));
      outcome ??= false;
    },
  );
  await settle(world, () => outcome !== undefined);
  return outcome === true;
}

/** Lets everybody run; time passes only where nobody can. */
async function settle(world: World, done: () => boolean): Promise<void> {
  for (let idle = 0; !done(); ) {
    const before = world.boundaries;
    await new Promise(setImmediate);
    idle = world.boundaries === before ? idle + 1 : 0;
    if (idle > 3) {
      if (!world.wakeNext()) return;
      idle = 0;
    }
  }
}

/** A rotation as Secrets Manager drives it: four steps, the whole again where one fails. */
async function rotate(world: World, token: string, retries: number): Promise<boolean> {
  const taken = world.beginRotation(token);
  for (let attempt = 0; attempt <= retries; attempt++) {
    let ok = true;
    for (const [name, step] of Object.entries(steps)) {
      ok = await invoke(world, `${taken.slice(0, 6)}/${attempt}/${name}`, step, name as Run['step'], taken);
      if (!ok) break;
    }
    if (ok) {
      world.endRotation(taken);
      return true;
    }
    world.nowMs += 1_000;
  }
  return false;
}

export async function live(conduct: Conduct): Promise<World> {
  const world = new World(conduct);
  await rotate(world, tokenFor(1), 2);
  await rotate(world, tokenFor(2), 1);
  world.stopFaults();
  // What runs on ends, and late presses take effect.
  await settle(world, () => false);
  world.nowMs += 600_000;
  if (!(await rotate(world, tokenFor(3), 0))) {
    world.nowMs += 13 * 3_600_000;
    await invoke(
      world,
      'preflight',
      (run, ports) => preflight(run, ports, { repair: true, record: true }),
      'preflight',
      '',
    );
    await rotate(world, tokenFor(4), 0);
  }
  return world;
}

/** What is wrong with how it ended, in words. */
export function faultsIn(world: World): string[] {
  const labels = world.labels();
  const wrong: string[] = [];
  const current = JSON.parse(world.value('AWSCURRENT') ?? '{}') as { client_secret?: string };
  if (current.client_secret !== world.validSecret) wrong.push('AWSCURRENT does not hold the valid client secret');
  if (labels.AWSPENDING) wrong.push('AWSPENDING is left behind');
  if (labels.ROTATED_DUE) wrong.push('ROTATED_DUE is left behind');
  for (const { version, accepted } of world.moves) {
    if (!accepted) wrong.push(`AWSCURRENT moved to ${version}, which the endpoint had not accepted`);
  }
  const byToken = Map.groupBy(world.presses, ({ token }) => token.slice(0, 6));
  for (const [token, presses] of byToken)
    if (presses.length > 2) wrong.push(`${presses.length} presses under ${token}`);
  const byCurrent = Map.groupBy(world.presses, ({ current }) => current);
  for (const [version, presses] of byCurrent) {
    const effective = presses.filter(({ effect }) => effect);
    if (effective.length > 1) wrong.push(`${effective.length} presses of ${version} took effect`);
  }
  const rotated = world.published.filter(({ type }) => type.endsWith('.rotated.v1')).map(({ data }) => data.version_id);
  const moved = world.moves.map(({ version }) => version);
  for (const version of moved) if (!rotated.includes(version)) wrong.push(`no rotated.v1 for ${version}`);
  for (const version of rotated)
    if (!moved.includes(version)) wrong.push(`rotated.v1 for ${version}, which never was AWSCURRENT`);
  return wrong;
}

/** Every way in which a history can go. */
export const conduct = fc.record({
  faults: fc.array(
    fc.record({
      boundary: fc.integer({ min: 1, max: 100 }),
      kind: fc.constantFrom('die', 'error', 'given-up', 'overtaken', 'hand-rotation'),
      pauseMs: fc.integer({ min: 1_000, max: 3_000 }),
    }),
    { maxLength: 4 },
  ),
  presses: fc.array(fc.constantFrom('at-once', 'late', 'never'), { minLength: 1, maxLength: 3 }),
  oldDiesAfterMs: fc.constantFrom(0, 15_000, 30_000),
  newLivesAfterMs: fc.constantFrom(0, 15_000, 30_000),
  fieldLagMs: fc.constantFrom(0, 3_000, 9_000),
  readLagMs: fc.constantFrom(0, 2_000),
  clockSkewMs: fc.constantFrom(-10_000, 0, 10_000),
}) as fc.Arbitrary<Conduct>;

export const calm: Conduct = {
  faults: [],
  presses: ['at-once'],
  oldDiesAfterMs: 0,
  newLivesAfterMs: 0,
  fieldLagMs: 0,
  readLagMs: 0,
  clockSkewMs: 0,
};

/** @returns a shrunk history in which something is wrong, in readable lines; undefined where there is none in so many runs */
export async function findCounterexample(runs: number, seed?: number): Promise<string | undefined> {
  const property = fc.asyncProperty(conduct, async (given) => {
    const world = await live(given);
    const wrong = faultsIn(world);
    if (wrong.length > 0) throw new Error([...wrong, ...world.history].join('\n'));
  });
  const found = await fc.check(property, { numRuns: runs, ...(seed === undefined ? {} : { seed }) });
  if (!found.failed) return undefined;
  const { counterexample, errorInstance, seed: usedSeed } = found;
  return [`seed ${usedSeed}`, JSON.stringify(counterexample), (errorInstance as Error).message].join('\n');
}
