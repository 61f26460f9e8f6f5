import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'synth-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** Nothing of this machine: no credentials, no home, and a proxy that takes no connection. */
const env = {
  PATH: [join(root, 'node_modules', '.bin'), dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
  HOME: work,
  HTTPS_PROXY: 'http://127.0.0.1:9',
};

const firstOut = join(work, 'first');
const secondOut = join(work, 'second');
const readJson = (...path: string[]) => JSON.parse(readFileSync(join(...path), 'utf8'));

describe('cdk synth', () => {
  let printed: ReturnType<typeof spawnSync>;
  beforeAll(() => {
    printed = spawnSync('cdk', ['synth', '--quiet', '--output', firstOut], { cwd: root, env, encoding: 'utf8' });
  });

  test('works without network, credentials, Docker and home directory, and says nothing but that it builds', () => {
    expect(printed.status, String(printed.stderr)).toBe(0);
    expect(printed.stdout).toBe('');
    expect(printed.stderr).toMatch(/^Bundling asset [^\n]*\n$/);
  });

  test('again, gives an asset of the same hash', () => {
    execFileSync('node', ['infra/app.ts'], {
      cwd: root,
      env: { ...env, CDK_OUTDIR: secondOut, CDK_CONTEXT_JSON: JSON.stringify(readJson(root, 'cdk.json').context) },
      stdio: 'pipe',
    });
    const assets = (out: string) => readdirSync(out).filter((name) => name.startsWith('asset.'));
    expect(assets(secondOut)).toEqual(assets(firstOut));
    expect(assets(firstOut)).toHaveLength(1);
  });

  test('tells an operator the next commands, with the ARNs and without a place for a secret in them', () => {
    const { Outputs } = readJson(firstOut, 'ClientSecretRotation.template.json');
    const text = (id: string) => JSON.stringify(Outputs[id].Value);
    expect(text('Step1Login')).toContain('file://login.json');
    expect(text('Step2ClientSecret')).toContain('file://client.json');
    expect(text('Step2Json')).toMatch(/login_secret_arn.*Ref.*LoginSecret.*bridge_secret_arn.*Ref.*BridgeSecret/);
    expect(text('Step3Preflight')).toContain('preflight');
    expect(text('Step4Rotate')).toContain('rotate-secret');
  });
});

test('a wrong context ends with the key and the remedy, without a stack trace', () => {
  const { status, stderr } = spawnSync('node', ['infra/app.ts'], {
    cwd: root,
    env: { ...env, CDK_OUTDIR: join(work, 'wrong'), CDK_CONTEXT_JSON: '{"rotationIntervalDays":0}' },
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  expect(stderr).toContain('rotationIntervalDays is 0, but must be a whole number of days from 1 to 1000');
  expect(stderr).not.toContain('    at ');
});
