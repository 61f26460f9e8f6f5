/**
 * docs/consumers.md: its programs, as a team would have them with the package installed, in one changeover beside the simulated provider
 * and services. After a change of a program: `npx vitest run test/docs/consumers.test.ts -u` puts it into the page.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { RotationEvent } from '../../lambda/rotation/rotation-event.ts';
import { findCanaries } from '../../local/canaries.ts';
import { startSecretsManager } from '../../local/secrets-manager.ts';
import { startProvider } from '../../local/start-provider.ts';
import { fenced, filled } from './page.ts';
import { startTopic } from './sample-deliveries.ts';

const run = promisify(execFile);
const installed = resolve('node_modules');
const read = (path: string) => readFileSync(path, 'utf8');
const recipes = readdirSync('docs/recipes').toSorted();
const python = spawnSync('python3', ['-c', 'import boto3, requests']).status === 0;

/** A project with the built package and the recipes in it, without this repository around it. */
async function startProject(): Promise<string> {
  const app = await mkdtemp(join(tmpdir(), 'recipes-'));
  const modules = join(app, 'node_modules');
  const own = join(modules, 'oauth2-rotation-consumer');
  await mkdir(join(modules, '@aws-sdk'), { recursive: true });
  await run(join(installed, '.bin', 'tsc'), ['-p', 'consumer', '--outDir', join(own, 'dist')]);
  await cp('consumer/package.json', join(own, 'package.json'));
  await symlink(join(installed, '@types'), join(modules, '@types'));
  for (const name of await readdir(join(installed, '@aws-sdk')))
    await symlink(join(installed, '@aws-sdk', name), join(modules, '@aws-sdk', name));
  await cp('docs/recipes', app, { recursive: true });
  await writeFile(join(app, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  // A Lambda function's environment: an invocation a line, with its event; its answer or error a line.
  await writeFile(
    join(app, 'invoke.js'),
    `import { createInterface } from 'node:readline';
    const { handler } = await import(process.argv[2]);
    for await (const line of createInterface(process.stdin))
      console.log(await handler(JSON.parse(line)).then((result) => JSON.stringify(result ?? null), (error) => 'failed: ' + error));`,
  );
  return app;
}

const closers: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

const secretName = 'tradeaware/client';
let app: string;
let provider: Awaited<ReturnType<typeof startProvider>>;
let secretsManager: Awaited<ReturnType<typeof startSecretsManager>>;
let client: SecretsManagerClient;
let topic: Awaited<ReturnType<typeof startTopic>>;
let ecs: Awaited<ReturnType<typeof startEcs>>;
let environment: Record<string, string>;
const arns = { rotated: '', bridge: '' };
let aheadMs = 0;

beforeAll(async () => {
  app = await startProject();
  closers.push(() => rm(app, { recursive: true, force: true }));
  provider = await startProvider({ now: () => Date.now() + aheadMs });
  closers.push(provider.close);
  secretsManager = await startSecretsManager({ region: 'eu-central-1' });
  closers.push(secretsManager.close);
  topic = await startTopic();
  closers.push(topic.close);
  const access = { accessKeyId: 'local', secretAccessKey: 'local' };
  client = new SecretsManagerClient({ endpoint: secretsManager.url, region: 'eu-central-1', credentials: access });
  const create = async (Name: string, value?: object) => {
    const SecretString = value && JSON.stringify(value);
    return (await client.send(new CreateSecretCommand({ Name, ...(SecretString && { SecretString }) }))).ARN ?? '';
  };
  arns.bridge = await create('tradeaware/bridge');
  arns.rotated = await create(secretName, rotatedValue());
  ecs = await startEcs();
  environment = {
    PATH: process.env.PATH ?? '',
    AWS_REGION: 'eu-central-1',
    AWS_DEFAULT_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager.url,
    AWS_ENDPOINT_URL_SNS: topic.url,
    AWS_ENDPOINT_URL_SQS: topic.url,
    AWS_ENDPOINT_URL_ECS: ecs.url,
    NODE_NO_WARNINGS: '1',
    SECRET_ID: secretName,
    SECRET_NAME: secretName,
    TOPIC_ARN: topic.arn,
    API_URL: provider.apiUrl,
    ECS_CLUSTER: 'apps',
    ECS_SERVICE: 'app',
    PORT: '0',
  };
});

const rotatedValue = () => ({
  client_id: provider.client.clientId,
  client_secret: provider.provider.issuedSecret(),
  token_endpoint: provider.tokenEndpoint,
  bridge_secret_arn: arns.bridge,
});

/** All that any of the programs has printed. */
const printed: string[] = [];

interface Program {
  lines: string[];
  /** The first line that has this in it, or will. */
  line(part: string): Promise<string>;
  /** Says a line to it, and hears the next. */
  ask(text: string): Promise<string>;
  /** @returns the exit code of one that was told to end */
  stop(): Promise<number | null>;
}

function start(command: string, args: string[], more: Record<string, string> = {}): Program {
  const child: ChildProcess = spawn(command, args, { cwd: app, env: { ...environment, ...more } });
  const lines: string[] = [];
  const answers: string[] = [];
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    if (!stream) continue;
    createInterface(stream).on('line', (line) => {
      lines.push(line);
      printed.push(line);
      if (stream === child.stdout) answers.push(line);
      for (const listener of listeners) listener();
    });
  }
  const ended = once(child, 'exit');
  closers.push(() => child.kill('SIGKILL'));
  const found = <T>(find: () => T | undefined): Promise<T> => {
    const now = find();
    if (now !== undefined) return Promise.resolve(now);
    return new Promise((resolve, reject) => {
      const look = () => {
        const later = find();
        if (later === undefined) return;
        listeners.delete(look);
        resolve(later);
      };
      listeners.add(look);
      void ended.then(() => reject(new Error(`${args} ended: ${lines.join('\n')}`)));
    });
  };
  return {
    lines,
    line: (part) => found(() => lines.find((line) => line.includes(part))),
    ask(text) {
      const heard = answers.length;
      child.stdin?.write(`${text}\n`);
      return found(() => answers[heard]);
    },
    async stop() {
      child.kill('SIGTERM');
      const [code] = await ended;
      return code;
    },
  };
}

/** A caller of the program, one call after the other until it is stopped. */
function keepCalling(call: () => Promise<unknown>) {
  const answers: unknown[] = [];
  let stopped = false;
  const calling = (async () => {
    while (!stopped) {
      answers.push(await call().catch((error: unknown) => error));
      // Not as fast as it can: the machine is for the programs.
      await delay(20);
    }
  })();
  return {
    answers,
    /** Resolves when a call that began after now has ended. */
    async next() {
      const count = answers.length;
      await vi.waitUntil(() => answers.length > count + 1, { timeout: 60_000, interval: 5 });
    },
    async stop() {
      stopped = true;
      await calling;
      return answers;
    },
  };
}

/** Anew each time: a server may close a connection that is idle at the moment when it is used again. */
const get = async (port: string) =>
  (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })).status;
const portOf = async (program: Program) => (await program.line('listening on ')).split(' ').at(-1) ?? '';

async function startServer(file: string, more?: Record<string, string>) {
  const program = start(process.execPath, [file], more);
  const port = await portOf(program);
  return { program, call: () => get(port) };
}

function startFunction(file: string) {
  const program = start(process.execPath, ['invoke.js', `./${file}`]);
  return { program, call: (event: unknown = {}) => program.ask(JSON.stringify(event)) };
}

function startPython() {
  const program = start('python3', ['consumer.py']);
  return { program, call: () => program.ask(provider.apiUrl) };
}

/** ECS, as far as UpdateService with a forced deployment goes: a new task, healthy, before the old one is told to end. */
async function startEcs() {
  let healthy: { program: Program; port: string } | undefined;
  const requests: unknown[] = [];
  const deployments: Promise<void>[] = [];
  const deploy = async () => {
    const { containerDefinitions } = JSON.parse(read('docs/recipes/service-definition.json')).taskDefinition;
    const given = containerDefinitions[0].secrets as { name: string; valueFrom: string }[];
    const secrets = given.map(async ({ name, valueFrom }) => [name, await injected(valueFrom)] as const);
    const program = start(process.execPath, ['container.ts'], Object.fromEntries(await Promise.all(secrets)));
    const port = await portOf(program);
    expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
    const old = healthy;
    healthy = { program, port };
    expect(await old?.program.stop()).toBe(old && 0);
  };
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    requests.push(JSON.parse(body));
    deployments.push(deploy());
    response.setHeader('content-type', 'application/x-amz-json-1.1').end('{"service":{}}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => server.close());
  return {
    ...{ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, requests, deployments, deploy },
    /** Through the load balancer: to the task that is healthy. */
    call: () => get(healthy?.port ?? ''),
  };
}

/** What ECS puts into an environment: `arn:aws:secretsmanager:region:account:secret:name-6:json-key:stage:version`. */
async function injected(valueFrom: string): Promise<string> {
  const [key = '', stage] = valueFrom.split(':').slice(7);
  const VersionStage = stage || 'AWSCURRENT';
  const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId: arns.rotated, VersionStage }));
  return JSON.parse(SecretString)[key];
}

/** What the function does in a rotation, as lambda/rotation/ writes and publishes it, and a person's hand for the press. */
function startRotation() {
  const token = randomUUID();
  const put = (SecretId: string, value: object, VersionStages: string[], ClientRequestToken: string = randomUUID()) => {
    const SecretString = JSON.stringify(value);
    return client.send(new PutSecretValueCommand({ SecretId, SecretString, ClientRequestToken, VersionStages }));
  };
  const publish = (type: RotationEvent['type'], step: 'createSecret' | 'finishSecret', previous_version_id: string) => {
    const secret = { secret_arn: arns.rotated, secret_name: secretName, region: 'eu-central-1' };
    const data = { ...secret, version_id: token, previous_version_id, step, attempt: 1, existing_tokens_valid: true };
    return topic.publish({ type, severity: 'info', data, time: new Date().toISOString() });
  };
  return {
    async arm(from: string) {
      const minted = provider.provider.mintToken(provider.client.clientId, provider.provider.issuedSecret());
      const times = { expires_at: new Date(Date.now() + 86_400_000).toISOString(), armed_at: new Date().toISOString() };
      const { access_token, token_type } = minted ?? {};
      const slot = {
        client_id: provider.client.clientId,
        access_token,
        token_type,
        ...times,
        armed_for: token,
        armed_from: from,
      };
      await put(arns.bridge, slot, ['AWSCURRENT']);
      await publish('oauth2.client-secret.rotation-started.v1', 'createSecret', from);
    },
    press: () => provider.provider.rotateByHand(),
    async store(from: string) {
      await put(arns.rotated, rotatedValue(), ['AWSPENDING'], token);
      await publish('oauth2.client-secret.pending.v1', 'createSecret', from);
    },
    async finish(from: string) {
      const labels = { VersionStage: 'AWSCURRENT', MoveToVersionId: token, RemoveFromVersionId: from };
      await client.send(new UpdateSecretVersionStageCommand({ SecretId: arns.rotated, ...labels }));
      await publish('oauth2.client-secret.rotated.v1', 'finishSecret', from);
    },
  };
}

describe('in a changeover', () => {
  type Caller = ReturnType<typeof keepCalling>;
  const running = new Map<string, Caller>();
  /** Started between the press and AWSPENDING, and what their first call got. */
  const cold = new Map<string, unknown>();
  const ok = new Map<string, (answer: unknown) => boolean>();
  const isStatus = (answer: unknown) => Number(answer) === 200;
  let instances: Awaited<ReturnType<typeof startServer>>[];
  let redeploy: ReturnType<typeof startFunction>;
  const mintedWith = new Map<number, number>();
  const clientSecrets = new Map<string, string>();

  beforeAll(async () => {
    const { VersionId: before = '' } = await client.send(new GetSecretValueCommand({ SecretId: arns.rotated }));
    const toLambda = await topic.subscribe('redeploy', {
      FilterPolicy: JSON.stringify({ type: ['oauth2.client-secret.rotated.v1'], secret_name: [secretName] }),
    });
    const [service, , ...others] = await Promise.all([
      startServer('service.ts'),
      ecs.deploy(),
      startServer('several-instances.ts'),
      startServer('several-instances.ts'),
    ]);
    instances = others;
    redeploy = startFunction('redeploy.ts');
    const callers: [string, () => Promise<unknown>][] = [
      ['service.ts', service.call],
      ['container.ts', ecs.call],
      ...instances.map(({ call }, at): [string, typeof call] => [`several-instances.ts ${at}`, call]),
      ['lambda-function.ts', startFunction('lambda-function.ts').call],
      ...(python ? [['consumer.py', startPython().call] as [string, () => Promise<string>]] : []),
    ];
    for (const [name, call] of callers) {
      ok.set(name, name === 'lambda-function.ts' ? (answer) => answer === '{"statements":4}' : isStatus);
      running.set(name, keepCalling(call));
    }
    const everybodyCalls = () => Promise.all([...running.values()].map((caller) => caller.next()));
    await everybodyCalls();
    provider.provider.onFact((fact) => {
      if (fact.fact === 'token-minted') mintedWith.set(fact.secretNumber, (mintedWith.get(fact.secretNumber) ?? 0) + 1);
    });

    const rotation = startRotation();
    await rotation.arm(before);
    clientSecrets.set('old', provider.provider.issuedSecret());
    rotation.press();
    clientSecrets.set('new', provider.provider.issuedSecret());
    const starting: [string, () => Promise<unknown>][] = [
      ['service.ts', async () => (await startServer('service.ts')).call()],
      ['lambda-function.ts', startFunction('lambda-function.ts').call],
      ...(python ? [['consumer.py', startPython().call] as [string, () => Promise<string>]] : []),
    ];
    await Promise.all(starting.map(async ([name, call]) => cold.set(name, await call())));
    await everybodyCalls();
    await rotation.store(before);
    await rotation.finish(before);
    await everybodyCalls();
    // SNS, which invokes the function; the topic on loopback delivers to queues only.
    const [message] = await toLambda();
    const notification = JSON.parse(message?.Body ?? '{}');
    await redeploy.call({ Records: [{ EventSource: 'aws:sns', Sns: notification }] });
    await Promise.all(ecs.deployments);
    await everybodyCalls();
    // A day later every token from before has expired.
    aheadMs = 25 * 3_600_000;
    await everybodyCalls();
    for (const caller of running.values()) await caller.stop();
  });

  const names = [
    'service.ts',
    'container.ts',
    'several-instances.ts 0',
    'several-instances.ts 1',
    'lambda-function.ts',
  ];

  it.each(names)('%s has no failed call', (name) => {
    const answers = running.get(name)?.answers ?? [];
    expect(answers.length).toBeGreaterThan(10);
    expect(answers.filter((answer) => !ok.get(name)?.(answer))).toEqual([]);
  });

  it.runIf(python)('consumer.py has no failed call (needs python3 with boto3 and requests)', () => {
    const answers = running.get('consumer.py')?.answers ?? [];
    expect(answers.length).toBeGreaterThan(10);
    expect(answers.filter((answer) => !isStatus(answer))).toEqual([]);
  });

  it.each(['service.ts', 'lambda-function.ts'])('%s that starts before AWSPENDING can be read is served', (name) => {
    expect(ok.get(name)?.(cold.get(name))).toBe(true);
  });

  it.runIf(python)('consumer.py that starts before AWSPENDING can be read is served', () => {
    expect(cold.get('consumer.py')).toBe('200');
  });

  it.runIf(python)('consumer.py goes on with a live token, whatever a renewal comes upon', async () => {
    const program = `
import consumer
tokens = consumer.Tokens("x")
for value in (None, [], "text", {}, {"bridge_secret_arn": "x", "expires_at": None}):
    tokens.token, tokens.renew_at, tokens.expires_at = "live", 0, consumer.now() + 60
    tokens.read = lambda *_: value
    print(tokens.get())`;
    const { stdout } = await run('python3', ['-c', program], { cwd: app, env: environment });
    expect(stdout).toBe('live\n'.repeat(5));
  });

  it('a day later all of them mint with the new client secret', () => {
    expect(mintedWith.get(2)).toBeGreaterThanOrEqual(running.size);
  });

  it('each of several instances hears of it', async () => {
    for (const { program } of instances) await program.line('oauth2.client-secret.rotated.v1 credentials-changed');
  });

  it('an instance that ends takes its queue with it', async () => {
    for (const { program } of instances) expect(await program.stop()).toBe(0);
    expect(await topic.queues()).toEqual([expect.stringContaining('redeploy')]);
  });

  it('redeploy.ts has the service replaced once, and by no other event', async () => {
    expect(ecs.requests).toEqual([{ cluster: 'apps', service: 'app', forceNewDeployment: true }]);
    for (const type of ['pending.v1', 'rotated.v1']) {
      // The sample's secret has the same name, the changed one another.
      const event = read(`docs/samples/${type}/sns-to-lambda.json`);
      await redeploy.call(JSON.parse(type === 'rotated.v1' ? event.replaceAll('tradeaware/client', 'other') : event));
    }
    expect(ecs.requests).toHaveLength(1);
  });

  it('no program prints a client secret or a token', () => {
    const lines = printed.join('\n');
    for (const what of ['"type":"bridge"', 'redeploying app', 'credentials-changed']) expect(lines).toContain(what);
    expect(findCanaries(lines, clientSecrets)).toEqual([]);
    // An access token is a JSON Web Token.
    expect(lines).not.toContain('eyJ');
  });
});

describe('the page', () => {
  it('has every recipe as it was run here', async () => {
    const languages: Record<string, string> = { ts: 'ts', py: 'python', json: 'json', yaml: 'yaml' };
    const parts = recipes.map((name) => [
      name,
      fenced(languages[name.split('.').at(-1) ?? ''] ?? '', read(`docs/recipes/${name}`)),
    ]);
    const page = filled(read('docs/consumers.md'), Object.fromEntries(parts));
    await expect(page).toMatchFileSnapshot('../../docs/consumers.md');
  });

  it('has programs that compile, strictly, with the package and module nodenext', async () => {
    const compilerOptions = {
      ...{ module: 'nodenext', target: 'es2023', lib: ['es2023'], types: ['node'], skipLibCheck: true },
      ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, noEmit: true },
    };
    await writeFile(
      join(app, 'wrong.ts'),
      "import 'oauth2-rotation-consumer';\n// @ts-expect-error\nconst wrong: number = '';\nvoid wrong;\n",
    );
    await writeFile(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
    const { stdout } = await run(join(installed, '.bin', 'tsc'), ['-p', app]).catch(
      (error: { stdout: string }) => error,
    );
    expect(stdout).toBe('');
  });

  it('grants what the programs ask of Secrets Manager, and no more', () => {
    const [statement] = JSON.parse(read('docs/recipes/consumer-policy.json')).Statement;
    const setUp = new Set(['CreateSecret', 'PutSecretValue', 'UpdateSecretVersionStage']);
    const asked = new Set(secretsManager.requests.map(({ operation }) => operation).filter((name) => !setUp.has(name)));
    expect([...asked].map((name) => `secretsmanager:${name}`)).toEqual([statement.Action]);
  });

  it('has an ExternalSecret whose references lead to values', async () => {
    const text = read('docs/recipes/external-secret.yaml');
    const references = [...text.matchAll(/remoteRef: \{ key: (\S+), property: (\w+) \}/g)];
    expect(references).toHaveLength(2);
    for (const [, SecretId, property = ''] of references) {
      const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId }));
      expect(JSON.parse(SecretString)[property]).toEqual(expect.any(String));
    }
  });
});
