import { afterAll, describe, expect, it } from 'vitest';
import { chosen, full } from '../choice.ts';
import { recordResult } from '../record-results.ts';
import { brokenHandler } from './broken-handler.ts';
import { faultsOf } from './faults.ts';
import { recordedCalls, startFaultyRotation } from './faulty-rotation.ts';

const recorded = await recordedCalls();
const beganMs = performance.now();
const cases = recorded.flatMap(({ service, what, occurrence }) =>
  faultsOf({ service, what }).map((fault) => ({
    name: `${what} #${occurrence}: ${fault.name}`,
    what,
    occurrence,
    fault,
  })),
);
const seen = { cases: 0, reached: 0, rotatedAgain: 0 };

it('the calls of a rotation are known, the press and both writes among them', () => {
  for (const essential of [
    'createSecret: PutSecretValue bridge',
    'createSecret: POST /account/developer-tools/rotate-secret',
    'createSecret: PutSecretValue client',
    'finishSecret: UpdateSecretVersionStage client AWSCURRENT',
    'finishSecret: Publish rotated',
  ])
    expect(recorded.map(({ what }) => what)).toContain(essential);
});

describe('whatever happens to one call, no secret is lost, the button is pressed once, and one more rotation succeeds', () => {
  it.concurrent.each(chosen(cases, 8))('$name', async ({ what, occurrence, fault }) => {
    const rotation = await startFaultyRotation();
    try {
      rotation.aim({ what, occurrence }, fault);
      const ended = await rotation.rotate();
      expect(await rotation.violations(ended)).toEqual([]);
      seen.cases += 1;
      if (rotation.happened() > 0) seen.reached += 1;
      if (ended !== 'succeeded') seen.rotatedAgain += 1;
    } finally {
      await rotation.close();
    }
  });
});

const mistakes = [
  {
    name: 'a press before its slot',
    file: 'lambda/rotation/1d-press.ts',
    right: '    const slotBeganMs = await takeSlot(run, ports, found);',
    wrong: '    await dialog.press(run.signal);\n    const slotBeganMs = await takeSlot(run, ports, found);',
    at: 'createSecret: PutSecretValue bridge',
    fault: '400 EncryptionFailure',
    noticed: /pressed: no, after a press/,
  },
  {
    name: 'an event that is crossed off before it is published',
    file: 'lambda/rotation/rotated-due.ts',
    right: '  await ports.events.publish({',
    wrong: '  await dropLabel(run, ports, rotatedDue, versionId);\n  await ports.events.publish({',
    at: 'finishSecret: Publish rotated',
    fault: 'dies before it',
    noticed: /the move of AWSCURRENT to \S+ was told under 0 ids/,
  },
  {
    name: 'a move before the test',
    file: 'lambda/rotation/1e-store.ts',
    right: "labels: ['AWSPENDING', rotatedDue],",
    wrong: "labels: ['AWSCURRENT', 'AWSPENDING', rotatedDue],",
    at: 'createSecret: PutSecretValue client',
    fault: 'dies after it',
    noticed: /whose client secret the token endpoint had not accepted/,
  },
];

describe('would be noticed', () => {
  it.each(chosen(mistakes, 1))('$name', async ({ name, file, right, wrong, at, fault, noticed }) => {
    const broken = await brokenHandler(file, right, wrong);
    const rotation = await startFaultyRotation({ handler: broken.handler });
    try {
      const injected = cases.find((one) => one.what === at && one.fault.name === fault)?.fault;
      if (!injected) throw new Error(`no call ${at}, or no fault ${fault}`);
      rotation.aim({ what: at, occurrence: 1 }, injected);
      const violations = await rotation.violations(await rotation.rotate());
      expect(violations.join('\n')).toMatch(noticed);
      const outcome = `caught: ${violations.find((violation) => noticed.test(violation))}`;
      recordResult({ level: 'effects', what: `broken variant: ${name}`, cases: 1, outcome, seconds: 0 });
    } finally {
      await rotation.close();
      await broken.remove();
    }
  });
});

afterAll(() => {
  recordResult({
    level: 'effects',
    what: `one fault at one of the ${recorded.length} calls of a rotation (${full ? 'all' : 'a sample'} of ${cases.length} cases)`,
    cases: seen.cases,
    outcome: `every invariant held; ${seen.reached} faults happened, ${seen.rotatedAgain} rotations needed another`,
    seconds: Math.round((performance.now() - beganMs) / 1000),
  });
});
