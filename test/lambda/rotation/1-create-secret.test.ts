import { createHash, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { startTestEnvironment, type TestEnvironment } from '../../harness.ts';

const hourMs = 3_600_000;

/** A slot in the bridge secret as an earlier run would have left it. */
async function leaveSlot(
  environment: TestEnvironment,
  ageMs: number,
  parts: { attempt?: number; armedFor?: string } = {},
): Promise<void> {
  const { attempt = 1, armedFor = randomUUID() } = parts;
  const { AWSCURRENT: current } = await environment.labels();
  const version = createHash('sha256').update(`${environment.secrets.rotated}\n${current}\n${attempt}`).digest('hex');
  environment.setClockOffset(-ageMs);
  await environment.put(
    environment.secrets.bridge,
    {
      armed_for: armedFor,
      armed_from: current,
      attempt,
      armed_by: randomUUID(),
      armed_at: new Date(Date.now() - ageMs).toISOString(),
    },
    { version },
  );
  environment.setClockOffset(0);
}

/** A provider that does not accept what its own page shows, until it is rotated. */
function rejectWhatIsShown({ provider }: TestEnvironment, ...others: string[]): void {
  const rejected = [provider.provider.issuedSecret(), ...others];
  provider.tokenEndpointSettings.rejects = (clientSecret) => rejected.includes(clientSecret);
}

const presses = (environment: TestEnvironment) => environment.provider.provider.counters.presses;

describe('createSecret, row by row', () => {
  it('AWSPENDING has a value: done, without a look at the portal, and pending.v1 is published again', async () => {
    const environment = await startTestEnvironment();
    const token = await environment.begin();
    const current = await environment.value({ label: 'AWSCURRENT' });
    await environment.put(
      environment.secrets.rotated,
      { ...current, client_secret: 'stored-before' },
      { version: token, labels: ['AWSPENDING'] },
    );
    expect(await environment.step('createSecret', token)).toBeUndefined();
    expect(environment.provider.provider.counters.logins.attempts).toBe(0);
    expect((await environment.events()).map(({ type }) => type)).toEqual(['oauth2.client-secret.pending.v1']);
  });

  it('AWSCURRENT’s secret, accepted, no slot: one press, stored as AWSPENDING, announced before and after', async () => {
    const environment = await startTestEnvironment();
    const token = await environment.begin();
    expect(await environment.step('createSecret', token)).toBeUndefined();
    expect(presses(environment)).toBe(1);
    expect(await environment.value({ version: token })).toMatchObject({
      client_secret: environment.provider.provider.issuedSecret(),
    });
    expect(await environment.labels()).toMatchObject({ AWSPENDING: token, ROTATED_DUE: token });
    const slot = await environment.value({ label: 'AWSCURRENT' }, environment.secrets.bridge);
    expect(slot).toMatchObject({ armed_for: token, attempt: 1, client_id: environment.provider.client.clientId });
    const [started, pending] = await environment.events();
    expect(started).toMatchObject({ type: 'oauth2.client-secret.rotation-started.v1', data: { version_id: token } });
    expect(pending).toMatchObject({
      type: 'oauth2.client-secret.pending.v1',
      data: { version_id: token, pressed: 'yes', adopted: false, changeover_ms: expect.any(Number) },
    });
  });

  it('a slot younger than W: waits where it has the time, else fails retryable, and does not press', async () => {
    const environment = await startTestEnvironment({ timeoutMs: 60_000 });
    const token = await environment.begin();
    await leaveSlot(environment, 1_000);
    expect(await environment.step('createSecret', token)).toMatch(/^\[concurrency\] .*; pressed: unknown; next: /);
    expect(presses(environment)).toBe(0);
  });

  it('a slot older than W, the secret still shown and accepted: a second press with the next attempt', async () => {
    const environment = await startTestEnvironment();
    const token = await environment.begin();
    await leaveSlot(environment, hourMs, { armedFor: token });
    expect(await environment.step('createSecret', token)).toBeUndefined();
    expect(presses(environment)).toBe(1);
    expect(await environment.value({ label: 'AWSCURRENT' }, environment.secrets.bridge)).toMatchObject({ attempt: 2 });
  });

  it('two slots of this token: no third press, and AWSPENDING is taken off', async () => {
    const environment = await startTestEnvironment();
    const token = await environment.begin();
    await leaveSlot(environment, 2 * hourMs, { attempt: 1, armedFor: token });
    await leaveSlot(environment, hourMs, { attempt: 2, armedFor: token });
    expect(await environment.step('createSecret', token)).toMatch(/^\[portal-changed\] two presses/);
    expect(presses(environment)).toBe(0);
    expect(await environment.labels()).not.toHaveProperty('AWSPENDING');
  });

  it('AWSCURRENT’s secret, rejected beyond P, no slot: the press repairs, with no token in the slot', async () => {
    const environment = await startTestEnvironment();
    rejectWhatIsShown(environment);
    const token = await environment.begin();
    expect(await environment.step('createSecret', token)).toBeUndefined();
    expect(presses(environment)).toBe(1);
    expect(await environment.value({ label: 'AWSCURRENT' }, environment.secrets.bridge)).not.toHaveProperty(
      'access_token',
    );
    expect(await environment.step('testSecret', token)).toBeUndefined();
  });

  it('AWSCURRENT’s secret, rejected beyond P, a slot within the day: no press', async () => {
    const environment = await startTestEnvironment();
    rejectWhatIsShown(environment);
    const token = await environment.begin();
    await leaveSlot(environment, hourMs);
    expect(await environment.step('createSecret', token)).toMatch(/^\[token-endpoint\] .*; pressed: unknown; next: /);
    expect(presses(environment)).toBe(0);
  });

  it('a person rotated: what the portal shows is adopted after two looks, without a press', async () => {
    const environment = await startTestEnvironment();
    environment.provider.provider.rotateByHand();
    const token = await environment.begin();
    expect(await environment.step('createSecret', token)).toBeUndefined();
    expect(presses(environment)).toBe(0);
    expect(await environment.value({ version: token })).toMatchObject({
      client_secret: environment.provider.provider.issuedSecret(),
    });
    expect((await environment.events()).at(-1)).toMatchObject({ data: { adopted: true, pressed: 'no' } });
    expect(environment.provider.provider.counters.logins.attempts).toBe(1);
  });

  it('AWSCURRENT has no client_secret yet: the first load adopts', async () => {
    const environment = await startTestEnvironment();
    const { client_secret: _, ...bare } = (await environment.value({ label: 'AWSCURRENT' })) ?? {};
    await environment.put(environment.secrets.rotated, bare);
    const token = await environment.begin();
    expect(await environment.step('createSecret', token)).toBeUndefined();
    expect(presses(environment)).toBe(0);
    expect(await environment.value({ version: token })).toEqual({
      ...bare,
      client_secret: environment.provider.provider.issuedSecret(),
    });
  });

  it('another secret, rejected, while AWSCURRENT is rejected too: a person is called, nothing pressed', async () => {
    const environment = await startTestEnvironment();
    const before = environment.provider.provider.issuedSecret();
    environment.provider.provider.rotateByHand();
    rejectWhatIsShown(environment, before);
    const token = await environment.begin();
    expect(await environment.step('createSecret', token)).toMatch(
      /^\[token-endpoint\] .*; pressed: no; next: a person is needed/,
    );
    expect(presses(environment)).toBe(0);
  });

  it('the token endpoint is unreachable: what cannot be verified is not pressed', async () => {
    const environment = await startTestEnvironment();
    environment.provider.tokenEndpointSettings.outage = true;
    const token = await environment.begin();
    expect(await environment.step('createSecret', token)).toMatch(/^\[token-endpoint\] .*; pressed: no; next: /);
    expect(presses(environment)).toBe(0);
    expect(await environment.value({ label: 'AWSCURRENT' }, environment.secrets.bridge)).toBeUndefined();
  });

  it('an adopting token that finds nothing to adopt gives up its version', async () => {
    const environment = await startTestEnvironment();
    const token = await environment.begin(`adopt-${randomUUID()}`);
    expect(await environment.step('createSecret', token)).toMatch(/nothing to adopt; pressed: no/);
    expect(presses(environment)).toBe(0);
    expect(await environment.labels()).not.toHaveProperty('AWSPENDING');
  });

  it('the portal shows no client with that id: refused as the wrong account', async () => {
    const environment = await startTestEnvironment();
    const current = await environment.value({ label: 'AWSCURRENT' });
    await environment.put(environment.secrets.rotated, { ...current, client_id: 'f'.repeat(32) });
    const token = await environment.begin();
    expect(await environment.step('createSecret', token)).toMatch(/^\[configuration\] .*; pressed: no; next: /);
    expect(presses(environment)).toBe(0);
  });

  it('of two invocations at once one presses, and the other ends with category concurrency or finds the rotation done', async () => {
    const environment = await startTestEnvironment();
    const token = await environment.begin();
    const outcomes = await Promise.all([
      environment.step('createSecret', token),
      environment.step('createSecret', token),
    ]);
    expect(presses(environment)).toBe(1);
    expect(outcomes.filter((message) => message === undefined).length).toBeGreaterThan(0);
    for (const message of outcomes) expect(message ?? '[concurrency]').toContain('[concurrency]');
    expect(await environment.value({ version: token })).toMatchObject({
      client_secret: environment.provider.provider.issuedSecret(),
    });
  });

  it('a rotated.v1 that is still due is published first, with the id that it would have had', async () => {
    const environment = await startTestEnvironment();
    const first = await environment.begin();
    for (const step of ['createSecret', 'setSecret', 'testSecret', 'finishSecret'])
      expect(await environment.step(step, first)).toBeUndefined();
    const published = (await environment.events()).find(({ type }) => type.endsWith('.rotated.v1'));
    await environment.label('ROTATED_DUE', first);
    const second = await environment.begin();
    expect(await environment.step('createSecret', second)).toBeUndefined();
    const [again] = await environment.events();
    expect(again).toMatchObject({ type: 'oauth2.client-secret.rotated.v1', id: published?.id });
    expect(await environment.labels()).toMatchObject({ ROTATED_DUE: second });
  });
});
