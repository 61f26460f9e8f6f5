import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { chosen } from '../choice.ts';
import { recordResult } from '../record-results.ts';
import { brokenHandler } from './broken-handler.ts';
import { type FaultyRotation, recordedCalls, startFaultyRotation } from './faulty-rotation.ts';
import { kill, processesIn } from './processes.ts';

/** The calls of a rotation without a fault: moments are told by them, since a clock differs from machine to machine. */
const calls = await recordedCalls();

const beganMs = performance.now();
const index = (what: string) => calls.findIndex((call) => call.what === what);
const [slot, stored] = [index('createSecret: PutSecretValue bridge'), index('createSecret: PutSecretValue client')];
const dense = moments(slot - 1, stored + 1, 30);
const cases = [...dense, ...moments(0, slot - 1, 15), ...moments(stored + 1, calls.length - 1, 15)];
let held = 0;
let killed = 0;

/** Spread evenly over the time between two of the calls. */
function moments(from: number, to: number, count: number) {
  const at = (call: number) => calls[call]?.atMs ?? 0;
  return Array.from({ length: count }, (_, number) => {
    const momentMs = at(from) + ((number + 0.5) / count) * (at(to) - at(from));
    const before = calls.findLastIndex(({ atMs }) => atMs <= momentMs);
    const { what = '', occurrence = 1 } = calls[before] ?? {};
    const afterMs = Math.round(momentMs - at(before));
    const whole = number % 3 !== 2;
    const name = `${afterMs} ms after ${what} #${occurrence}: ${whole ? 'the function with its browser' : 'the function, and its browser is left alone'}`;
    return { name, what, occurrence, afterMs, whole };
  });
}

function killFunction({ environment, killAll }: FaultyRotation, whole: boolean): void {
  killed += environment.fn.running.size;
  if (whole) killAll();
  else for (const { pid } of environment.fn.running) if (pid) kill(pid);
}

describe('killed at any moment and run again: nothing is lost, the button is pressed once, no process is left', () => {
  const suite = [...chosen(dense, 4), ...chosen(cases, 4)].filter((one, at, all) => all.indexOf(one) === at);
  it.each(suite)('$name', async ({ what, occurrence, afterMs, whole }) => {
    const rotation = await startFaultyRotation();
    try {
      const moment = rotation.moment('before', what, occurrence);
      const rotating = rotation.rotate();
      await moment;
      await delay(afterMs);
      killFunction(rotation, whole);
      rotation.heal();
      expect(await rotation.violations(await rotating)).toEqual([]);
      await expect.poll(() => processesIn(rotation.directory), { timeout: 60_000 }).toEqual([]);
      held += 1;
    } finally {
      await rotation.close();
    }
  });

  afterAll(() => {
    recordResult({
      level: 'processes',
      what: `SIGKILL at ${dense.length} moments around the press and ${cases.length - dense.length} others, with and without the browser`,
      cases: held,
      outcome: `every invariant held; ${killed} processes were killed, no process was left`,
      seconds: Math.round((performance.now() - beganMs) / 1000),
    });
  });
});

it('a press before its slot would be noticed', async () => {
  const broken = await brokenHandler(
    'lambda/rotation/1d-press.ts',
    '    const slotBeganMs = await takeSlot(run, ports, found);',
    '    await dialog.press(run.signal);\n    const slotBeganMs = await takeSlot(run, ports, found);',
  );
  const rotation = await startFaultyRotation({ handler: broken.handler });
  try {
    const pressed = rotation.moment('after', 'createSecret: POST /account/developer-tools/rotate-secret', 1);
    const rotating = rotation.rotate();
    await pressed;
    rotation.killAll();
    rotation.heal();
    const violations = await rotation.violations(await rotating);
    expect(violations.join('\n')).toMatch(/pressed: no, after a press/);
    const outcome = `caught: ${violations[0]}`;
    recordResult({
      level: 'processes',
      what: 'broken variant: a press before its slot',
      cases: 1,
      outcome,
      seconds: 0,
    });
  } finally {
    await rotation.close();
    await broken.remove();
  }
});
