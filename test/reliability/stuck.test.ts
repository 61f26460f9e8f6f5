import { DeleteSecretCommand, RestoreSecretCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import type { PreflightReport } from '../../lambda/rotation/preflight.ts';
import { full } from '../choice.ts';
import { startTestEnvironment, type TestEnvironment } from '../harness.ts';

const steps = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'];
const hoursMs = 3_600_000;

const presses = ({ provider }: TestEnvironment) => provider.provider.counters.presses;
const preflight = (environment: TestEnvironment) =>
  environment.fn.invoke({ Step: 'preflight', SecretId: environment.secrets.rotated }) as Promise<PreflightReport>;

/** A rotation of all four steps, without failure. */
async function rotate(environment: TestEnvironment): Promise<string> {
  const token = await environment.begin();
  for (const step of steps) expect(await environment.step(step, token)).toBeUndefined();
  await environment.drop('AWSPENDING');
  return token;
}

async function expectConverged(environment: TestEnvironment): Promise<void> {
  const { client_secret } = (await environment.value({ label: 'AWSCURRENT' })) ?? {};
  expect(client_secret).toBe(environment.provider.provider.issuedSecret());
  expect(await environment.labels()).not.toHaveProperty('ROTATED_DUE');
}

describe('stuck states are resolved without a press where that is possible', () => {
  it.runIf(full)(
    'AWSPENDING with a value that the endpoint rejects: preflight takes it off, the next rotation adopts',
    async () => {
      const environment = await startTestEnvironment();
      environment.setClockOffset(-13 * hoursMs);
      const token = await environment.begin();
      expect(await environment.step('createSecret', token)).toBeUndefined();
      environment.provider.provider.rotateByHand();
      environment.setClockOffset(0);
      expect((await preflight(environment)).repairs).toEqual([`took AWSPENDING off version ${token}`]);
      expect(await environment.labels()).not.toHaveProperty('ROTATED_DUE');
      await rotate(environment);
      expect(presses(environment)).toBe(1);
      await expectConverged(environment);
    },
  );

  it('a version made by hand while a rotation is about to press: no press, and the next rotation goes its way', async () => {
    const atSlot = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const environment = await startTestEnvironment({
      secretsManager: {
        async interceptAfter(operation, input) {
          if (operation !== 'PutSecretValue' || !JSON.stringify(input).includes('armed_by')) return undefined;
          atSlot.resolve();
          await goOn.promise;
          return undefined;
        },
      },
    });
    environment.setClockOffset(-hoursMs);
    const token = await environment.begin();
    const creating = environment.step('createSecret', token);
    await atSlot.promise;
    environment.setClockOffset(0);
    await environment.put(environment.secrets.rotated, (await environment.value({ label: 'AWSCURRENT' })) ?? {});
    goOn.resolve();
    expect(await creating).toMatch(
      /^\[concurrency\] version \S+ of secret \S+ has no label; pressed: unknown; next: none/,
    );
    expect(presses(environment)).toBe(0);
    await rotate(environment);
    expect(presses(environment)).toBe(1);
    await expectConverged(environment);
  });

  it('scheduled for deletion after the press, and restored: the new client secret is stored all the same', async () => {
    let refused = 0;
    let environment: TestEnvironment | undefined;
    environment = await startTestEnvironment({
      secretsManager: {
        async intercept(operation, input) {
          if (operation !== 'PutSecretValue' || !JSON.stringify(input).includes('login_secret_arn')) return undefined;
          refused += 1;
          const { secretsManager, secrets } = environment as TestEnvironment;
          if (refused === 1) await secretsManager.send(new DeleteSecretCommand({ SecretId: secrets.rotated }));
          if (refused === 3) await secretsManager.send(new RestoreSecretCommand({ SecretId: secrets.rotated }));
          return undefined;
        },
      },
    });
    const token = await environment.begin();
    expect(await environment.step('createSecret', token)).toBeUndefined();
    expect(environment.facts()).toContain('not-stored');
    expect(await environment.value({ version: token })).toMatchObject({
      client_secret: environment.provider.provider.issuedSecret(),
    });
  });

  it.runIf(full)('the login rotated during a rotation: one refusal, and the retry takes the new version', async () => {
    const environment = await startTestEnvironment();
    const { login } = environment.provider;
    const token = await environment.begin();
    const password = login.password;
    login.password = 'rotated-behind-our-back';
    expect(await environment.step('createSecret', token)).toMatch(/^\[login\] .*; pressed: no; next: /);
    expect(await environment.step('createSecret', token)).toMatch(
      /^\[login\] .*it was not tried again; pressed: no; next: /,
    );
    expect(environment.provider.provider.counters.logins.attempts).toBe(1);
    await environment.put(environment.secrets.login, { username: login.username, password: login.password });
    for (const step of steps) expect(await environment.step(step, token)).toBeUndefined();
    expect(presses(environment)).toBe(1);
    expect(environment.printed.join('\n')).not.toContain(password);
    await expectConverged(environment);
  });

  it.runIf(full)(
    'a provider that went back to the client secret of before: preflight says drift, and the adopting rotation takes it',
    async () => {
      const environment = await startTestEnvironment();
      await rotate(environment);
      environment.provider.provider.rollBack();
      expect(await preflight(environment)).toMatchObject({ drift: true, repairs: [expect.stringContaining('adopt-')] });
      const { AWSPENDING: token = '' } = await environment.labels();
      for (const step of steps) expect(await environment.step(step, token)).toBeUndefined();
      expect(presses(environment)).toBe(1);
      await expectConverged(environment);
    },
  );

  it.runIf(full)(
    'AWSPENDING on another token: RotateSecret is refused, and the unfinished rotation taken up again',
    async () => {
      const environment = await startTestEnvironment();
      const token = await environment.begin();
      expect(await environment.step('createSecret', token)).toBeUndefined();
      await expect(environment.begin()).rejects.toThrow(/previous rotation/);
      for (const step of steps) expect(await environment.step(step, token)).toBeUndefined();
      expect(presses(environment)).toBe(1);
      await expectConverged(environment);
    },
  );

  it('a replica in another region: told where its primary secret is, and nothing is touched', async () => {
    const environment = await startTestEnvironment();
    const token = await environment.begin();
    const before = await environment.labels();
    environment.service.primaryRegions.set(environment.secrets.rotated, 'eu-west-1');
    for (const step of ['createSecret', 'finishSecret'])
      expect(await environment.step(step, token)).toMatch(
        /^\[configuration\] .* is a replica of the one in eu-west-1; pressed: no; next: rotate the one in eu-west-1/,
      );
    expect(await environment.labels()).toEqual(before);
    expect(environment.provider.provider.counters).toMatchObject({ presses: 0, logins: { attempts: 0 } });
  });
});
