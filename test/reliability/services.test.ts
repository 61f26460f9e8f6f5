import { afterAll, describe, expect, it } from 'vitest';
import { chosen, full } from '../choice.ts';
import { recordResult } from '../record-results.ts';
import { brokenHandler } from './broken-handler.ts';
import { type Call, outagesOf } from './faults.ts';
import { recordedCalls, startFaultyRotation } from './faulty-rotation.ts';

const recorded = await recordedCalls();

const beganMs = performance.now();
let done = 0;

const names = recorded.map(({ what }) => what);
const pressed = names.indexOf('createSecret: POST /account/developer-tools/rotate-secret');
const operations = recorded.filter(({ what }, at) => names.indexOf(what) === at);
/** What is retried until the deadline: see "deadlines" below. */
const storing = 'createSecret: PutSecretValue client';

const cases = operations
  .filter(({ what }) => what !== storing)
  .flatMap((call) => outagesOf(call).map((fault) => ({ name: `${call.what}: ${fault.name}`, call, fault })));

/** The categories that such an outage may end in; none where the step gets along without this call. */
function expected({ service, what }: Call, fault: string): RegExp {
  const isSlot = what === 'createSecret: PutSecretValue bridge';
  const isDenied = /Denied|Expired|Decryption|Encryption|Authorization|KMS/.test(fault);
  if (service === 'sns') return isDenied ? /permission/ : /event|configuration/;
  if (service === 'token-endpoint') return /token-endpoint/;
  if (service === 'portal') return /portal-unavailable|portal-changed|login|timeout/;
  if (isSlot && /ResourceExists/.test(fault)) return /concurrency/;
  if (/NotFound/.test(fault)) return /configuration|secret-store/;
  if (isDenied) return /permission/;
  return /secret-store|configuration/;
}

describe('a service that goes on failing: a typed error that names what to do, no press where storing is in doubt, and all is well afterwards', () => {
  it.concurrent.each(chosen(cases, 1))('$name', async ({ call, fault }) => {
    const rotation = await startFaultyRotation({ retries: 0 });
    const { environment, ledger } = rotation;
    try {
      const failures: string[] = [];
      environment.service.onEvent(({ reason }) => reason && failures.push(reason));
      rotation.aim({ what: call.what }, fault);
      const outcome = await rotation.rotate();
      for (const failure of failures) {
        expect(failure).toMatch(/^\[[\w-]+\] .+; pressed: (yes|no|unknown); next: .+/);
        expect(/^\[([\w-]+)\]/.exec(failure)?.[1]).toMatch(expected(call, fault.name));
      }
      expect(failures.length > 0).toBe(outcome !== 'succeeded');
      const first = names.indexOf(call.what);
      if (outcome !== 'succeeded' && first < pressed) expect(ledger.requests).toEqual([]);
      if (ledger.requests.length > 0) for (const failure of failures) expect(failure).not.toContain('pressed: no');
      expect(await rotation.violations(outcome)).toEqual([]);
      done += 1;
    } finally {
      await rotation.close();
    }
  });

  it('a step after the press that cannot read the secret does not claim that nothing was pressed', async () => {
    const rotation = await startFaultyRotation({ retries: 0 });
    try {
      const act = { status: 400, type: 'AccessDeniedException', message: 'injected' };
      const denied = { name: 'denied', when: 'before', act, times: Number.POSITIVE_INFINITY } as const;
      rotation.aim({ what: 'setSecret: DescribeSecret client' }, denied);
      expect(await rotation.rotate()).toBe('failed');
      const failed = (await rotation.environment.events()).filter(({ type }) => type.includes('rotation-failed'));
      expect(failed.map(({ data }) => data.pressed)).toEqual(['unknown']);
    } finally {
      await rotation.close();
    }
  });

  it.runIf(full)(
    'the service’s clock ten minutes ahead: an unfinished slot looks young, and nothing is pressed twice',
    async () => {
      const rotation = await startFaultyRotation({ retries: 0, hoursLater: 0, timeoutMs: 60_000 });
      try {
        rotation.environment.setClockOffset(600_000);
        const taken = rotation.moment('after', 'createSecret: PutSecretValue bridge', 1);
        const rotating = rotation.rotate();
        await taken;
        rotation.killAll();
        expect(await rotating).toBe('failed');
        const token = rotation.ledger.token;
        expect(await rotation.environment.step('createSecret', token)).toMatch(/^\[concurrency\] a press was armed/);
        expect(rotation.ledger.requests).toEqual([]);
      } finally {
        await rotation.close();
      }
    },
  );

  afterAll(() => {
    recordResult({
      level: 'services',
      what: `each of ${operations.length} operations failing in each documented way for a whole rotation (${cases.length} in full)`,
      cases: done,
      outcome: 'typed errors; nothing pressed where storing was in doubt; every invariant held afterwards',
      seconds: Math.round((performance.now() - beganMs) / 1000),
    });
  });
});

describe('deadlines', () => {
  it('with too little time left for a whole changeover no slot is taken and nothing pressed', async () => {
    const rotation = await startFaultyRotation({ retries: 0, timeoutMs: 34_000 });
    const { environment, ledger } = rotation;
    try {
      const failures: string[] = [];
      environment.service.onEvent(({ reason }) => reason && failures.push(reason));
      expect(await rotation.rotate()).toBe('failed');
      expect(failures).toEqual([
        expect.stringMatching(/^\[timeout\] a changeover needs \d+ ms .*; pressed: no; next: /),
      ]);
      expect(ledger.requests).toEqual([]);
      expect(await environment.value({ label: 'AWSCURRENT' }, environment.secrets.bridge)).toBeUndefined();
    } finally {
      await rotation.close();
    }
  });

  const act = { status: 500, type: 'InternalServiceError', message: 'injected' };
  const failsTenTimes = { name: 'fails ten times', when: 'before', act, times: 10 } as const;

  it('after the press a store that fails for longer than the SDK tries is tried on, and succeeds', async () => {
    const rotation = await startFaultyRotation({ retries: 0 });
    try {
      rotation.aim({ what: storing }, failsTenTimes);
      expect(await rotation.rotate()).toBe('succeeded');
      expect(rotation.happened()).toBe(10);
      expect(rotation.ledger.requests).toHaveLength(1);
      expect(await rotation.violations('succeeded')).toEqual([]);
    } finally {
      await rotation.close();
    }
  });

  it('a store that is tried once would be noticed', async () => {
    const once = "      ports.log('not-stored', { error });\n";
    const broken = await brokenHandler('lambda/rotation/1e-store.ts', once, '      throw error;\n');
    const rotation = await startFaultyRotation({ retries: 0, handler: broken.handler });
    try {
      rotation.aim({ what: storing }, failsTenTimes);
      const outcome = await rotation.rotate();
      expect(outcome).toBe('failed');
      const what = 'broken variant: a store that is tried once';
      recordResult({ level: 'services', what, cases: 1, outcome: `caught: the rotation ${outcome}`, seconds: 0 });
    } finally {
      await rotation.close();
      await broken.remove();
    }
  });

  it.runIf(full)(
    'a store that fails until the last moment ends in a typed error before Lambda kills it, and is adopted',
    async () => {
      const rotation = await startFaultyRotation({ retries: 0, timeoutMs: 60_000 });
      const { environment, ledger } = rotation;
      try {
        const failures: string[] = [];
        environment.service.onEvent(({ reason }) => reason && failures.push(reason));
        const act = { status: 400, type: 'AccessDeniedException', message: 'injected' };
        rotation.aim({ what: storing }, { name: 'denied', when: 'before', act, times: Number.POSITIVE_INFINITY });
        const outcome = await rotation.rotate();
        expect(failures).toEqual([
          expect.stringMatching(
            /^\[permission\] the new client secret could not be stored: .*; pressed: yes; next: mend/,
          ),
        ]);
        expect(rotation.happened()).toBeGreaterThan(5);
        expect(await rotation.violations(outcome)).toEqual([]);
        expect(ledger.requests).toHaveLength(1);
      } finally {
        await rotation.close();
      }
    },
  );
});
