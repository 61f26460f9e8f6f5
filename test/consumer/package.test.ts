/** What a subscribing team gets: the packed package in a project of its own, without this repository around it. */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';

const run = promisify(execFile);
const installed = resolve('node_modules');
const bin = join(installed, '.bin');
const env = {
  ...process.env,
  PATH: `${bin}:${process.env.PATH}`,
  npm_config_update_notifier: 'false',
  npm_config_offline: 'true',
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
};
/** The machine's own Node.js, where it is another than this one and of those that the package is for. */
const others = (process.env.PATH ?? '').split(delimiter).filter((dir) => !dir.includes('node_modules'));
const versions = others.map((dir) => {
  const node = join(dir, 'node');
  return { node, version: String(spawnSync(node, ['-p', 'process.versions.node']).stdout ?? '').trim() };
});
const other = versions.find(({ version }) => version !== process.versions.node && Number.parseInt(version, 10) >= 20);
let root: string;
let app: string;
let servers: Server[] = [];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'packed-'));
  app = join(root, 'app');
  // A copy, so that nothing is built into the repository.
  const isBuilt = (path: string) => /[\\/]dist([\\/]|$)/.test(path.slice(resolve('consumer').length));
  await cp('consumer', join(root, 'consumer'), { recursive: true, filter: (path) => !isBuilt(path) });
  await cp('tsconfig.json', join(root, 'tsconfig.json'));
  await symlink(installed, join(root, 'node_modules'));
  await run('npm', ['pack', '--pack-destination', root], { cwd: join(root, 'consumer'), env });
  await rm(join(root, 'node_modules'));
  const tarball = (await readdir(root)).find((name) => name.endsWith('.tgz')) ?? '';
  await mkdir(app);
  await writeFile(join(app, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }));
  // The peer is put beside it by hand: there is no registry.
  const flags = ['--no-save', '--legacy-peer-deps', '--no-audit', '--no-fund'];
  await run('npm', ['install', ...flags, join(root, tarball)], { cwd: app, env });
  for (const scope of ['@aws-sdk', '@types']) await symlink(join(installed, scope), join(app, 'node_modules', scope));
});

afterAll(() => rm(root, { recursive: true, force: true }));

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  servers = [];
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Secrets Manager, the token endpoint and an API in one, as far as one consumer needs them. */
const serveAll = (token: RequestListener) =>
  serve(async (request, response) => {
    if (request.url === '/token') return token(request, response);
    if (request.url === '/api') return response.end(request.headers.authorization);
    const { SecretId, VersionStage } = JSON.parse(await text(request)) as { SecretId: string; VersionStage: string };
    if (VersionStage !== 'AWSCURRENT' || SecretId !== 'the-secret') {
      return response.writeHead(400).end(JSON.stringify({ __type: 'ResourceNotFoundException' }));
    }
    const value = {
      client_id: 'client',
      client_secret: 'canary-secret',
      token_endpoint: `http://${request.headers.host}/token`,
      bridge_secret_arn: 'bridge',
    };
    response.end(JSON.stringify({ SecretString: JSON.stringify(value), VersionId: 'v1' }));
  });

/** @returns what the program printed, and its exit code */
async function runApp(program: string, url: string, node = 'node') {
  const file = join(app, `program-${Math.random().toString(36).slice(2)}.js`);
  await writeFile(file, program);
  const child = spawn(node, [file], {
    cwd: app,
    env: { ...env, AWS_ENDPOINT_URL_SECRETS_MANAGER: url, URL_UNDER_TEST: url },
  });
  const [printed, failed, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { printed: printed + failed, code };
}

const accepting: RequestListener = (_request, response) =>
  response.end(JSON.stringify({ access_token: 'a.b.c', token_type: 'bearer', expires_in: 86_400 }));

const program = `
import { clientCredentialsTokens, secretsManagerCredentials, withAccessToken } from 'oauth2-rotation-consumer';
const source = clientCredentialsTokens({ credentials: secretsManagerCredentials({ secretId: 'the-secret' }) });
`;

it('holds the built code, its types and no more', async () => {
  const packed = join(app, 'node_modules', 'oauth2-rotation-consumer');
  expect((await readdir(packed)).toSorted()).toEqual(['LICENSE', 'README.md', 'dist', 'package.json']);
  const modules = (await readdir('consumer')).filter((name) => name.endsWith('.ts')).map((name) => name.slice(0, -3));
  expect((await readdir(join(packed, 'dist'))).toSorted()).toEqual(
    modules.flatMap((name) => [`${name}.d.ts`, `${name}.js`]).toSorted(),
  );
  const manifest = JSON.parse(await readFile(join(packed, 'package.json'), 'utf8'));
  expect(manifest).not.toHaveProperty('dependencies');
});

async function expectItIsUsed(node?: string) {
  const url = await serveAll(accepting);
  const { printed, code } = await runApp(
    `${program}
    const answer = await withAccessToken(source)(process.env.URL_UNDER_TEST + 'api');
    console.log(await answer.text(), source, JSON.stringify(source));`,
    url,
    node,
  );
  expect(printed).toContain('Bearer a.b.c ');
  expect(printed).not.toContain('canary');
  expect(code).toBe(0);
}

it('is used from plain JavaScript with nothing but the name of the secret', () => expectItIsUsed());

it.runIf(other)(`is used with the machine's own Node.js too (20 or newer; here ${other?.version})`, () =>
  expectItIsUsed(other?.node),
);

it('is used from TypeScript with module nodenext, and the README’s programs compile', async () => {
  const readme = await readFile('consumer/README.md', 'utf8');
  const snippets = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code = '']) => code);
  expect(snippets.length).toBeGreaterThan(1);
  await Promise.all(snippets.map((code, at) => writeFile(join(app, `snippet-${at}.ts`), code)));
  await writeFile(
    join(app, 'wrong.ts'),
    `import { secretsManagerCredentials } from 'oauth2-rotation-consumer';\n// @ts-expect-error\nsecretsManagerCredentials({});\n`,
  );
  const compilerOptions = {
    ...{ module: 'nodenext', target: 'es2022', lib: ['es2022'], types: ['node'] },
    ...{ strict: true, exactOptionalPropertyTypes: true, noEmit: true },
  };
  await writeFile(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  const { stdout } = await run(join(bin, 'tsc'), ['-p', '.'], { cwd: app, env }).catch(
    (error: { stdout: string }) => error,
  );
  expect(stdout).toBe('');
});

it('holds a process only as long as somebody waits for a token', async () => {
  let accepts = true;
  const url = await serveAll((request, response) =>
    accepts ? accepting(request, response) : response.writeHead(401).end('{"error":"invalid_client"}'),
  );
  // With a token, and after a renewal that failed, nothing is left running.
  const idle = await runApp(`${program} await source.getToken(); console.log('done');`, url);
  expect(idle).toEqual({ printed: 'done\n', code: 0 });
  accepts = false;
  // Everybody has left: the rest of the minute is not waited for.
  const left = await runApp(
    `${program}
    const leaving = new AbortController();
    const waits = [1, 2].map(() => source.getToken({ signal: leaving.signal }));
    setTimeout(() => leaving.abort(new Error('left')), 300);
    console.log((await Promise.allSettled(waits)).map(({ reason }) => reason.message).join());
    const beganMs = performance.now();
    process.on('exit', () => console.log(performance.now() - beganMs < 5_000 ? 'at once' : 'late'));`,
    url,
  );
  expect(left).toEqual({ printed: 'left,left\nat once\n', code: 0 });
  // A job that is nothing but this call lives to hear what became of it.
  const waiting = await runApp(
    `${program.replace('({ credentials', '({ rotationWait: 600, credentials')}
    await source.getToken().catch((error) => console.log(error.code));`,
    url,
  );
  expect(waiting).toEqual({ printed: 'client-rejected\n', code: 0 });
});

it('a renewal that fails in the background ends no process', async () => {
  let requests = 0;
  const url = await serveAll((request, response) => {
    requests += 1;
    if (requests === 1) response.end('{"access_token":"a","token_type":"Bearer","expires_in":5}');
    else request.socket.destroy();
  });
  const { printed, code } = await runApp(
    `import { clientCredentialsTokens, secretsManagerCredentials } from 'oauth2-rotation-consumer';
    let heard;
    const renewal = new Promise((resolve) => { heard = resolve; });
    let aheadMs = 0;
    const clock = {
      nowMs: () => Date.now() + aheadMs,
      monotonicMs: () => performance.now() + aheadMs,
      random: Math.random,
      sleep: () => Promise.reject(new Error('nobody should wait')),
    };
    const source = clientCredentialsTokens({
      credentials: secretsManagerCredentials({ secretId: 'the-secret' }),
      clock,
      onEvent: (event) => { if (event.type === 'renew-failed') heard(); },
    });
    const first = await source.getToken();
    aheadMs = 3_500;
    const served = await source.getToken();
    await renewal;
    console.log(served === first);`,
    url,
  );
  expect({ printed, code }).toEqual({ printed: 'true\n', code: 0 });
});
