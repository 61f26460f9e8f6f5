import { TagResourceCommand } from '@aws-sdk/client-secrets-manager';
import { expect, it } from 'vitest';
import type { PreflightReport } from '../../../lambda/rotation/preflight.ts';
import { startTestEnvironment, type TestEnvironment } from '../../harness.ts';

const preflight = (environment: TestEnvironment) =>
  environment.fn.invoke({ Step: 'preflight', SecretId: environment.secrets.rotated }) as Promise<PreflightReport>;

const failed = (report: PreflightReport) => report.checks.filter(({ ok }) => !ok).map(({ name }) => name);

const hoursMs = 3_600_000;

/** Rotation configured, and none running. */
async function settled(options: Parameters<typeof startTestEnvironment>[0] = {}): Promise<TestEnvironment> {
  const environment = await startTestEnvironment(options);
  await environment.begin();
  await environment.drop('AWSPENDING');
  return environment;
}

it('reports each check, presses nothing and changes no value', async () => {
  const environment = await settled();
  const before = await environment.labels();
  const value = await environment.value({ label: 'AWSCURRENT' });
  const report = await preflight(environment);
  expect(report).toMatchObject({ ok: true, drift: false, repairs: [] });
  expect(failed(report)).toEqual([]);
  const names = report.checks.map(({ name }) => name);
  for (const name of [
    'secret',
    'rotated-secret',
    'bridge-secret',
    'write-path',
    'login',
    'shown-secret',
    'rehearsal',
    'token-endpoint',
    'drift',
  ]) {
    expect(names).toContain(name);
  }
  expect(environment.provider.provider.counters.presses).toBe(0);
  expect(await environment.labels()).toEqual(before);
  expect(await environment.value({ label: 'AWSCURRENT' })).toEqual(value);
  expect(await environment.tags()).toMatchObject({ preflight: 'ok' });
  expect(await environment.events()).toEqual([]);
});

it('publishes on a change of state only: failed once, recovered once', async () => {
  const environment = await settled();
  await preflight(environment);
  environment.provider.tokenEndpointSettings.outage = true;
  expect(failed(await preflight(environment))).toContain('token-endpoint');
  await preflight(environment);
  expect((await environment.events()).map(({ type, data }) => [type.split('.').at(-2), data.error?.category])).toEqual([
    ['preflight-failed', 'token-endpoint'],
  ]);
  expect(await environment.tags()).toMatchObject({ preflight: 'failed:token-endpoint' });
  environment.provider.tokenEndpointSettings.outage = false;
  expect(await preflight(environment)).toMatchObject({ ok: true });
  await preflight(environment);
  expect((await environment.events()).map(({ type }) => type.split('.').at(-2))).toEqual(['preflight-recovered']);
});

it('publishes a rotated.v1 that is still due', async () => {
  const environment = await settled();
  const { AWSCURRENT: current = '' } = await environment.labels();
  await environment.label('ROTATED_DUE', current);
  expect((await preflight(environment)).repairs).toEqual([`published rotated.v1 for version ${current}`]);
  expect((await environment.events()).map(({ data }) => data.version_id)).toEqual([current]);
  expect(await environment.labels()).not.toHaveProperty('ROTATED_DUE');
});

it('on drift starts a rotation that adopts, with a token that never presses', async () => {
  const environment = await settled();
  environment.provider.provider.rotateByHand();
  const report = await preflight(environment);
  expect(report).toMatchObject({
    ok: false,
    drift: true,
    repairs: [expect.stringMatching(/^started the adopting rotation adopt-/)],
  });
  expect((await environment.labels()).AWSPENDING).toMatch(/^adopt-/);
  expect(environment.provider.provider.counters.presses).toBe(0);
});

it('does nothing about drift where an operator has switched repairs off', async () => {
  const environment = await settled({ environment: { PREFLIGHT_REPAIRS: 'off' } });
  environment.provider.provider.rotateByHand();
  expect(await preflight(environment)).toMatchObject({ ok: false, drift: true, repairs: [] });
  expect(await environment.labels()).not.toHaveProperty('AWSPENDING');
});

it('takes an AWSPENDING without a value off after 12 hours, and not before', async () => {
  const environment = await settled();
  environment.setClockOffset(-11 * hoursMs);
  const young = await environment.begin();
  environment.setClockOffset(0);
  expect((await preflight(environment)).repairs).toEqual([]);
  expect(await environment.labels()).toMatchObject({ AWSPENDING: young });
  await environment.drop('AWSPENDING');
  environment.setClockOffset(-13 * hoursMs);
  const old = await environment.begin();
  environment.setClockOffset(0);
  expect((await preflight(environment)).repairs).toEqual([`took AWSPENDING off version ${old}`]);
  expect(await environment.labels()).not.toHaveProperty('AWSPENDING');
});

it('has an AWSPENDING whose value is accepted taken up again', async () => {
  const environment = await settled();
  environment.setClockOffset(-13 * hoursMs);
  const token = await environment.begin();
  expect(await environment.step('createSecret', token)).toBeUndefined();
  environment.setClockOffset(0);
  const since = environment.service.requests.length;
  expect((await preflight(environment)).repairs).toEqual([`had the rotation ${token} taken up again`]);
  expect(environment.service.requests.slice(since).map(({ operation }) => operation)).toContain('RotateSecret');
  expect(await environment.labels()).toMatchObject({ AWSPENDING: token });
});

it('while rotation is paused repairs nothing, since RotateSecret would enable it', async () => {
  const environment = await settled();
  await environment.pause();
  environment.provider.provider.rotateByHand();
  expect(await preflight(environment)).toMatchObject({ ok: false, drift: true, repairs: [] });
});

it('does not log in with a login that the portal has refused before', async () => {
  const environment = await settled();
  const { secretsManager, secrets } = environment;
  const refused = await environment.put(secrets.login, {
    username: 'rotation@example.com',
    password: 'wrong-canary-password',
  });
  const attempts = environment.provider.provider.counters.logins.attempts;
  expect(failed(await preflight(environment))).toContain('login');
  expect(await environment.tags()).toMatchObject({ 'login-refused': refused, preflight: 'failed:login' });
  await preflight(environment);
  expect(environment.provider.provider.counters.logins.attempts).toBe(attempts + 1);
  await environment.put(secrets.login, { ...environment.provider.login });
  expect(await preflight(environment)).toMatchObject({ ok: true });
  await secretsManager.send(
    new TagResourceCommand({ SecretId: secrets.rotated, Tags: [{ Key: 'unrelated', Value: 'x' }] }),
  );
  expect(environment.printed.join('\n')).not.toContain('wrong-canary-password');
});

it('of no such secret says so in its report', async () => {
  const environment = await startTestEnvironment();
  const report = (await environment.fn.invoke({
    Step: 'preflight',
    SecretId: 'tradeaware/nowhere',
  })) as PreflightReport;
  expect(report).toMatchObject({ ok: false, checks: [{ name: 'secret', ok: false }], drift: false, repairs: [] });
});
