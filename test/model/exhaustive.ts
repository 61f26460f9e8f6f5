import { calm, describeHistory, live } from './histories.ts';
import { type Boundary, type Conduct, type Fault, type FaultKind, faultKinds } from './world.ts';

/** What was gone through, and the first history in which something is wrong. */
export interface Explored {
  histories: number;
  /** Different ones, after an effect that changes something. */
  states: number;
  counterexample: string | undefined;
}

/** Where a fault of this kind makes a difference. */
type Place = (boundary: Boundary) => boolean;

const afterAny: Place = ({ name }) => name.startsWith('after');
const afterChange: Place = ({ name, changes }) => changes && name.startsWith('after');
const aroundChange: Place = (boundary) => afterAny(boundary) || boundary.changes;

/**
 * A death between two changes is the same wherever it is; a read that fails is the same as one whose answer is lost; what the world
 * does between two effects of an invocation is the same before the second as after the first.
 */
const places: Record<FaultKind, Place> = {
  die: afterChange,
  error: ({ name, changes }) => changes || name.startsWith('before'),
  'given-up': afterAny,
  overtaken: aroundChange,
  cancelled: aroundChange,
  'hand-rotation': afterAny,
  preflight: afterAny,
  deployment: afterAny,
  'password-changed': ({ name }) => name === 'before: log in',
};

/** A fault that may happen. */
interface Round {
  kinds: readonly FaultKind[];
  /** For how long one that is overtaken or cancelled stands still. */
  pausesMs: readonly number[];
  /** Only at boundaries of this name. */
  at?: RegExp;
  /** Also within a look that only repeats the one before. */
  repeats?: boolean;
}

/**
 * Goes through every history of one rotation and one retry with at most one fault of each round, each later than those before it.
 */
export async function explore({ conditions, rounds }: Search): Promise<Explored> {
  const states = new Set<string>();
  let histories = 0;

  /** @returns the first history in which something is wrong */
  async function from(conduct: Conduct, left: readonly Round[]): Promise<string | undefined> {
    const world = await live(conduct, [1]);
    histories += 1;
    for (const state of world.states) states.add(state);
    if (world.wrong.length > 0) return describeHistory(conduct, world);
    for (const [index, round] of left.entries()) {
      if (left.indexOf(round) < index) continue;
      for (const fault of faultsOf(round, world.boundaries, conduct.faults.at(-1)?.boundary ?? 0)) {
        const wrong = await from({ ...conduct, faults: [...conduct.faults, fault] }, left.slice(index + 1));
        if (wrong) return wrong;
      }
    }
    return undefined;
  }

  for (const condition of conditions) {
    const counterexample = await from({ ...calm, ...condition }, rounds);
    if (counterexample) return { histories, states: states.size, counterexample };
  }
  return { histories, states: states.size, counterexample: undefined };
}

function faultsOf({ kinds, pausesMs, at, repeats }: Round, boundaries: readonly Boundary[], after: number): Fault[] {
  return boundaries.flatMap((boundary, index) => {
    const number = index + 1;
    if (number <= after || (at && !at.test(boundary.name))) return [];
    if (!repeats && boundaries[index - 2]?.name === boundary.name) return [];
    return kinds
      .filter((kind) => places[kind](boundary))
      .flatMap((kind) => {
        const pauses = kind === 'overtaken' || kind === 'cancelled' ? pausesMs : [0];
        return pauses.map((pauseMs): Fault => ({ boundary: number, kind, pauseMs }));
      });
  });
}

const slow = { oldDiesAfterMs: 30_000, newLivesAfterMs: 30_000 };

/** The corners of how a provider and the services can behave. */
const providers = {
  'a calm provider': {},
  'a slow provider, lagging reads': { ...slow, fieldLagsMs: [9_000], readLagMs: 2_000, clockSkewMs: 10_000 },
  'a field that goes back and forth': { oldDiesAfterMs: 30_000, fieldLagsMs: [0, 9_000], clockSkewMs: -10_000 },
  'a press that takes effect late, a browser slow to close': {
    newLivesAfterMs: 30_000,
    presses: ['late', 'at-once'],
    clockSkewMs: 10_000,
    closeMs: 60_000,
  },
  'a press without effect': { ...slow, presses: ['never', 'late'], readLagMs: 2_000, order: 'one-at-a-time' },
} satisfies Record<string, Partial<Conduct>>;

const everyProvider = Object.values(providers);

const all: Round = {
  kinds: faultKinds,
  pausesMs: [20_000, 130_000],
};

/** Where two invocations meet: from reading the slots to storing. */
const meeting =
  /: (read bridge|mint|prove|open the dialog|put bridge|publish rotation-started|describe|look at|PRESS|put rotated)/;

/**
 * Two invocations in lockstep: the first stands still at each boundary around the slot while the other, of the same rotation or of the
 * next, has so many turns, of 40 ms each; then both go on.
 */
const meet = (everyTurns: number): Round => ({
  kinds: ['overtaken', 'cancelled'],
  pausesMs: Array.from({ length: Math.floor(44 / everyTurns) }, (_, index) => (index + 1) * everyTurns * 40),
  at: meeting,
});

/** Where it matters that two have met: a press that is not seen at once. */
const unseen: readonly Partial<Conduct>[] = [
  { presses: ['late'], readLagMs: 2_000 },
  { fieldLagsMs: [9_000], readLagMs: 2_000, oldDiesAfterMs: 30_000 },
  { fieldLagsMs: [3_000], order: 'one-at-a-time' },
];

const crash: Round = { kinds: ['die', 'error', 'given-up', 'overtaken'], pausesMs: [20_000] };
const crashAtChange: Round = { kinds: ['die', 'error'], pausesMs: [], at: /publish|PRESS|put|move|tag/ };
const byHand: Round = { kinds: ['hand-rotation'], pausesMs: [], at: /after: (load|look|mint|publish|PRESS|put|move)/ };

/** What is gone through: under which conditions which faults, and in words. */
export interface Search {
  what: string;
  conditions: readonly Partial<Conduct>[];
  rounds: readonly Round[];
}

/** Small enough for the suite. */
export const small: readonly Search[] = [
  ...Object.entries(providers).map(([name, provider]) => ({
    what: `one fault of each kind at each boundary, ${name}`,
    conditions: [provider],
    rounds: [all],
  })),
  { what: 'two invocations in lockstep around the slot', conditions: unseen, rounds: [meet(4)] },
];

/** All within the bounds of two faults, one retry and one hand rotation. */
export const full: readonly Search[] = [
  {
    what: 'one fault of each kind at each boundary, repeated looks too',
    conditions: everyProvider,
    rounds: [{ ...all, repeats: true }],
  },
  { what: 'two invocations in lockstep around the slot, turn by turn', conditions: unseen, rounds: [meet(1)] },
  ...Object.entries(providers).map(([name, provider]) => ({
    what: `two crashes, failures, lost answers or time-outs at any two boundaries, ${name}`,
    conditions: [provider],
    rounds: [crash, crash],
  })),
  ...[
    [byHand, crashAtChange, crashAtChange],
    [crashAtChange, byHand, crashAtChange],
    [crashAtChange, crashAtChange, byHand],
  ].map((rounds) => ({
    what: `two crashes, failures or lost answers at any changes, and a hand rotation ${['before', 'between', 'after'][rounds.indexOf(byHand)]} them`,
    conditions: everyProvider,
    rounds,
  })),
];
