import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { CancelRotateSecretCommand, DeleteSecretCommand, RotateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { DeleteTopicCommand } from '@aws-sdk/client-sns';
import { describe, expect, it } from 'vitest';
import { requestToken } from '../../consumer/token-request.ts';
import { checkRotations } from '../../local/checks.ts';
import { startTestEnvironment, type TestEnvironment } from '../harness.ts';

const steps = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'];

/** Nothing was pressed, nobody logged in, and no secret was written to. */
function expectNothingDone({ provider, service }: TestEnvironment, since = 0): void {
  expect(provider.provider.counters).toMatchObject({ presses: 0, logins: { attempts: 0 }, otherClicks: {} });
  const writes = service.requests.slice(since).filter(({ operation }) => /^(Put|Update|Rotate|Tag)/.test(operation));
  expect(writes).toEqual([]);
}

describe('a rotation', () => {
  it('through all four steps, driven by Secrets Manager: every check of npm start holds', async () => {
    const environment = await startTestEnvironment({ driven: true });
    const { provider } = environment;
    const before = provider.provider.issuedSecret();
    const token = randomUUID();
    const { tokenEndpoint, client } = provider;
    const minted = await requestToken({
      tokenEndpoint,
      clientId: client.clientId,
      clientSecret: before,
      timeoutMs: 10_000,
    });
    const rotating = environment.rotate(token);
    expect(await rotating).toBe('succeeded');
    const checks = await checkRotations(environment, {
      rotations: [token],
      clientSecrets: [before, provider.provider.issuedSecret()],
      tokenOfBefore: minted.verdict === 'accepted' ? minted.accessToken : '',
      printed: environment.printed,
    });
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(await environment.labels()).toMatchObject({ AWSCURRENT: token });
    const facts = environment.facts().filter((fact) => told.includes(fact));
    expect(facts).toEqual(told);
  });

  it('runs on the Chromium package’s own NSS and NSPR, as on a machine that has none', async () => {
    const environment = await startTestEnvironment();
    const token = await environment.begin();
    const rotating = environment.step('createSecret', token);
    const libraries = await new Promise<string[]>((resolve, reject) => {
      const look = () => {
        const found = librariesOfChromium();
        if (found.length > 0) resolve(found);
        else if (environment.facts().includes('stored')) reject(new Error('no Chromium was seen'));
        else setImmediate(look);
      };
      look();
    });
    expect(await rotating).toBeUndefined();
    expect(libraries.length).toBeGreaterThanOrEqual(2);
    for (const path of libraries) expect(path).toMatch(/\/al2023\/lib\/lib(nss3|nspr4)\.so/);
  });

  it('run again step by step after its end changes nothing', async () => {
    const environment = await startTestEnvironment();
    const token = await environment.begin();
    for (const step of steps) expect(await environment.step(step, token)).toBeUndefined();
    const ids = (await environment.events()).filter(({ type }) => type.endsWith('.rotated.v1')).map(({ id }) => id);
    const labels = await environment.labels();
    for (const step of steps) expect(await environment.step(step, token)).toBeUndefined();
    expect(environment.provider.provider.counters.presses).toBe(1);
    expect(await environment.labels()).toEqual(labels);
    expect(ids).toHaveLength(1);
    expect(await environment.events()).toEqual([]);
  });

  it('a test of the rotation configuration is a preflight that changes nothing', async () => {
    const environment = await startTestEnvironment({ driven: true });
    const { secretsManager, secrets, service } = environment;
    const RotationLambdaARN = 'arn:aws:lambda:us-east-1:000000000000:function:rotate';
    const labels = await environment.labels();
    const since = service.requests.length + 1;
    await secretsManager.send(
      new RotateSecretCommand({ SecretId: secrets.rotated, RotateImmediately: false, RotationLambdaARN }),
    );
    expect(await service.rotationSettled(secrets.rotated)).toBe('succeeded');
    expect(environment.facts()).toContain('configuration-tested');
    expect(await environment.labels()).toEqual(labels);
    expect(environment.provider.provider.counters).toMatchObject({ presses: 0, logins: { attempts: 1 } });
    expect(service.requests.slice(since).filter(({ operation }) => /^(Rotate|Tag)/.test(operation))).toEqual([]);
  });

  it('is not disturbed by a deployment before each step: a new process, another portal profile, the rotation configured anew', async () => {
    const refusals: unknown[] = [];
    const environment: TestEnvironment = await startTestEnvironment({
      driven: true,
      secretsManager: {
        async invoke(event, signal) {
          await deploy();
          return environment.fn.invoke(event, signal);
        },
      },
    });
    const { service, secretsManager, secrets, provider } = environment;
    const RotationLambdaARN = 'arn:aws:lambda:us-east-1:000000000000:function:updated';
    const deploy = async () => {
      for (const [name, profile] of service.parameters) {
        const { times } = JSON.parse(profile);
        service.parameters.set(name, JSON.stringify({ times: { ...times, clickMs: 5_000 + refusals.length } }));
      }
      const input = { SecretId: secrets.rotated, RotateImmediately: false, RotationLambdaARN };
      refusals.push(await secretsManager.send(new RotateSecretCommand(input)).catch((error: unknown) => error));
    };
    const token = randomUUID();
    expect(await environment.rotate(token)).toBe('succeeded');
    // What CloudFormation is told; the schedule it wanted is there after the next deployment.
    expect(refusals.map(String)).toEqual(steps.map(() => expect.stringMatching(/previous rotation isn't complete/)));
    expect(provider.provider.counters).toMatchObject({ presses: 1, logins: { attempts: 1 }, otherClicks: {} });
    expect(await environment.labels()).toMatchObject({ AWSCURRENT: token });
  });
});

describe('the guards', () => {
  it('rotation disabled: refused by the name of the secret', async () => {
    const environment = await startTestEnvironment();
    const token = await environment.begin();
    await environment.secretsManager.send(new CancelRotateSecretCommand({ SecretId: environment.secrets.rotated }));
    await refusesEveryStep(
      environment,
      token,
      /^\[configuration\] rotation is not enabled for secret tradeaware\/client-\w+; pressed: no; next: /,
    );
  });

  it('a token that is no version of the secret', async () => {
    const environment = await startTestEnvironment();
    await environment.begin();
    await refusesEveryStep(
      environment,
      randomUUID(),
      /^\[concurrency\] version \S+ of secret tradeaware\/client-\w+ has no label; pressed: no; next: /,
    );
  });

  it('a token that is not pending', async () => {
    const environment = await startTestEnvironment();
    const token = await environment.begin();
    const { AWSCURRENT: first = '' } = await environment.labels();
    await environment.label('SOMETHING', first);
    await environment.put(environment.secrets.rotated, (await environment.value({ label: 'AWSCURRENT' })) ?? {});
    await refusesEveryStep(environment, first, /^\[concurrency\] version .* does not have the label AWSPENDING/);
    expect(token).not.toBe(first);
  });

  it('a token that is AWSCURRENT already: nothing to do', async () => {
    const environment = await startTestEnvironment();
    await environment.begin();
    const { AWSCURRENT: current = '' } = await environment.labels();
    const since = environment.service.requests.length;
    for (const step of steps.slice(0, 3)) expect(await environment.step(step, current)).toBeUndefined();
    expectNothingDone(environment, since);
  });
});

describe('what the alarms and the log tell', () => {
  /** The metrics' sums; those of 0 left out. */
  const sumsOf = ({ printed }: TestEnvironment): Record<string, number> => {
    const lines = printed.filter((line) => line.startsWith('{"_aws"')).map((line) => JSON.parse(line));
    const sum = (name: string) => lines.reduce((all, line) => all + (line[name] ?? 0), 0);
    const names = ['StepsStarted', 'StepsSucceeded', 'StepsFailed', 'RotationsSucceeded', 'FatalFailures'];
    return Object.fromEntries(names.map((name) => [name, sum(name)]).filter(([, value]) => value !== 0));
  };

  it('a rotation that had nothing to adopt, and was given up: no trouble, however often it is tried again', async () => {
    const environment = await startTestEnvironment();
    const token = await environment.begin(`adopt-${randomUUID()}`);
    expect(await environment.step('createSecret', token)).toContain('there is nothing to adopt');
    for (const _retry of [1, 2]) expect(await environment.step('createSecret', token)).toMatch(/^\[concurrency\] /);
    expect(sumsOf(environment)).toEqual({ StepsStarted: 3, StepsSucceeded: 3 });
    expect(environment.facts().filter((fact) => fact === 'failed')).toHaveLength(3);
  });

  it('a press whose secret has no place any more is trouble', async () => {
    const environment: TestEnvironment = await startTestEnvironment({
      secretsManager: {
        intercept: async (operation, input) =>
          operation === 'PutSecretValue' && (input as { SecretId: string }).SecretId === environment.secrets.rotated
            ? { status: 400, type: 'ResourceExistsException', message: 'another value' }
            : undefined,
      },
    });
    const token = await environment.begin();
    expect(await environment.step('createSecret', token)).toMatch(/^\[concurrency\] .* superseded; pressed: yes; /);
    expect(sumsOf(environment)).toEqual({ StepsStarted: 1, StepsFailed: 1, FatalFailures: 1 });
  });
});

describe('bad input', () => {
  it.each([
    ['an unknown step', { Step: 'dropSecret', SecretId: 'x', ClientRequestToken: 'y' }, /Step/],
    ['no step', { SecretId: 'x', ClientRequestToken: 'y' }, /Step/],
    ['no secret', { Step: 'createSecret', ClientRequestToken: 'y' }, /SecretId/],
    ['a preflight without a secret', { Step: 'preflight' }, /SecretId/],
    ['no token', { Step: 'createSecret', SecretId: 'x' }, /ClientRequestToken/],
    ['no object', 'createSecret', /invocation event/],
    ['nothing', null, /invocation event/],
  ])('%s: the event is refused', async (_what, event, named) => {
    const environment = await startTestEnvironment();
    const since = environment.service.requests.length;
    const message = await environment.fn.invoke(event).then(
      () => 'accepted',
      (error: Error) => error.message,
    );
    expect(message).toMatch(/^\[configuration\] the invocation event is not valid: .*; pressed: no; next: /);
    expect(message).toMatch(named);
    expectNothingDone(environment, since);
  });

  it('a missing environment variable is named; a preflight reports it', async () => {
    const environment = await startTestEnvironment({ environment: { ROTATION_TOPIC_ARN: '' } });
    const token = await environment.begin();
    await refusesEveryStep(
      environment,
      token,
      /^\[configuration\] the environment is not valid: ROTATION_TOPIC_ARN: .*; pressed: no; next: /,
    );
    expect(await environment.fn.invoke({ Step: 'preflight', SecretId: environment.secrets.rotated })).toMatchObject({
      ok: false,
      checks: [{ ok: false, detail: expect.stringContaining('ROTATION_TOPIC_ARN') }],
    });
  });

  it('no such secret', async () => {
    const environment = await startTestEnvironment();
    const since = environment.service.requests.length;
    const invoked = environment.fn.invoke({
      Step: 'createSecret',
      SecretId: 'tradeaware/nowhere',
      ClientRequestToken: randomUUID(),
    });
    await expect(invoked).rejects.toThrow(/^\[configuration\] secret tradeaware\/nowhere: .*; pressed: no; next: /);
    expectNothingDone(environment, since);
  });

  const login = (environment: TestEnvironment) => environment.secrets.login;
  const rotated = (environment: TestEnvironment) => environment.secrets.rotated;
  it.each<[string, (environment: TestEnvironment) => string, unknown, RegExp]>([
    [
      'a rotated secret that is not JSON',
      rotated,
      'canary, not JSON',
      /secret tradeaware\/client-\w+: its value is not JSON/,
    ],
    [
      'a rotated secret without a key',
      rotated,
      { client_id: 'x' },
      /developer_tools_url: .*login_secret_arn: .*bridge_secret_arn: /,
    ],
    ['a login secret that is not JSON', login, 'canary', /secret arn:\S*login\S*: its value is not JSON/],
    ['a login secret without a password', login, { username: 'x' }, /secret arn:\S*login\S*: password: /],
    [
      'a bridge secret that holds something else',
      (environment) => environment.secrets.bridge,
      { other: 'canary' },
      /bridge.*armed_for: /,
    ],
  ])('%s: refused by secret and key', async (_what, which, value, named) => {
    const environment = await startTestEnvironment();
    await environment.put(which(environment), value);
    const token = await environment.begin();
    const since = environment.service.requests.length;
    const message = await environment.step('createSecret', token);
    expect(message).toMatch(/^\[configuration\] .*; pressed: no; next: /);
    expect(message).toMatch(named);
    expect(message).not.toContain('canary');
    expectNothingDone(environment, since);
  });

  it.each([
    [
      'an http URL',
      { developer_tools_url: 'http://portal.example.com/tools' },
      /developer_tools_url: must be an https URL/,
    ],
    [
      'a URL with credentials',
      { token_endpoint: 'https://me:canary@api.example.com/token' },
      /token_endpoint: must not carry credentials/,
    ],
  ])('%s in the rotated secret is refused', async (_what, change, named) => {
    const environment = await startTestEnvironment();
    await environment.put(environment.secrets.rotated, {
      ...(await environment.value({ label: 'AWSCURRENT' })),
      ...change,
    });
    const token = await environment.begin();
    const since = environment.service.requests.length;
    const message = await environment.step('createSecret', token);
    expect(message).toMatch(named);
    expect(message).not.toContain('canary');
    expectNothingDone(environment, since);
  });

  it('the rotated secret as its own bridge is refused: a slot would overwrite it', async () => {
    const environment = await startTestEnvironment();
    const current = await environment.value({ label: 'AWSCURRENT' });
    await environment.put(environment.secrets.rotated, { ...current, bridge_secret_arn: environment.secrets.rotated });
    const token = await environment.begin();
    expect(await environment.step('createSecret', token)).toMatch(/must be two other secrets/);
    expectNothingDone(environment, environment.service.requests.length);
  });

  it('a login secret without a value', async () => {
    const environment = await startTestEnvironment();
    const current = await environment.value({ label: 'AWSCURRENT' });
    const empty = await environment.createEmptySecret('empty-login');
    await environment.put(environment.secrets.rotated, { ...current, login_secret_arn: empty });
    const token = await environment.begin();
    expect(await environment.step('createSecret', token)).toMatch(
      /^\[configuration\] secret arn:\S*empty-login\S* has no value; pressed: no; next: /,
    );
  });

  it('a secret that is scheduled for deletion', async () => {
    const environment = await startTestEnvironment();
    const token = await environment.begin();
    await environment.secretsManager.send(new DeleteSecretCommand({ SecretId: environment.secrets.rotated }));
    expect(await environment.step('createSecret', token)).toMatch(/^\[configuration\] .*deletion; pressed: no; next: /);
  });

  it('a topic that does not exist: nothing is pressed and no slot taken', async () => {
    const environment = await startTestEnvironment();
    const token = await environment.begin();
    await environment.sns.send(new DeleteTopicCommand({ TopicArn: environment.topicArn }));
    const message = await environment.step('createSecret', token);
    expect(message).toMatch(/^\[configuration\] topic arn:\S+: .*; pressed: no; next: create what is missing/);
    expect(environment.provider.provider.counters.presses).toBe(0);
    expect(await environment.value({ label: 'AWSCURRENT' }, environment.secrets.bridge)).toBeUndefined();
    const report = await environment.fn.invoke({ Step: 'preflight', SecretId: environment.secrets.rotated });
    expect(report).toMatchObject({
      ok: false,
      checks: expect.arrayContaining([expect.objectContaining({ name: 'topic', ok: false })]),
    });
  });

  it('a topic that goes away after the press: AWSCURRENT moves, and rotated.v1 stays due', async () => {
    const environment = await startTestEnvironment();
    const token = await environment.begin();
    expect(await environment.step('createSecret', token)).toBeUndefined();
    await environment.sns.send(new DeleteTopicCommand({ TopicArn: environment.topicArn }));
    for (const step of ['setSecret', 'testSecret']) expect(await environment.step(step, token)).toBeUndefined();
    const message = await environment.step('finishSecret', token);
    expect(message).toMatch(/^\[configuration\] topic arn:\S+: Publish .*; pressed: unknown; next: /);
    expect(await environment.labels()).toMatchObject({ AWSCURRENT: token, ROTATED_DUE: token });
  });

  it('an invalid portal profile is refused by the path of the wrong key, before a login', async () => {
    const environment = await startTestEnvironment({ portalProfile: { times: { propagationMs: 'canary' } } });
    const token = await environment.begin();
    const message = await environment.step('createSecret', token);
    expect(message).toMatch(/^\[configuration\] .*times\.propagationMs.*; pressed: no; next: /);
    expectNothingDone(environment, environment.service.requests.length);
  });
});

async function refusesEveryStep(environment: TestEnvironment, token: string, message: RegExp): Promise<void> {
  const since = environment.service.requests.length;
  for (const step of steps) expect(await environment.step(step, token)).toMatch(message);
  expectNothingDone(environment, since);
}

/** The rotation's facts, in order, as `npm start` tells them. */
const told = ['login', 'bridge-stored', 'press', 'stored', 'tested', 'moved', 'proved'];

/** Of any Chromium that runs now: the NSS and NSPR that it has loaded. */
function librariesOfChromium(): string[] {
  const paths = new Set<string>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readlinkSync(`/proc/${pid}/exe`).endsWith('chromium')) continue;
      const maps = readFileSync(`/proc/${pid}/maps`, 'utf8');
      for (const [path] of maps.matchAll(/\S*\/lib(?:nss3|nspr4)\.so\S*/g)) paths.add(path);
    } catch {
      // It has ended meanwhile.
    }
  }
  return paths.size >= 2 ? [...paths] : [];
}
