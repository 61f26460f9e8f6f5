import { describe, expect, it } from 'vitest';
import { startTestEnvironment } from '../../harness.ts';

describe('setSecret', () => {
  it.each([
    ['no client_secret', { client_secret: undefined }, /has no client_secret/],
    [
      'another client',
      { client_secret: 'another-client-secret', client_id: 'f'.repeat(32) },
      /is for another client_id than AWSCURRENT/,
    ],
  ])('AWSPENDING with %s is given up: its value cannot be changed', async (_what, change, message) => {
    const environment = await startTestEnvironment();
    const token = await environment.begin();
    const value = { ...(await environment.value({ label: 'AWSCURRENT' })), ...change };
    await environment.put(environment.secrets.rotated, value, { version: token, labels: ['AWSPENDING'] });
    expect(await environment.step('setSecret', token)).toMatch(message);
    expect(await environment.labels()).not.toHaveProperty('AWSPENDING');
  });
});

describe('testSecret', () => {
  it('waits out a new client secret that the token endpoint does not know yet', async () => {
    const environment = await startTestEnvironment({
      provider: { propagation: { oldDiesAfterMs: 0, newLivesAfterMs: 2_000 } },
      portalProfile: { times: { propagationMs: 2_000, lateEffectMs: 400, secondLookMarginMs: 200 } },
    });
    const token = await environment.begin();
    expect(await environment.step('createSecret', token)).toBeUndefined();
    expect(await environment.step('testSecret', token)).toBeUndefined();
    expect(environment.facts()).toContain('tested');
  });

  it('a new client secret that stays rejected is superseded: AWSPENDING comes off, and the next rotation adopts', async () => {
    const environment = await startTestEnvironment();
    const token = await environment.begin();
    expect(await environment.step('createSecret', token)).toBeUndefined();
    environment.provider.provider.rotateByHand();
    expect(await environment.step('testSecret', token)).toMatch(
      /^\[token-endpoint\] .*superseded; pressed: unknown; next: start a rotation/,
    );
    expect(await environment.labels()).not.toHaveProperty('AWSPENDING');
    const next = await environment.begin();
    for (const step of ['createSecret', 'setSecret', 'testSecret', 'finishSecret'])
      expect(await environment.step(step, next)).toBeUndefined();
    expect(environment.provider.provider.counters.presses).toBe(1);
    expect(await environment.value({ label: 'AWSCURRENT' })).toMatchObject({
      client_secret: environment.provider.provider.issuedSecret(),
    });
  });

  it('an endpoint that gives no verdict fails retryable, and AWSPENDING stays', async () => {
    const environment = await startTestEnvironment();
    const token = await environment.begin();
    expect(await environment.step('createSecret', token)).toBeUndefined();
    environment.provider.tokenEndpointSettings.outage = true;
    expect(await environment.step('testSecret', token)).toMatch(
      /^\[token-endpoint\] .*; next: none if the retry succeeds/,
    );
    expect(await environment.labels()).toMatchObject({ AWSPENDING: token });
  });
});

describe('finishSecret', () => {
  it('publishes rotated.v1 and proves the changeover though reads lag behind the move', async () => {
    const environment = await startTestEnvironment({ secretsManager: { readLagMs: 1_500 } });
    const token = await environment.begin();
    for (const step of ['createSecret', 'setSecret', 'testSecret', 'finishSecret']) {
      // A lagging read may also say that nothing is pending yet, and then the retry succeeds.
      await expect.poll(() => environment.step(step, token), { timeout: 60_000, interval: 1 }).toBeUndefined();
    }
    const types = (await environment.events()).map(({ type }) => type.split('.').at(-2));
    expect(types.filter((type) => type !== 'rotation-failed')).toEqual(['rotation-started', 'pending', 'rotated']);
    expect(environment.facts()).toContain('proved');
    await expect.poll(() => environment.labels()).toMatchObject({ AWSCURRENT: token });
    await expect.poll(() => environment.labels()).not.toHaveProperty('ROTATED_DUE');
  });
});
