import fc from 'fast-check';
import { createSecret } from '../../lambda/rotation/1-create-secret.ts';
import { setSecret } from '../../lambda/rotation/2-set-secret.ts';
import { testSecret } from '../../lambda/rotation/3-test-secret.ts';
import { finishSecret } from '../../lambda/rotation/4-finish-secret.ts';
import type { Ports } from '../../lambda/rotation/ports.ts';
import { preflight } from '../../lambda/rotation/preflight.ts';
import { RotationError } from '../../lambda/rotation/rotation-error.ts';
import { reportFailure } from '../../lambda/rotation/rotation-failed.ts';
import type { Run } from '../../lambda/rotation/run.ts';
import { type Conduct, type Ending, faultKinds, type Invocation, type Line, tokenFor, World } from './world.ts';

/** Kept of an invocation's time for its last words, as the handler does. */
const timeUpMs = 895_000;

/** Secrets Manager, Lambda and the preflight schedule: who invokes the function, and when again. */
class Service {
  readonly world: World;
  #besideNumber = 0;
  #succeeded = 0;

  constructor(conduct: Conduct) {
    this.world = new World(conduct, (beside) => {
      this.#besideNumber += 1;
      const number = this.#besideNumber;
      switch (beside.kind) {
        case 'preflight':
          return void this.preflight(`preflight ${number}`);
        case 'deployment':
          return void this.#testConfiguration(tokenFor(`test ${number}`));
        case 'rotation':
          return void this.#drive(beside.token, `rotation beside ${number}`, 1);
      }
    });
  }

  /** How many rotations have succeeded. */
  get succeeded(): number {
    return this.#succeeded;
  }

  /** A rotation: four steps, the whole again where one fails. @returns whether it succeeded */
  rotate(name: string, retries: number): Promise<boolean> {
    return this.#drive(this.world.beginRotation(tokenFor(name)), name, retries);
  }

  async #drive(token: string, name: string, retries: number): Promise<boolean> {
    // It invokes nothing before its own labels can be seen.
    await this.world.time.sleep(this.world.readLagMs);
    for (let attempt = 0; attempt <= retries; attempt++) {
      const ended = await this.#steps(token, attempt === 0 ? name : `${name}, retry ${attempt}`);
      if (ended === 'cancelled') return this.rotate(`next of ${name}`, 0);
      if (ended === 'done') {
        this.world.endRotation(token);
        this.#succeeded += 1;
        return true;
      }
      // One that was given up may still be running.
      if (ended === 'failed') await this.world.time.sleep(1_000);
    }
    return false;
  }

  async #steps(token: string, name: string): Promise<Ending> {
    for (const [step, work] of Object.entries({ createSecret, setSecret, testSecret, finishSecret })) {
      const ended = await this.#invoke(`${name}, ${step}`, work, step as Run['step'], token);
      if (ended !== 'done') return ended;
    }
    return 'done';
  }

  preflight(name: string): Promise<unknown> {
    const work = (run: Run, ports: Ports) => preflight(run, ports, { repair: true, record: true });
    return this.#invoke(name, work, 'preflight', '');
  }

  async #testConfiguration(token: string): Promise<void> {
    this.world.beginTest(token);
    await this.#invoke('deployment, testSecret', testSecret, 'testSecret', token);
    this.world.endRotation(token);
  }

  #invoke(
    name: string,
    work: (run: Run, ports: Ports) => Promise<unknown>,
    step: Run['step'],
    token: string,
  ): Promise<Ending> {
    return new Promise((end) => {
      const { world } = this;
      const time = new AbortController();
      const by = world.invocation(name, token, time.signal, end);
      void world.time.sleep(timeUpMs, by).then(() => time.abort(outOfTime));
      const run = world.run(by, step);
      const ports = world.ports(by);
      void perform(world, by, work(run, ports), run, ports).then(end);
    });
  }
}

/** What the handler does around a step. */
async function perform(world: World, by: Invocation, work: Promise<unknown>, run: Run, ports: Ports): Promise<Ending> {
  try {
    await work;
    return 'done';
  } catch (error) {
    if (!(error instanceof RotationError)) {
      world.violate(`the code is at fault: ${(error as Error).stack}`);
      return 'failed';
    }
    world.failed(by, run.step === 'preflight' ? error : await reportFailure(run, ports, error));
    return 'failed';
  } finally {
    by.endedAtMs = world.time.nowMs;
    by.gone = true;
  }
}

const outOfTime = new RotationError({
  category: 'timeout',
  what: 'the invocation is out of time',
  retryable: true,
  pressed: 'unknown',
  action: 'none if the retry succeeds',
});

/**
 * One history: rotations in which the conduct's faults happen, and then, without faults, one more, or one preflight and the rotation
 * that it starts.
 *
 * @param retries of each rotation in which things go wrong
 * @returns the world as it was left; `wrong` says what is not as it should be
 */
export async function live(conduct: Conduct, retries: readonly number[] = [2, 1]): Promise<World> {
  const service = new Service(conduct);
  const { world } = service;
  const history = async () => {
    for (const [index, own] of retries.entries()) await service.rotate(`rotation ${index + 1}`, own);
    world.stopFaults();
    // What runs on ends, and late presses take effect.
    await world.time.quiet();
    await world.time.sleep(600_000);
    world.tell('', 'no more faults', 'fault');
    if (await service.rotate('a last rotation', 0)) return;
    world.tell('', 'thirteen hours later', 'fault');
    await world.time.sleep(13 * 3_600_000);
    const { succeeded } = service;
    await service.preflight('preflight');
    // The rotation that it starts ends.
    await world.time.quiet();
    if (service.succeeded === succeeded && !(await service.rotate('the next rotation', 0)))
      world.violate('neither a rotation nor a preflight and the rotation after it succeeds');
  };
  await world.time.run(history());
  for (const wrong of world.atRest()) world.violate(wrong);
  return world;
}

export const calm: Conduct = {
  faults: [],
  presses: ['at-once'],
  oldDiesAfterMs: 0,
  newLivesAfterMs: 0,
  fieldLagsMs: [0],
  readLagMs: 0,
  clockSkewMs: 0,
  closeMs: 0,
  order: 'in-turn',
};

/** Every way in which a history can go; the first of each is the simplest, for shrinking. */
const anyConduct: fc.Arbitrary<Conduct> = fc.record({
  faults: fc.array(
    fc.record({
      boundary: fc.integer({ min: 1, max: 300 }),
      kind: fc.constantFrom(...faultKinds),
      pauseMs: fc.constantFrom(200, 600, 1_000, 1_400, 3_000, 20_000, 70_000),
    }),
    { maxLength: 4 },
  ),
  presses: fc.array(fc.constantFrom('at-once', 'late', 'never'), { minLength: 1, maxLength: 3 }),
  oldDiesAfterMs: fc.constantFrom(0, 15_000, 30_000),
  newLivesAfterMs: fc.constantFrom(0, 15_000, 30_000),
  fieldLagsMs: fc.array(fc.constantFrom(0, 3_000, 9_000), { minLength: 1, maxLength: 3 }),
  readLagMs: fc.constantFrom(0, 2_000),
  clockSkewMs: fc.constantFrom(0, -10_000, 10_000),
  closeMs: fc.constantFrom(0, 60_000),
  order: fc.constantFrom('in-turn', 'one-at-a-time'),
});

/** @returns a shrunk history in which something is wrong, in readable lines; undefined where there is none in so many runs */
export async function findCounterexample(runs: number, seed?: number): Promise<string | undefined> {
  const property = fc.asyncProperty(anyConduct, async (conduct) => (await live(conduct)).wrong.length === 0);
  const found = await fc.check(property, { numRuns: runs, ...(seed === undefined ? {} : { seed }) });
  const [conduct] = found.counterexample ?? [];
  return conduct && `seed ${found.seed}\n${describeHistory(conduct, await live(conduct))}`;
}

/** What is wrong, under which conditions, and how it came to it: reads only from the first fault on, and nothing after what went wrong. */
export function describeHistory(conduct: Conduct, world: World): string {
  const { faults, ...conditions } = conduct;
  const unlike = Object.entries(conditions).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(calm[name as keyof Conduct]),
  );
  const lines = world.history.slice(0, 1 + world.history.findLastIndex(({ kind }) => kind === 'wrong'));
  const firstFault = faults.length === 0 ? 0 : lines.findIndex(({ kind }) => kind === 'fault');
  const told = lines.filter(({ kind }, index) => kind !== 'read' || index > firstFault);
  const repeats = (line: Line | undefined, index: number) =>
    line !== undefined && line.who === told[index]?.who && line.what === told[index]?.what;
  return [
    ...world.wrong.map((wrong) => `WRONG: ${wrong}`),
    `Conditions: ${unlike.map(([name, value]) => `${name} ${value}`).join(', ') || 'all calm'}`,
    'History (* changes something, ! a fault, X wrong):',
    ...told
      // Of a line that repeats, the first and the last.
      .filter((_line, index) => !(repeats(told[index - 1], index) && repeats(told[index + 1], index)))
      .map(({ atSeconds, who, what, kind }) => {
        const mark = { read: ' ', change: '*', fault: '!', wrong: 'X' }[kind];
        return `${atSeconds.toFixed(2).padStart(10)} s ${mark} ${who.padEnd(38)} ${what}`;
      }),
    `To repeat it: live(${JSON.stringify(conduct)})`,
  ].join('\n');
}
