import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startTestEnvironment } from '../harness.ts';
import { facts, operator } from './ops-command.ts';

/** Secrets Manager, SNS and SQS as somebody else has read their documentation: https://github.com/getmoto/moto */
const hasMoto = spawnSync('python3', ['-c', 'import moto.server']).status === 0;

describe.runIf(hasMoto)('on moto in place of the embedded services (needs python3 with moto[server])', () => {
  let endpoint = '';
  let stop = () => {};

  beforeAll(async () => {
    const reserved = createServer().listen(0, '127.0.0.1');
    await once(reserved, 'listening');
    const { port } = reserved.address() as AddressInfo;
    reserved.close();
    await once(reserved, 'close');
    const moto = spawn('python3', ['-m', 'moto.server', '-H', '127.0.0.1', '-p', `${port}`], { stdio: 'ignore' });
    stop = () => void moto.kill('SIGKILL');
    endpoint = `http://127.0.0.1:${port}`;
    await vi.waitFor(() => fetch(`${endpoint}/moto-api/`), { timeout: 60_000, interval: 50 });
  });
  afterAll(() => stop());

  it('init stores, status tells, preflight and doctor find all well, a rotation presses once, and events are followed', async () => {
    const environment = await startTestEnvironment({ endpoint });
    const { provider, secrets, value, topicArn } = environment;
    const { ops, start } = await operator(environment);
    const names = ['c', 'l', 'b'].map((name) => `${name}-${Date.now()}`);
    const [empty, login, bridge] = await Promise.all(names.map((name) => environment.createEmptySecret(name)));
    const input = {
      login: provider.login,
      client: {
        client_id: provider.client.clientId,
        token_endpoint: provider.tokenEndpoint,
        developer_tools_url: provider.developerToolsUrl,
      },
    };
    const arns = ['--login-secret', `${login}`, '--bridge-secret', `${bridge}`];
    expect(await ops(['--secret', `${empty}`, 'init', ...arns], JSON.stringify(input))).toMatchObject({ code: 0 });
    expect(await value({ label: 'AWSCURRENT' }, login)).toEqual(provider.login);
    expect(await value({ label: 'AWSCURRENT' }, empty)).toMatchObject(input.client);

    const given = ['--secret', secrets.rotated, '--function', 'rotation', '--json'];
    const followed = start([...given, 'events', '--topic', topicArn, '--count', '3']);
    await followed.said(/Following/);
    const before = provider.provider.issuedSecret();
    await environment.rotate();
    expect(provider.provider.counters).toMatchObject({ presses: 1, otherClicks: {} });
    expect(await value({ label: 'AWSCURRENT' })).toMatchObject({ client_secret: provider.provider.issuedSecret() });
    expect(await value({ label: 'AWSPREVIOUS' })).toMatchObject({ client_secret: before });
    expect(facts(await followed.ended).map(({ type }) => type)).toEqual([
      'oauth2.client-secret.rotation-started.v1',
      'oauth2.client-secret.pending.v1',
      'oauth2.client-secret.rotated.v1',
    ]);

    const [looked] = facts(await ops([...given, 'preflight']));
    expect(looked).toMatchObject({ ok: true, drift: false, repairs: [] });
    expect(await ops([...given, 'doctor'])).toMatchObject({ code: 0 });
    const [known] = facts(await ops([...given, 'status']));
    expect(known).toMatchObject({
      rotation_enabled: true,
      preflight: 'ok',
      bridge: { attempt: 1 },
      events: [{ type: 'rotation-started' }, { type: 'pending' }, { type: 'rotated' }],
    });
    expect(provider.provider.counters.presses).toBe(1);
  });
});
