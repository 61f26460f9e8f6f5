import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CancelRotateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
  TagResourceCommand,
} from '@aws-sdk/client-secrets-manager';
import { ListSubscriptionsByTopicCommand, PublishCommand } from '@aws-sdk/client-sns';
import { ListQueuesCommand } from '@aws-sdk/client-sqs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { RotationInvocation } from '../../local/secrets-manager.ts';
import { startTestEnvironment, type TestEnvironment } from '../harness.ts';
import { facts, operator } from './ops-command.ts';

const RotationLambdaARN = 'arn:aws:lambda:us-east-1:000000000000:function:rotate-client-secret';
const hourMs = 3_600_000;

type Steps = Partial<
  Record<RotationInvocation['Step'], (event: RotationInvocation, env: TestEnvironment) => Promise<unknown>>
>;

/**
 * An environment whose rotation function is these steps; the test of a configuration always succeeds. `real`: all others are the
 * function's own.
 */
async function startRotating(steps: Steps | 'real' = {}): Promise<TestEnvironment> {
  const environment: TestEnvironment = await startTestEnvironment({
    secretsManager: {
      invoke: async (event, signal): Promise<unknown> => {
        const isTest = event.Step === 'testSecret' && (await isCopy(environment, event));
        if (steps !== 'real') return steps[event.Step]?.(event, environment);
        return isTest ? undefined : environment.fn.invoke(event, signal);
      },
    },
  });
  await configure(environment, environment.secrets.rotated);
  return environment;
}

/** As the deployment does it: without a rotation. */
async function configure({ secretsManager, service }: TestEnvironment, SecretId: string): Promise<void> {
  const RotationRules = { AutomaticallyAfterDays: 30 };
  await secretsManager.send(
    new RotateSecretCommand({ SecretId, RotationLambdaARN, RotationRules, RotateImmediately: false }),
  );
  await service.rotationSettled(SecretId);
}

async function isCopy(
  { value }: TestEnvironment,
  { SecretId, ClientRequestToken }: RotationInvocation,
): Promise<boolean> {
  const [current, copy] = await Promise.all([
    value({ label: 'AWSCURRENT' }, SecretId),
    value({ version: ClientRequestToken }, SecretId),
  ]);
  return JSON.stringify(current) === JSON.stringify(copy);
}

const store: Steps['createSecret'] = async ({ SecretId, ClientRequestToken }, { secretsManager, value }) => {
  const SecretString = JSON.stringify({
    ...(await value({ label: 'AWSCURRENT' })),
    client_secret: 'made-by-the-provider',
  });
  const VersionStages = ['AWSPENDING', 'ROTATED_DUE'];
  await secretsManager.send(new PutSecretValueCommand({ SecretId, ClientRequestToken, SecretString, VersionStages }));
};
const finish: Steps['finishSecret'] = async ({ ClientRequestToken }, { label, drop }) => {
  await label('AWSCURRENT', ClientRequestToken);
  await drop('ROTATED_DUE');
};
const giveUp: Steps['createSecret'] = async (_event, { drop }) => {
  await drop('AWSPENDING');
  throw new Error('[portal-changed] nothing is where it was');
};

/** A preflight that finds nothing wrong, tags so, and publishes what is due. */
const wellPreflight = (environment: TestEnvironment) => async () => {
  await environment.drop('ROTATED_DUE');
  await tag(environment, 'preflight', 'ok');
  return {
    ok: true,
    checks: [{ name: 'secret', ok: true, detail: 'app' }],
    drift: false,
    repairs: ['published rotated.v1'],
  };
};

async function tag({ secretsManager, secrets }: TestEnvironment, Key: string, Value: string): Promise<void> {
  await secretsManager.send(new TagResourceCommand({ SecretId: secrets.rotated, Tags: [{ Key, Value }] }));
}

async function nameOf({ secretsManager }: TestEnvironment, SecretId: string): Promise<string> {
  return (await secretsManager.send(new DescribeSecretCommand({ SecretId }))).Name ?? '';
}

describe('the first day', () => {
  it('init, preflight, adopt, rotate and status, on the real function: one press, and no secret is shown', async () => {
    const environment = await startRotating('real');
    const { provider, value } = environment;
    const [rotated, login, bridge] = await Promise.all(
      ['c', 'l', 'b'].map((name) => environment.createEmptySecret(name)),
    );
    const arns = ['--login-secret', String(login), '--bridge-secret', String(bridge)];
    const { ops } = await operator(environment);
    const secret = ['--secret', String(rotated)];
    const input = {
      login: provider.login,
      client: {
        client_id: provider.client.clientId,
        token_endpoint: provider.tokenEndpoint,
        developer_tools_url: provider.developerToolsUrl,
        team: 'kept',
      },
    };
    expect(await ops([...secret, 'init', ...arns], JSON.stringify(input))).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Stored the login in l, .*\nStored the client in c, /),
    });
    expect(await value({ label: 'AWSCURRENT' }, login)).toEqual(provider.login);
    await configure(environment, String(rotated));

    const adopted = await ops(['adopt', '--json', ...secret]);
    expect(adopted).toMatchObject({ code: 0, stderr: '' });
    expect(facts(adopted).map(({ fact }) => fact)).toEqual(
      expect.arrayContaining(['following', 'started', 'finished']),
    );
    expect(facts(adopted)[0]?.version).toMatch(/^adopt-/);
    expect(await value({ label: 'AWSCURRENT' }, rotated)).toMatchObject({
      client_secret: provider.provider.issuedSecret(),
      team: 'kept',
    });
    expect(provider.provider.counters.presses).toBe(0);

    const directory = await mkdtemp(join(tmpdir(), 'ops-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    const file = join(directory, 'preflight.json');
    const looked = await ops(['preflight', '--save', file, ...secret]);
    expect(looked).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/ ok {3}login +logged in.*A rotation would succeed\.\n$/s),
    });
    const saved = readFileSync(file, 'utf8');
    expect(JSON.parse(saved)).toMatchObject({ ok: true, drift: false });
    environment.printed.push(saved);
    expect(provider.provider.counters.presses).toBe(0);

    const before = provider.provider.issuedSecret();
    const turned = await ops(['rotate', '--yes', ...secret]);
    expect(turned).toMatchObject({ code: 0, stdout: expect.stringMatching(/ s {2}finished {2}AWSCURRENT is proven/) });
    expect(provider.provider.counters.presses).toBe(1);
    expect(provider.provider.issuedSecret()).not.toBe(before);
    expect(await value({ label: 'AWSCURRENT' }, rotated)).toMatchObject({
      client_secret: provider.provider.issuedSecret(),
    });

    const told = await ops(['status', ...secret]);
    expect(told.code).toBe(0);
    expect(told.stdout).toMatch(/rotation +enabled, every 30 days\n/);
    expect(told.stdout).toMatch(/next rotation +\S+Z, in 29 days\n/);
    expect(told.stdout).toMatch(/AWSCURRENT +version \S+, \S+Z, \d+ seconds? ago\n/);
    expect(told.stdout).toMatch(/bridge secret +armed \S+Z, \d+ seconds? ago, its token lives for 23 hours\n/);
    expect(told.stdout).toMatch(
      /( {2}event +pending, \S+Z, \d+ seconds? ago, for version \S+\n) {2}event +rotated, \S+Z, \d+ seconds? ago, for version \S+\n/,
    );
    expect(told.stdout).toMatch(/\nAll is well\.\n$/);
    const [known] = facts(await ops(['status', '--json', ...secret]));
    expect(known).toMatchObject({
      name: 'c',
      rotation_enabled: true,
      preflight: 'ok',
      summary: 'All is well.',
      bridge: { attempt: 1 },
      events: [{ type: 'rotation-started' }, { type: 'pending' }, { type: 'rotated' }],
    });
  });
});

describe('init', () => {
  it('overwrites nothing without --yes; with it, keeps what is not given, but not another client’s secret', async () => {
    const environment = await startTestEnvironment();
    const { secrets, value, service, provider } = environment;
    const { ops } = await operator(environment);
    const secret = ['--secret', secrets.rotated];
    const before = await value({ label: 'AWSCURRENT' });
    const moved = JSON.stringify({ client: { developer_tools_url: 'https://moved.example/' } });
    const since = service.requests.length;
    const refused = await ops([...secret, 'init'], moved);
    expect(refused).toMatchObject({
      code: 3,
      stdout: '',
      stderr: expect.stringMatching(/^tradeaware\/client-\w+ would be overwritten\nNext: .*--yes/),
    });
    expect(service.requests.slice(since).filter(({ operation }) => !/^(Get|Describe)/.test(operation))).toEqual([]);

    expect(await ops([...secret, 'init', '--yes'], moved)).toMatchObject({ code: 0 });
    expect(await value({ label: 'AWSCURRENT' })).toEqual({ ...before, developer_tools_url: 'https://moved.example/' });
    const another = { client: { client_id: 'another' }, login: { username: 'u', password: provider.login.password } };
    expect(await ops([...secret, 'init', '--yes', '--only', 'client'], JSON.stringify(another))).toMatchObject({
      code: 0,
    });
    const { client_secret: _, ...rest } = before ?? {};
    expect(await value({ label: 'AWSCURRENT' })).toEqual({
      ...rest,
      client_id: 'another',
      developer_tools_url: 'https://moved.example/',
    });
    expect(await value({ label: 'AWSCURRENT' }, secrets.login)).toEqual(provider.login);
  });

  it('refuses what is not valid, by the key and without the value, and what would abandon a rotation', async () => {
    const environment = await startTestEnvironment();
    const { secrets, provider, service } = environment;
    const { ops } = await operator(environment);
    const run = (input: string) => ops(['--secret', secrets.rotated, '--yes', '--json', 'init'], input);
    const since = service.requests.length;
    const { password } = provider.login;
    for (const [input, problem] of [
      [`{"login": {"password": "${password}"`, /standard input is not a JSON object/],
      [JSON.stringify({ login: { password } }), /username: /],
      [JSON.stringify({ client: { client_secret: `two lines\n${password}` } }), /client_secret: must be one line/],
      [JSON.stringify({ client: { bridge_secret_arn: secrets.login } }), /must be three/],
      ['{}', /nothing to store/],
    ] as const) {
      const { code, stdout, stderr } = await run(input);
      expect([code, stdout]).toEqual([2, '']);
      expect(JSON.parse(stderr)).toEqual({ error: expect.stringMatching(problem), next: expect.any(String) });
    }
    await environment.begin();
    expect(await run(JSON.stringify({ login: provider.login, client: { client_id: 'x' } }))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is not finished'),
    });
    expect(service.requests.slice(since).filter(({ operation }) => operation.startsWith('Put'))).toEqual([]);
    // Of the login alone no rotation knows.
    expect(facts(await run(JSON.stringify({ login: provider.login })))).toMatchObject([{ part: 'login' }]);
  });
});

describe('rotate', () => {
  it('starts nothing until the secret’s name was typed, then follows the rotation to its end', async () => {
    const environment = await startRotating({ createSecret: store, finishSecret: finish });
    const { secrets, labels } = environment;
    const { ops } = await operator(environment);
    const name = await nameOf(environment, secrets.rotated);
    const before = await labels();
    for (const typed of ['', 'yes\n']) {
      const refused = await ops(['rotate', '--secret', secrets.rotated], typed);
      expect(refused).toMatchObject({ code: 3, stdout: '', stderr: expect.stringContaining(`Type ${name} to go on`) });
    }
    expect(await labels()).toEqual(before);
    const rotated = await ops(['rotate', '--secret', secrets.rotated], `${name}\n`);
    expect(rotated).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Rotation (\S+)\..*finished/s) });
    expect(rotated.stdout).toContain((await labels()).AWSCURRENT);
  });

  it('says that a rotation was given up, and takes an unfinished one up again in place of a new one', async () => {
    const steps: Steps = { createSecret: giveUp };
    const environment = await startRotating(steps);
    const { ops } = await operator(environment);
    const rotate = ['rotate', '--yes', '--json', '--secret', environment.secrets.rotated];
    // The function does not give up before its rotation was seen.
    steps.createSecret = async (event, env) => {
      const since = env.service.requests.length;
      const looks = () => env.service.requests.slice(since).filter(({ operation }) => operation === 'DescribeSecret');
      await vi.waitFor(() => expect(looks().length).toBeGreaterThan(1), { timeout: 60_000 });
      await giveUp(event, env);
    };
    const ended = await ops(rotate);
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('the rotation was given up') });
    expect(facts(ended).map(({ fact }) => fact)).toEqual(['following', 'started', 'given-up']);

    steps.createSecret = () => Promise.reject(new Error('not yet'));
    const token = await environment.begin();
    Object.assign(steps, { createSecret: store, finishSecret: finish });
    const adopted = await ops(['adopt', '--secret', environment.secrets.rotated]);
    expect(adopted).toMatchObject({ code: 1, stderr: expect.stringContaining(`the rotation ${token}`) });
    const resumed = await ops(rotate);
    expect(resumed.code).toBe(0);
    expect(facts(resumed)[0]).toEqual({ fact: 'resumed', version: token });
    expect((await environment.labels()).AWSCURRENT).toBe(token);
  });

  it('tells the function’s failures from its log, and ends where no retry mends them', async () => {
    const environment = await startRotating('real');
    const { secrets, provider } = environment;
    const { ops } = await operator(environment);
    const [rotate, adopt] = ['rotate', 'adopt'].map((name) => [name, '--yes', '--json', '--secret', secrets.rotated]);
    const nothing = await ops(adopt ?? []);
    expect(nothing).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^.*nothing to do.*none: the drift is gone/),
    });
    expect(facts(nothing).find(({ fact }) => fact === 'failed')).toMatchObject({
      step: 'createSecret',
      error: { message: expect.stringMatching(/^\[concurrency\] .*nothing to adopt/), retryable: false },
    });

    await environment.put(secrets.login, { ...provider.login, password: 'another' });
    const refused = await ops(rotate ?? []);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/log in by hand/) });
  });
});

describe('preflight', () => {
  it('fails with the checks that failed, and with the function where it is not ours or broken', async () => {
    const environment = await startRotating();
    const report = {
      ok: false,
      checks: [{ name: 'login', ok: false, detail: 'the portal is away; next: wait' }],
      drift: false,
      repairs: [],
    };
    const answers: unknown[] = [
      report,
      new Error('[configuration] no topic; pressed: no; next: set it'),
      { statusCode: 200 },
    ];
    const { ops } = await operator(environment, async () => {
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    });
    const run = (...more: string[]) => ops(['preflight', '--secret', environment.secrets.rotated, ...more]);
    expect(await run('--save', '/nonexistent/report.json')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^the report cannot be written: ENOENT.*\nNext: name another file with --save/),
    });
    expect(answers).toHaveLength(3);
    expect(await run()).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/FAIL {2}login {2}the portal is away; next: wait\nA rotation would fail/),
    });
    expect(await run()).toMatchObject({ code: 1, stderr: expect.stringContaining('[configuration] no topic') });
    expect(await run('--function', 'another')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('another does not answer'),
    });
  });
});

describe('doctor', () => {
  it('tells everything and changes nothing; with --yes mends what it can, and says what is left', async () => {
    const environment = await startRotating({ createSecret: () => Promise.reject(new Error('killed')) });
    const { secrets, secretsManager, labels, provider } = environment;
    const rotationFunction = {
      answer: (): Promise<unknown> => Promise.reject(new Error('[timeout] no time was left')),
    };
    const { ops } = await operator(environment, () => rotationFunction.answer());
    const doctor = ['doctor', '--json', '--secret', secrets.rotated];
    expect(await ops(['doctor', '--secret', secrets.rotated, 'pending-emtpy'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^Nothing is wrong that can be told without the portal\. Not found: pending-emtpy\.\n$/,
      ),
    });

    const young = await environment.begin();
    expect(facts(await ops(doctor))).toEqual([{ fact: 'summary', left: [], running: true }]);
    const leaves = await ops(['doctor', '--yes', '--secret', secrets.rotated]);
    expect(leaves).toMatchObject({ code: 0, stdout: expect.stringMatching(/leave it alone.*doctor pending-empty/) });
    // Whoever names it knows that it has ended.
    expect(facts(await ops([...doctor, '--yes', 'pending-empty']))).toMatchObject([
      { name: 'pending-empty' },
      { fact: 'repaired', versionId: young },
      { fact: 'summary', left: [] },
    ]);
    environment.setClockOffset(-13 * hourMs);
    const stuck = await environment.begin();
    environment.setClockOffset(0);
    await tag(environment, 'preflight', 'failed:portal-changed');
    await tag(environment, 'login-refused', await loginVersion(environment));
    await secretsManager.send(new CancelRotateSecretCommand({ SecretId: secrets.rotated }));
    await environment.put(secrets.bridge, { something: 'else' });
    await environment.label('ROTATED_DUE', young);

    const before = await labels();
    const told = await ops(doctor);
    const names = [
      'bridge-malformed',
      'pending-empty',
      'login-refused',
      'rotated-due-left',
      'preflight-failed',
      'rotation-disabled',
    ];
    expect(told.code).toBe(1);
    expect(facts(told).flatMap(({ name }) => name ?? [])).toEqual(names);
    expect(await labels()).toEqual(before);

    expect(facts(await ops([...doctor, '--yes', 'pending-empty'])).flatMap(({ versionId }) => versionId ?? [])).toEqual(
      [stuck],
    );
    expect(await labels()).not.toHaveProperty('AWSPENDING');
    // Each is asked for, and allowed by its name; one that fails ends nothing.
    const typed = await ops(['doctor', '--secret', secrets.rotated], 'rotated-due-left\npreflight-failed\nno\n');
    expect(typed).toMatchObject({ code: 1, stdout: expect.stringContaining('Took ROTATED_DUE off') });
    expect(typed.stdout).toMatch(/Left: bridge-malformed, login-refused, preflight-failed, rotation-disabled\.\n$/);
    expect(typed.stdout).toContain('Not repaired: the function failed: [timeout] no time was left');
    rotationFunction.answer = wellPreflight(environment);
    const mended = await ops([...doctor, '--yes']);
    expect(mended.code).toBe(1);
    expect(facts(mended).at(-1)).toMatchObject({ fact: 'summary', left: ['bridge-malformed', 'login-refused'] });
    expect(await labels()).not.toHaveProperty('ROTATED_DUE');
    expect(await environment.tags()).toMatchObject({ preflight: 'ok' });
    expect(await secretsManager.send(new DescribeSecretCommand({ SecretId: secrets.rotated }))).toMatchObject({
      RotationEnabled: true,
    });
    expect(provider.provider.counters.presses).toBe(0);
  });

  it('an AWSPENDING with a value: taken up again where it is accepted, taken off where it is rejected', async () => {
    const steps: Steps = {
      createSecret: store,
      setSecret: () => Promise.reject(new Error('killed')),
      finishSecret: finish,
    };
    const environment = await startRotating(steps);
    const { secrets, secretsManager, labels, value, provider } = environment;
    const { ops } = await operator(environment, wellPreflight(environment));
    const doctor = ['doctor', '--yes', '--json', '--secret', secrets.rotated];
    environment.setClockOffset(-13 * hourMs);
    const rejected = await environment.begin();
    const released = await ops(doctor);
    expect(released.code).toBe(0);
    expect(facts(released).slice(0, 2)).toMatchObject([
      { name: 'pending-rejected' },
      { fact: 'repaired', versionId: rejected, labels: ['AWSPENDING', 'ROTATED_DUE'] },
    ]);
    expect(Object.values(await labels())).not.toContain(rejected);

    provider.provider.rotateByHand();
    steps.createSecret = async ({ SecretId, ClientRequestToken }) => {
      const SecretString = JSON.stringify({
        ...(await value({ label: 'AWSCURRENT' })),
        client_secret: provider.provider.issuedSecret(),
      });
      const VersionStages = ['AWSPENDING', 'ROTATED_DUE'];
      await secretsManager.send(
        new PutSecretValueCommand({ SecretId, ClientRequestToken, SecretString, VersionStages }),
      );
    };
    const accepted = await environment.begin();
    environment.setClockOffset(0);
    delete steps.setSecret;
    const ended = await ops(doctor);
    expect(ended.code).toBe(0);
    expect(facts(ended).map(({ fact, name }) => name ?? fact)).toEqual(
      expect.arrayContaining(['pending-accepted', 'resumed', 'finished', 'repaired']),
    );
    expect(await labels()).toMatchObject({ AWSCURRENT: accepted });
    expect(provider.provider.counters).toMatchObject({ presses: 0, logins: { attempts: 0 } });
  });

  it('restores what is scheduled for deletion', async () => {
    const environment = await startRotating();
    const { secrets, secretsManager } = environment;
    const { ops } = await operator(environment);
    for (const SecretId of Object.values(secrets)) await secretsManager.send(new DeleteSecretCommand({ SecretId }));
    const status = await ops(['status', '--secret', secrets.rotated]);
    expect(status).toMatchObject({ code: 0, stdout: expect.stringContaining('The secret is scheduled for deletion') });
    const restored = await ops(['doctor', '--yes', '--secret', secrets.rotated]);
    expect(restored.stdout.match(/^\S+-deleted(?=:)/gm)).toEqual(['secret-deleted', 'login-deleted', 'bridge-deleted']);
    for (const SecretId of Object.values(secrets)) {
      expect(await secretsManager.send(new DescribeSecretCommand({ SecretId }))).not.toHaveProperty('DeletedDate');
    }
  });
});

async function loginVersion({ secretsManager, secrets }: TestEnvironment): Promise<string> {
  const { VersionIdsToStages = {} } = await secretsManager.send(new DescribeSecretCommand({ SecretId: secrets.login }));
  return Object.keys(VersionIdsToStages)[0] ?? '';
}

describe('events', () => {
  it('shows them as they come, and leaves no queue and no subscription, whether it has had its fill or is interrupted', async () => {
    const environment = await startRotating();
    const { sns, sqs, topicArn, secrets } = environment;
    const { start } = await operator(environment);
    const left = async () => [
      (await sqs.send(new ListQueuesCommand({ QueueNamePrefix: 'rotate-client-secret-events' }))).QueueUrls?.length ??
        0,
      (await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn: topicArn }))).Subscriptions?.length,
    ];
    const event = {
      type: 'oauth2.client-secret.rotation-failed.v1',
      time: '2026-06-01T12:00:00Z',
      data: {
        secret_name: 'app',
        version_id: 'v2',
        step: 'createSecret',
        pressed: 'no',
        error: { category: 'login', message: 'refused', action: 'log in by hand' },
      },
    };
    const counted = start(['events', '--count', '2', '--secret', secrets.rotated]);
    const interrupted = start(['events', '--json', '--topic', topicArn]);
    const hungUp = start(['events', '--topic', topicArn]);
    const unread = start(['events', '--topic', topicArn]);
    await Promise.all([counted, interrupted, hungUp, unread].map(({ said }) => said(/Following arn:/)));
    expect(await left()).toEqual([4, 5]);
    // As when the terminal is closed, and as after `| head`.
    hungUp.child.kill('SIGHUP');
    unread.child.stdout?.destroy();
    for (const Message of [JSON.stringify(event), 'nothing of ours'])
      await sns.send(new PublishCommand({ TopicArn: topicArn, Message }));
    const { code, stdout } = await counted.ended;
    expect(code).toBe(0);
    expect(stdout).toBe(
      '2026-06-01T12:00:00Z  rotation-failed.v1  app  createSecret  version v2  pressed: no\n  [login] refused\n  next: log in by hand\na message that is no event of ours\n',
    );
    await interrupted.said(/"type":"unknown"/);
    interrupted.child.kill('SIGINT');
    const end = await interrupted.ended;
    expect(end.code).toBe(0);
    expect(facts(end)).toEqual([event, { type: 'unknown' }]);
    expect([(await hungUp.ended).code, await unread.ended]).toEqual([0, expect.objectContaining({ code: 0 })]);
    expect((await unread.ended).stderr).not.toMatch(/EPIPE/);
    expect(await left()).toEqual([0, 1]);
  });
});

describe('what is asked for wrongly', () => {
  const cases: [string, string[], number, RegExp][] = [
    ['--help tells the exit codes', ['--help'], 0, /Exit codes:\n {2}0 {2}done.*\n {2}4 {2}AWS refused/s],
    ['an unknown command', ['rotato'], 2, /unknown command 'rotato'/],
    ['a number that is none', ['events', '--count', 'many'], 2, /A number above 0 is meant/],
    ['no secret', ['status'], 2, /^no secret was given\nNext: give --secret/],
    [
      'a secret in another region',
      [
        'status',
        '--region',
        'eu-central-1',
        '--secret',
        'arn:aws:secretsmanager:us-east-1:000000000000:secret:app-abcdef',
      ],
      2,
      /is in us-east-1, and --region says eu-central-1/,
    ],
    [
      'a region that is none',
      ['status', '--secret', 'app', '--region', 'eu west'],
      2,
      /^Region not accepted.*\nNext: correct --region/,
    ],
    [
      'no such secret',
      ['status', '--secret', 'app'],
      4,
      /^ResourceNotFoundException: .*\nNext: see --secret.*--region.*--profile/,
    ],
    [
      'a profile that cannot be read',
      ['status', '--secret', 'app', '--profile', 'nobody'],
      4,
      /^CredentialsProviderError: .*\(profile nobody\)\nNext: .*--profile/,
    ],
  ];

  it('ends with the exit code of its kind, and says what to do', async () => {
    const environment = await startTestEnvironment();
    const { ops } = await operator(environment);
    for (const [what, args, code, pattern] of cases) {
      const ended = await ops(args);
      expect(ended, what).toMatchObject({ code });
      expect(ended.stdout + ended.stderr, what).toMatch(pattern);
    }
    // Of a secret for which nothing was deployed: it is said before a confirmation is asked for.
    const secret = ['--secret', environment.secrets.rotated];
    const [rotate, status] = await Promise.all([ops(['rotate', ...secret]), ops(['status', ...secret])]);
    expect(rotate).toMatchObject({ code: 1, stderr: expect.stringMatching(/^no function was ever set to rotate/) });
    expect(status.stdout).toMatch(/events +cannot be read: no rotation function is set/);
  });
});
