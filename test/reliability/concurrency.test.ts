import { RotateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import { full } from '../choice.ts';
import { startTestEnvironment, type TestEnvironment } from '../harness.ts';
import { brokenHandler } from './broken-handler.ts';

/** Opens when `count` have come to it. */
function barrier(count: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let arrived = 0;
  return () => {
    arrived += 1;
    if (arrived === count) resolve();
    return promise;
  };
}

const isSlot = (operation: string, input: unknown) =>
  operation === 'PutSecretValue' && 'armed_by' in JSON.parse((input as { SecretString: string }).SecretString);

/** Two invocations of createSecret under one token that both reach for the slot at the same moment. */
async function twoAtTheSlot(
  handler?: string,
): Promise<{ environment: TestEnvironment; outcomes: (string | undefined)[] }> {
  const slot = barrier(2);
  const press = barrier(handler ? 2 : 1);
  const environment = await startTestEnvironment({
    ...(handler && { environment: { HANDLER: handler } }),
    secretsManager: {
      async intercept(operation, input) {
        if (isSlot(operation, input)) await slot();
        return undefined;
      },
    },
    provider: {
      async intercept(name) {
        if (name.endsWith('/rotate-secret')) await press();
        return undefined;
      },
    },
  });
  const token = await environment.begin();
  const outcomes = await Promise.all([
    environment.step('createSecret', token),
    environment.step('createSecret', token),
  ]);
  return { environment, outcomes };
}

const presses = ({ provider }: TestEnvironment) => provider.provider.counters.presses;

describe('at most one press, and the loser ends with category concurrency', () => {
  it('two invocations with one token that reach for the slot at the same moment', async () => {
    const { environment, outcomes } = await twoAtTheSlot();
    expect(presses(environment)).toBe(1);
    expect(outcomes).toContain(undefined);
    expect(outcomes.find((message) => message)).toMatch(
      /^\[concurrency\] another invocation holds the slot of attempt 1; pressed: unknown; next: none/,
    );
  });

  it('would be noticed: without the mutex both press', async () => {
    const broken = await brokenHandler(
      'lambda/rotation/1c-slot.ts',
      "if (outcome === 'conflict')",
      'if (outcome !== outcome)',
    );
    try {
      const { environment } = await twoAtTheSlot(broken.handler);
      expect(presses(environment)).toBe(2);
    } finally {
      await broken.remove();
    }
  });

  it('two rotations of the same AWSCURRENT: the first, whose AWSPENDING was taken away, meets the slot of the second', async () => {
    const reached = Promise.withResolvers<number>();
    let environment: TestEnvironment | undefined;
    environment = await startTestEnvironment({
      messaging: {
        // Asked just before the slot. The first is stopped here: a call that is held back would be given up.
        async intercept(action) {
          const [child] = environment?.fn.running ?? [];
          if (action !== 'GetTopicAttributes' || !child?.pid) return undefined;
          process.kill(child.pid, 'SIGSTOP');
          reached.resolve(child.pid);
          environment = undefined;
          return undefined;
        },
      },
    });
    const test = environment;
    const first = await test.begin();
    const losing = test.step('createSecret', first);
    const stopped = await reached.promise;
    await test.drop('AWSPENDING');
    const second = await test.begin();
    expect(await test.step('createSecret', second)).toBeUndefined();
    process.kill(stopped, 'SIGCONT');
    expect(await losing).toMatch(/^\[concurrency\] another invocation holds the slot/);
    expect(presses(test)).toBe(1);
    expect(await test.labels()).toMatchObject({ AWSPENDING: second, ROTATED_DUE: second });
  });

  it.runIf(full)('a deployment’s test that Secrets Manager has given up, beside a rotation', async () => {
    const inPortal = Promise.withResolvers<void>();
    const rotated = Promise.withResolvers<void>();
    const givenUp = Promise.withResolvers<never>();
    let testing: Promise<unknown> | undefined;
    let environment: TestEnvironment | undefined;
    environment = await startTestEnvironment({
      secretsManager: {
        invoke: (event) => {
          if (event.Step !== 'testSecret') return Promise.reject(new Error('the test runs the steps'));
          testing = environment?.step(event.Step, event.ClientRequestToken);
          return givenUp.promise;
        },
      },
      provider: {
        async intercept(name) {
          // The first to come is the test; the rotation begins after it.
          if (name !== 'GET /login' || environment?.provider.provider.counters.logins.attempts !== 0) return undefined;
          inPortal.resolve();
          await rotated.promise;
          return undefined;
        },
      },
    });
    const { secretsManager, secrets, service } = environment;
    const RotationLambdaARN = 'arn:aws:lambda:us-east-1:000000000000:function:rotate';
    await secretsManager.send(
      new RotateSecretCommand({ SecretId: secrets.rotated, RotateImmediately: false, RotationLambdaARN }),
    );
    await inPortal.promise;
    givenUp.reject(new Error('timed out'));
    await service.rotationSettled(secrets.rotated);
    // What the test holds back would hold the rotation back as well: a login makes the difference.
    environment.provider.provider.counters.logins.attempts += 1;
    const token = await environment.begin();
    expect(await environment.step('createSecret', token)).toBeUndefined();
    rotated.resolve();
    // On a slow machine the page that was held back is given up.
    expect(await testing).toMatch(/^\[(concurrency|portal-unavailable|timeout)\]/);
    for (const step of ['setSecret', 'testSecret', 'finishSecret'])
      expect(await environment.step(step, token)).toBeUndefined();
    expect(presses(environment)).toBe(1);
    expect(await environment.labels()).toMatchObject({ AWSCURRENT: token });
  });
});
