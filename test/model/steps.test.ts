import { describe, expect, it } from 'vitest';
import { guard } from '../../lambda/rotation/0-guard.ts';
import { createSecret } from '../../lambda/rotation/1-create-secret.ts';
import { slotId } from '../../lambda/rotation/1c-slot.ts';
import { setSecret } from '../../lambda/rotation/2-set-secret.ts';
import { testSecret } from '../../lambda/rotation/3-test-secret.ts';
import { finishSecret } from '../../lambda/rotation/4-finish-secret.ts';
import { dropLabel, releasePending, versionWith } from '../../lambda/rotation/labels.ts';
import { changeoverMs, recentSlotMs, secondLookAfterMs, secondPressAfterMs } from '../../lambda/rotation/limits.ts';
import type { DeveloperTools, Ports, RotateDialog, SecretDescription, Verdict } from '../../lambda/rotation/ports.ts';
import { type PreflightReport, preflight } from '../../lambda/rotation/preflight.ts';
import { LoginRefused, RotationError } from '../../lambda/rotation/rotation-error.ts';
import type { RotationEvent } from '../../lambda/rotation/rotation-event.ts';
import { reportFailure } from '../../lambda/rotation/rotation-failed.ts';
import type { Run } from '../../lambda/rotation/run.ts';
import { recordState } from '../../lambda/rotation/state.ts';
import { calm } from './histories.ts';
import { limits, rotatedArn, tokenFor, World } from './world.ts';

const { propagationMs: P, lateEffectMs: L } = limits;
const token = tokenFor('the rotation');
const first = 'version-0000000000000000000000000000';
const bridgeArn = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:bridge-cccccc';

interface Scene {
  token?: string;
  /** What was before, by other ports than the step's. */
  before?: (ports: Ports) => Promise<unknown>;
  /** Parts of the ports, for what the world does not do of itself. */
  but?: (ports: Ports, world: World) => { [Port in keyof Ports]?: Partial<Ports[Port]> };
  tools?: (tools: DeveloperTools, world: World) => Partial<DeveloperTools>;
  press?: (dialog: RotateDialog, world: World) => Promise<void>;
  run?: (world: World) => Partial<Run>;
}

/** One invocation in the world of the model, without faults but those of the scene. */
async function play(act: (run: Run, ports: Ports, world: World) => Promise<unknown>, scene: Scene = {}) {
  const world = new World(calm, () => undefined);
  const own = scene.token ?? token;
  const { signal } = new AbortController();
  const before = world.ports(world.invocation('before', own, signal, () => undefined));
  const by = world.invocation('the step', own, signal, () => undefined);
  const plain = world.ports(by);
  const events: RotationEvent[] = [];
  const pausesMs: number[] = [];
  const learned = new Set<unknown>();
  const dialog = { cancelled: 0 };
  const publish = async (event: RotationEvent) => {
    await plain.events.publish(event);
    events.push(event);
  };
  const sleep = (durationMs: number, until: AbortSignal) => {
    pausesMs.push(durationMs);
    return plain.clock.sleep(durationMs, until);
  };
  const open: Ports['portal']['open'] = async (...given) => {
    const tools = await plain.portal.open(...given);
    const openRotateDialog = async (until: AbortSignal) => {
      const opened = await tools.openRotateDialog(until);
      return {
        press: () => (scene.press ? scene.press(opened, world) : opened.press(until)),
        cancel: async () => {
          dialog.cancelled += 1;
        },
      };
    };
    return { ...tools, openRotateDialog, ...scene.tools?.(tools, world) };
  };
  const but = scene.but?.(plain, world) ?? {};
  const ports: Ports = {
    ...plain,
    portal: { ...plain.portal, open, ...but.portal },
    events: { ...plain.events, publish, ...but.events },
    clock: { ...plain.clock, sleep, ...but.clock },
    secrets: { ...plain.secrets, ...but.secrets },
    tokens: { ...plain.tokens, ...but.tokens },
    learnSecret: (value) => learned.add(value),
  };
  world.beginRotation(own);
  let error: unknown;
  let left: SecretDescription | undefined;
  let value: Record<string, unknown> = {};
  let slot: Record<string, unknown> = {};
  const json = async (id: string, which: { label: string } | { versionId: string }) =>
    JSON.parse((await before.secrets.read(id, which))?.value ?? '{}') as Record<string, unknown>;
  await world.time.run(
    (async () => {
      await scene.before?.(before);
      by.startedAtMs = world.time.nowMs;
      const run = { ...world.run(by, 'createSecret'), ...scene.run?.(world) };
      try {
        await act(run, ports, world);
      } catch (thrown) {
        error = thrown;
      }
      left = await before.secrets.describe(rotatedArn);
      value = await json(rotatedArn, { versionId: own });
      slot = await json(bridgeArn, { label: 'AWSCURRENT' });
    })(),
  );
  const effects = world.history.filter(({ who }) => who === 'the step').map(({ what }) => what.replace(/ -> .*/s, ''));
  const labels = Object.fromEntries(left?.labels ?? []);
  return { world, error, events, effects, labels, tags: left?.tags, value, slot, pausesMs, dialog, learned };
}

const changes = (effects: readonly string[]) =>
  effects.filter((effect) => /^(PRESS|put|publish|move|tag)/.test(effect));
const presses = (effects: readonly string[]) => effects.filter((effect) => effect === 'PRESS').length;

const allSteps = async (run: Run, ports: Ports) => {
  for (const step of [createSecret, setSecret, testSecret, finishSecret]) await step(run, ports);
};

const currentValue = async ({ secrets }: Ports) =>
  JSON.parse((await secrets.read(rotatedArn, { label: 'AWSCURRENT' }))?.value ?? '') as Record<string, unknown>;

/** A version that has its value already, as if an earlier invocation had stored it. */
const pendingHolds = (parts: Record<string, unknown>) => async (ports: Ports) => {
  const value = JSON.stringify({ ...(await currentValue(ports)), ...parts });
  await ports.secrets.put(rotatedArn, { versionId: token, value, labels: ['AWSPENDING', 'ROTATED_DUE'] });
};

const another = (parts: Partial<Record<'armed_for' | 'armed_from' | 'scope', string>> & { attempt?: number } = {}) => {
  const slot = { armed_for: 'x'.repeat(32), armed_from: first, attempt: 1, armed_by: 'a', ...parts };
  return async ({ secrets, clock }: Ports) => {
    const value = JSON.stringify({ ...slot, armed_at: clock.now().toISOString() });
    await secrets.put(bridgeArn, {
      versionId: slotId(rotatedArn, slot.armed_from, slot.attempt),
      value,
      labels: ['AWSCURRENT'],
    });
  };
};

const failure = (category: RotationError['category'], pressed: RotationError['pressed'] = 'unknown') =>
  new RotationError({ category, what: 'a fault', retryable: true, pressed, action: 'retry' });

const verdicts = (answer: (clientSecret: string) => Verdict | undefined) => (ports: Ports) => ({
  tokens: {
    mint: async (...[credentials, signal]: Parameters<Ports['tokens']['mint']>) =>
      answer(credentials.clientSecret) ?? (await ports.tokens.mint(credentials, signal)),
  },
});
const rejected: Verdict = { verdict: 'rejected', detail: 'status 401' };
const unreachable: Verdict = { verdict: 'unreachable', detail: 'status 503' };

describe('the order of a rotation’s effects', () => {
  it('nothing stands between the slot and the press but the last checks, and nothing between the press and the store', async () => {
    const { error, effects, labels, events, value, slot } = await play(allSteps);
    expect(error).toBeUndefined();
    expect(effects).toEqual([
      'describe',
      'read rotated AWSCURRENT',
      'describe',
      'read rotated AWSCURRENT',
      'read rotated the rotation',
      'read bridge AWSCURRENT',
      'read bridge AWSPREVIOUS',
      'read login AWSCURRENT',
      'log in',
      'load Developer Tools',
      'mint with client-secret-000',
      'read rotated AWSPREVIOUS',
      'prove the topic',
      'open the dialog',
      `put bridge ${slotId(rotatedArn, first, 1).slice(0, 12)}`,
      'publish rotation-started',
      'describe',
      'look at Developer Tools',
      'PRESS',
      'look at Developer Tools',
      'put rotated the rotation',
      'publish pending',
      'describe',
      'close the browser',
      'describe',
      'read rotated AWSCURRENT',
      'read rotated the rotation',
      'describe',
      'read rotated AWSCURRENT',
      'read rotated the rotation',
      'mint with client-secret-001',
      'read bridge AWSCURRENT',
      'read bridge AWSPREVIOUS',
      'describe',
      'read rotated AWSCURRENT',
      'read rotated the rotation',
      'move AWSCURRENT from the first version to the rotation',
      'read bridge AWSCURRENT',
      'read bridge AWSPREVIOUS',
      'publish rotated',
      'move ROTATED_DUE from the rotation to nowhere',
      'mint with client-secret-000',
      'mint with client-secret-001',
    ]);
    expect(labels).toEqual({ [first]: ['AWSPREVIOUS'], [token]: ['AWSPENDING', 'AWSCURRENT'] });
    expect(value).toMatchObject({ client_id: 'the-client', client_secret: 'client-secret-001' });
    expect(slot).toEqual({
      client_id: 'the-client',
      access_token: 'a-token',
      token_type: 'Bearer',
      expires_at: expect.stringMatching(/^2027-01-16T08/),
      scope: 'x',
      armed_for: token,
      armed_from: first,
      attempt: 1,
      armed_by: expect.stringMatching(/^[\da-f-]{36}$/),
      armed_at: expect.stringMatching(/^2027-01-15T08/),
    });
    const about = {
      secret_arn: rotatedArn,
      secret_name: 'rotated',
      region: 'eu-central-1',
      client_id: 'the-client',
      version_id: token,
      previous_version_id: first,
      existing_tokens_valid: true,
    };
    const armedAtMs = Date.parse(String(slot.armed_at));
    expect(events).toEqual([
      {
        type: 'oauth2.client-secret.rotation-started.v1',
        severity: 'info',
        data: { ...about, step: 'createSecret', attempt: 1 },
      },
      {
        type: 'oauth2.client-secret.pending.v1',
        severity: 'info',
        data: {
          ...about,
          step: 'createSecret',
          attempt: 0,
          pressed: 'yes',
          adopted: false,
          changeover_ms: 120,
          previous_invalid_after: new Date(armedAtMs + 280 + P).toISOString(),
        },
      },
      {
        type: 'oauth2.client-secret.rotated.v1',
        severity: 'info',
        data: {
          ...about,
          step: 'finishSecret',
          attempt: 0,
          previous_invalid_after: new Date(armedAtMs + 15_000 + L + P).toISOString(),
        },
      },
    ]);
  });

  it('each step, asked again after AWSCURRENT has moved, only makes sure of what it owes', async () => {
    const { error, effects } = await play(async (run, ports, world) => {
      await allSteps(run, ports);
      world.tell('the step', '-', 'read');
      await createSecret(run, ports);
      await setSecret(run, ports);
      await testSecret(run, ports);
      await finishSecret(run, ports);
    });
    expect(error).toBeUndefined();
    expect(effects.slice(effects.indexOf('-') + 1)).toEqual([
      ...['describe', 'describe', 'describe', 'describe'],
      'read rotated AWSCURRENT',
      'read rotated AWSPREVIOUS',
      'mint with client-secret-000',
      'mint with client-secret-001',
    ]);
  });

  it('createSecret, asked again, looks at no portal and tells again what it knows', async () => {
    const { error, effects, events } = await play(createSecret, { before: pendingHolds({ client_secret: 'another' }) });
    expect(error).toBeUndefined();
    expect(effects.filter((effect) => !/^(read|describe)/.test(effect))).toEqual(['publish pending']);
    expect(events[0]?.data).toMatchObject({ version_id: token, previous_version_id: first, attempt: 0 });
    expect(Object.keys(events[0]?.data ?? {})).not.toContain('pressed');
  });

  it('a version that became AWSCURRENT meanwhile is announced as pending no more', async () => {
    let described = 0;
    const { error, effects } = await play(createSecret, {
      before: pendingHolds({ client_secret: 'client-secret-000 ' }),
      but: (ports) => ({
        secrets: {
          describe: async (id) => {
            described += 1;
            if (described === 3) await ports.secrets.moveLabel(id, 'AWSCURRENT', { from: first, to: token });
            return ports.secrets.describe(id);
          },
        },
      }),
    });
    expect(error).toBeUndefined();
    expect(changes(effects)).toEqual(['move AWSCURRENT from the first version to the rotation']);
  });

  it('the version became AWSCURRENT between two looks: done, and nothing is announced', async () => {
    let described = 0;
    const { error, effects } = await play(createSecret, {
      but: (ports) => ({
        secrets: {
          describe: async (id) => {
            const description = await ports.secrets.describe(id);
            described += 1;
            const labels = new Map([[token, ['AWSCURRENT']]]);
            return described >= 2 ? { ...description, labels } : description;
          },
        },
      }),
    });
    expect(error).toBeUndefined();
    expect(changes(effects)).toEqual([]);
  });

  it('an event that cannot be published stops no rotation', async () => {
    const { error, value } = await play(createSecret, {
      but: () => ({ events: { publish: () => Promise.reject(failure('event')) } }),
    });
    expect(error).toBeUndefined();
    expect(value).toMatchObject({ client_secret: 'client-secret-001' });
  });

  it('the browser is closed, whatever happens', async () => {
    const { error, effects, labels } = await play(createSecret, { but: verdicts(() => unreachable) });
    expect(error).toMatchObject({ category: 'token-endpoint' });
    expect(labels[token]).toEqual(['AWSPENDING']);
    expect(effects.at(-1)).toBe('close the browser');
  });
});

describe('a version that can never succeed is given up', () => {
  it('one that holds a copy of AWSCURRENT', async () => {
    const { error, labels, effects } = await play(createSecret, { before: pendingHolds({}) });
    expect(error).toMatchObject({ category: 'secret-store', retryable: false });
    expect(labels[token] ?? []).toEqual([]);
    expect(effects).not.toContain('log in');
  });

  const holdsTheSecretOfBefore = (labels: string[]) => async (ports: Ports) => {
    const value = JSON.stringify({ ...(await currentValue(ports)), client_secret: 'client-secret-of-before' });
    await ports.secrets.put(rotatedArn, { versionId: 'd'.repeat(32), value, labels: ['AWSPREVIOUS'] });
    await ports.secrets.put(rotatedArn, { versionId: token, value, labels });
  };

  it('one that holds a copy of what was AWSCURRENT when Secrets Manager made it', async () => {
    const { error, labels, effects } = await play(createSecret, { before: holdsTheSecretOfBefore(['AWSPENDING']) });
    expect(error).toMatchObject({ category: 'secret-store', retryable: false });
    expect(labels[token] ?? []).toEqual([]);
    expect(effects).not.toContain('publish pending');
  });

  it('not one that has adopted what was AWSCURRENT before', async () => {
    const before = holdsTheSecretOfBefore(['AWSPENDING', 'ROTATED_DUE']);
    const { error, labels, effects } = await play(createSecret, { before });
    expect(error).toBeUndefined();
    expect(labels[token]).toEqual(['AWSPENDING', 'ROTATED_DUE']);
    expect(effects).toContain('publish pending');
  });

  it('one that was to adopt, and finds nothing to adopt', async () => {
    const adopting = `adopt-${'a'.repeat(32)}`;
    const { error, labels, effects } = await play(createSecret, { token: adopting });
    expect(error).toMatchObject({ category: 'concurrency', retryable: false, pressed: 'no' });
    expect(labels[adopting] ?? []).toEqual([]);
    expect(presses(effects)).toBe(0);
  });

  it('not one that is as empty as AWSCURRENT is before its first load', async () => {
    const { error } = await play(createSecret, {
      before: pendingHolds({ client_secret: undefined }),
      but: (ports) => ({
        secrets: {
          read: async (id, which) => {
            const version = await ports.secrets.read(id, which);
            return version && { ...version, value: version.value.replace('"client_secret":"client-secret-000",', '') };
          },
        },
      }),
    });
    expect(error).toBeUndefined();
  });
});

describe('a press that comes to an end after another rotation has', () => {
  const overtaker = 'e'.repeat(32);
  /** What an invocation leaves that adopted what this one is about to press, moved AWSCURRENT, and died. */
  const overtakes = async (dialog: RotateDialog, { secrets }: Ports, signal: AbortSignal) => {
    await dialog.press(signal);
    const current = await secrets.read(rotatedArn, { label: 'AWSCURRENT' });
    const value = (current?.value ?? '').replace('client-secret-000', 'client-secret-001');
    await secrets.put(rotatedArn, { versionId: overtaker, value, labels: ['ROTATED_DUE'] });
    await secrets.moveLabel(rotatedArn, 'AWSCURRENT', { from: first, to: overtaker });
  };
  const scene = (events?: Partial<Ports['events']>): Scene => {
    let ports: Ports;
    return {
      but: (plain) => {
        ports = plain;
        return events ? { events } : {};
      },
      press: (dialog) => overtakes(dialog, ports, new AbortController().signal),
    };
  };

  it('publishes the rotated.v1 whose label it took by storing', async () => {
    const { error, effects, events } = await play(createSecret, scene());
    expect(error).toBeUndefined();
    expect(changes(effects).slice(-4)).toEqual([
      'put rotated the rotation',
      'publish pending',
      'publish rotated',
      'move ROTATED_DUE from eeeeeeeeeeee to nowhere',
    ]);
    expect(events.at(-1)?.data).toMatchObject({ version_id: overtaker, previous_version_id: first });
  });

  it('has stored all the same where that cannot be published', async () => {
    const { error, value } = await play(createSecret, scene({ publish: () => Promise.reject(failure('event')) }));
    expect(error).toBeUndefined();
    expect(value).toMatchObject({ client_secret: 'client-secret-001' });
  });
});

describe('what is to be kept out of all that is printed is known', () => {
  const secretOfBefore = async (ports: Ports) => {
    const value = JSON.stringify({ ...(await currentValue(ports)), client_secret: 'client-secret-of-before' });
    await ports.secrets.put(rotatedArn, { versionId: 'd'.repeat(32), value, labels: ['AWSPREVIOUS'] });
    // A version that is not the rotation's own takes AWSPENDING away.
    await ports.secrets.moveLabel(rotatedArn, 'AWSPENDING', { to: token });
  };

  it('to createSecret: the secrets of before and after, the login, the token', async () => {
    const { error, learned } = await play(createSecret, { before: secretOfBefore });
    expect(error).toBeUndefined();
    expect([...learned].toSorted()).toEqual([
      'a-password',
      'a-token',
      'client-secret-000',
      'client-secret-001',
      'client-secret-of-before',
    ]);
  });

  it('to createSecret, where nothing was before: nothing that is not a text', async () => {
    const { learned } = await play(createSecret);
    expect([...learned].filter((value) => typeof value !== 'string')).toEqual([]);
  });

  it('to createSecret: what the portal shows, before anybody is asked about it', async () => {
    const { learned } = await play(createSecret, {
      tools: () => ({ look: async () => 'client-secret-009' }),
      but: verdicts(() => unreachable),
    });
    expect(learned).toContain('client-secret-009');
  });

  it('to testSecret: the token', async () => {
    const { learned } = await play(testSecret, {
      before: pendingHolds({ client_secret: 'another' }),
      but: (ports) => ({
        tokens: {
          mint: (credentials, signal) =>
            ports.tokens.mint({ ...credentials, clientSecret: 'client-secret-000' }, signal),
        },
      }),
    });
    expect(learned).toContain('a-token');
  });

  it('to finishSecret, asked again: the old client secret', async () => {
    const { learned } = await play(finishSecret, {
      before: async (ports) => {
        await secretOfBefore(ports);
        await ports.secrets.moveLabel(rotatedArn, 'AWSPENDING', { from: token, to: first });
      },
      run: () => ({ token: first }),
    });
    expect(learned).toContain('client-secret-of-before');
  });

  it('to finishSecret after a first load: nothing that is not a text', async () => {
    const { learned } = await play(finishSecret, {
      before: (ports) => ports.secrets.moveLabel(rotatedArn, 'AWSPENDING', { from: token, to: first }),
      run: () => ({ token: first }),
    });
    expect([...learned]).toEqual(['client-secret-000']);
  });
});

describe('the guard', () => {
  const secret: SecretDescription = {
    arn: rotatedArn,
    name: 'rotated',
    rotationEnabled: true,
    deletedAt: undefined,
    labels: new Map([[token, ['AWSPENDING']]]),
    tags: new Map(),
  };
  const run = { token } as Run;
  const labelled = (...labels: string[]) => ({ ...secret, labels: new Map([[token, labels]]) });

  it.each<[string, SecretDescription, object]>([
    ['a secret that is to be deleted', { ...secret, deletedAt: new Date(0) }, { category: 'configuration' }],
    ['a replica', { ...secret, primaryRegion: 'eu-west-1' }, { category: 'configuration' }],
    ['a secret whose rotation is paused', { ...secret, rotationEnabled: false }, { category: 'configuration' }],
    [
      'a version without labels',
      { ...secret, labels: new Map() },
      { category: 'concurrency', what: expect.stringContaining('has no label') },
    ],
    [
      'a version with other labels',
      labelled('AWSPREVIOUS'),
      { category: 'concurrency', what: expect.stringContaining('AWSPENDING') },
    ],
  ])('refuses %s for good', (_what, description, error) => {
    expect(() => guard(run, description)).toThrow(
      expect.objectContaining({ retryable: false, pressed: 'no', ...error }),
    );
  });

  it('asks whether the version is AWSCURRENT before it asks whether it is pending', () => {
    expect(guard(run, secret)).toBe('pending');
    expect(guard(run, { ...secret, primaryRegion: 'eu-central-1' })).toBe('pending');
    expect(guard(run, labelled('AWSPENDING', 'AWSCURRENT'))).toBe('current');
    expect(guard(run, labelled('AWSCURRENT'))).toBe('current');
  });
});

it('the times of the design follow from P, L and the margin', () => {
  expect(secondPressAfterMs(limits)).toBe(120_000);
  expect(secondLookAfterMs(limits)).toBe(40_000);
  expect(changeoverMs(limits)).toBe(125_000);
  expect(recentSlotMs).toBe(86_400_000);
});

describe('waiting', () => {
  const shownOnce = { tools: () => ({ look: async () => 'client-secret-009' }) };

  it.each([
    [secondLookAfterMs(limits) + changeoverMs(limits) - 1, [], { category: 'timeout', pressed: 'no', retryable: true }],
    [secondLookAfterMs(limits) + changeoverMs(limits), [secondLookAfterMs(limits)], undefined],
  ])('is left to the retry unless a changeover has time after it: %d ms', async (remainingMs, pauses, expected) => {
    const accepted: Verdict = {
      verdict: 'accepted',
      token: { accessToken: 'a', tokenType: 'Bearer', expiresAt: new Date(0), scope: undefined },
    };
    const { error, pausesMs } = await play(createSecret, {
      ...shownOnce,
      but: verdicts(() => accepted),
      run: () => ({ remainingMs: () => remainingMs }),
    });
    if (expected) expect(error).toMatchObject(expected);
    else expect(error).toBeUndefined();
    expect(pausesMs).toEqual(pauses);
  });

  it('ends after twelve looks at a page that never keeps still', async () => {
    let looks = 0;
    const { error, effects } = await play(createSecret, {
      ...shownOnce,
      tools: () => ({ look: async () => `client-secret-0${10 + looks++}` }),
      but: verdicts(() => rejected),
    });
    expect(error).toMatchObject({ category: 'portal-changed', retryable: true, pressed: 'no' });
    expect(looks).toBe(12);
    expect(effects.filter((effect) => effect === 'log in')).toHaveLength(1);
  });
});

describe('what is observed', () => {
  it('AWSCURRENT is asked too where another secret is shown and rejected', async () => {
    const asked: string[] = [];
    const { error } = await play(createSecret, {
      tools: () => ({ look: async () => 'client-secret-009' }),
      but: verdicts((clientSecret) => {
        asked.push(clientSecret);
        return clientSecret === 'client-secret-009' ? rejected : undefined;
      }),
    });
    expect(error).toMatchObject({
      category: 'token-endpoint',
      what: expect.stringContaining('AWSCURRENT’s is accepted'),
    });
    expect(asked.slice(0, 2)).toEqual(['client-secret-009', 'client-secret-000']);
  });

  it('a first load, without a client secret in AWSCURRENT, is adopted without asking for one', async () => {
    const withoutSecret = async (ports: Ports) => {
      const value = { ...(await currentValue(ports)), client_secret: undefined };
      await ports.secrets.put(rotatedArn, { versionId: 'f'.repeat(32), value: JSON.stringify(value), labels: [] });
      await ports.secrets.moveLabel(rotatedArn, 'AWSCURRENT', { from: first, to: 'f'.repeat(32) });
    };
    const { error, effects, value } = await play(allSteps, {
      before: async (ports) => {
        await withoutSecret(ports);
        // The service begins it anew after a version that was made by hand.
        await ports.secrets.moveLabel(rotatedArn, 'AWSPENDING', { to: token });
      },
    });
    expect(error).toBeUndefined();
    expect(presses(effects)).toBe(0);
    expect(value).toMatchObject({ client_secret: 'client-secret-000' });
    expect(effects.filter((effect) => effect.startsWith('mint'))).toHaveLength(4);
  });

  it('the order in which labels are listed does not start the second look over', async () => {
    let described = 0;
    const { error, pausesMs, value } = await play(createSecret, {
      tools: () => ({ look: async () => 'client-secret-000.' }),
      but: (ports) => ({
        ...verdicts((clientSecret) =>
          clientSecret === 'client-secret-000.'
            ? {
                verdict: 'accepted',
                token: { accessToken: 'a', tokenType: 'Bearer', expiresAt: new Date(0), scope: undefined },
              }
            : undefined,
        )(ports),
        secrets: {
          describe: async (id) => {
            const description = await ports.secrets.describe(id);
            const labels = [...description.labels, ['y', ['B', 'A', 'C']] as [string, string[]]];
            described += 1;
            if (described % 2 === 0) return { ...description, labels: new Map(labels) };
            return { ...description, labels: new Map(labels.toReversed().map(([v, l]) => [v, l.toReversed()])) };
          },
        },
      }),
    });
    expect(error).toBeUndefined();
    expect(pausesMs).toEqual([secondLookAfterMs(limits)]);
    expect(value).toMatchObject({ client_secret: 'client-secret-000.' });
  });

  it('a verdict that changes starts the second look over', async () => {
    let asked = 0;
    const { error, pausesMs } = await play(createSecret, {
      tools: () => ({ look: async () => 'client-secret-000.' }),
      but: (ports) => ({
        tokens: {
          mint: async (credentials, signal) => {
            if (credentials.clientSecret !== 'client-secret-000.') return ports.tokens.mint(credentials, signal);
            asked += 1;
            if (asked === 1) return rejected;
            return ports.tokens.mint({ ...credentials, clientSecret: 'client-secret-000' }, signal);
          },
        },
      }),
    });
    expect(error).toBeUndefined();
    expect(pausesMs).toEqual([P, secondLookAfterMs(limits)]);
  });

  it('labels that move between the two looks start them over', async () => {
    let looks = 0;
    const { error, pausesMs } = await play(createSecret, {
      tools: () => ({ look: async () => 'client-secret-000.' }),
      but: (ports) => ({
        tokens: {
          mint: (credentials, signal) =>
            ports.tokens.mint({ ...credentials, clientSecret: 'client-secret-000' }, signal),
        },
        secrets: {
          describe: async (id) => {
            const description = await ports.secrets.describe(id);
            looks += 1;
            const moved = looks > 2 ? [[first, ['AWSCURRENT', 'MOVED']] as [string, string[]]] : [];
            return { ...description, labels: new Map([...description.labels, ...moved]) };
          },
        },
      }),
    });
    expect(error).toBeUndefined();
    expect(pausesMs).toEqual([secondLookAfterMs(limits), secondLookAfterMs(limits)]);
  });
});

describe('the slot', () => {
  it('of a second attempt is another than that of the first', async () => {
    const { error, slot, events } = await play(async (run, ports, world) => {
      await another({ armed_for: token })(ports);
      world.time.nowMs += secondPressAfterMs(limits);
      await createSecret(run, ports);
    });
    expect(error).toBeUndefined();
    expect(slot).toMatchObject({ attempt: 2, armed_for: token });
    expect(events.map(({ data }) => data.attempt)).toEqual([2, 0]);
  });

  it('of another AWSCURRENT does not count for this one', async () => {
    const { error, slot } = await play(async (run, ports, world) => {
      await another({ armed_from: 'another version', attempt: 3 })(ports);
      world.time.nowMs += secondPressAfterMs(limits);
      await createSecret(run, ports);
    });
    expect(error).toBeUndefined();
    expect(slot).toMatchObject({ attempt: 1, armed_for: token });
  });

  it('is as old as the service says, and not as whoever took it says', async () => {
    const { pausesMs, effects } = await play(createSecret, {
      before: async ({ secrets, clock }) => {
        const armed_at = new Date(clock.now().getTime() - secondPressAfterMs(limits)).toISOString();
        const slot = { armed_for: token, armed_from: first, attempt: 1, armed_by: 'a', armed_at };
        const version = { versionId: slotId(rotatedArn, first, 1), value: JSON.stringify(slot) };
        await secrets.put(bridgeArn, { ...version, labels: ['AWSCURRENT'] });
      },
    });
    expect(pausesMs[0]).toBeGreaterThan(secondPressAfterMs(limits) - 1_000);
    expect(presses(effects)).toBe(1);
  });

  it('of the rotation that has just become AWSCURRENT need not be waited for', async () => {
    const { error, pausesMs } = await play(createSecret, {
      before: another({ armed_for: first, armed_from: 'before' }),
    });
    expect(error).toBeUndefined();
    expect(pausesMs).toEqual([]);
  });

  it('without a token, where the press repairs, claims nothing of tokens', async () => {
    const asked: string[] = [];
    const { error, slot, events } = await play(createSecret, {
      but: verdicts((clientSecret) => {
        asked.push(clientSecret);
        return rejected;
      }),
    });
    expect(error).toBeUndefined();
    expect(asked).toEqual(['client-secret-000', 'client-secret-000']);
    expect(Object.keys(slot).sort()).toEqual(['armed_at', 'armed_by', 'armed_for', 'armed_from', 'attempt']);
    expect(Object.keys(events[0]?.data ?? {})).not.toContain('existing_tokens_valid');
  });

  it('that another invocation holds: no press, nothing announced, and the dialog is left', async () => {
    const { error, effects, dialog } = await play(createSecret, {
      but: (ports) => ({
        secrets: { put: async (id, version) => (id === bridgeArn ? 'conflict' : ports.secrets.put(id, version)) },
      }),
    });
    expect(error).toMatchObject({ category: 'concurrency', retryable: true, pressed: 'unknown' });
    expect(changes(effects)).toEqual([]);
    expect(dialog.cancelled).toBe(1);
  });

  it('that another invocation takes between the two reads is not the one before it, twice: nothing is given up', async () => {
    const { error, effects, labels } = await play(
      async (run, ports, world) => {
        await another({ armed_for: token })(ports);
        world.time.nowMs += secondPressAfterMs(limits);
        await createSecret(run, ports);
      },
      {
        but: (ports) => ({
          secrets: {
            read: async (id, which) => {
              const isPrevious = id === bridgeArn && 'label' in which && which.label === 'AWSPREVIOUS';
              if (isPrevious) await another({ armed_for: token, attempt: 2 })(ports);
              return ports.secrets.read(id, which);
            },
          },
        }),
      },
    );
    expect(error).toMatchObject({ category: 'concurrency', retryable: true });
    expect(presses(effects)).toBe(0);
    expect(labels[token]).toEqual(['AWSPENDING']);
  });
});

describe('just before the press', () => {
  const whenAnnounced = (happens: (ports: Ports, world: World) => unknown) => (ports: Ports, world: World) => ({
    events: {
      publish: async ({ type }: RotationEvent) => {
        if (type.includes('rotation-started')) await happens(ports, world);
      },
    },
  });
  const passing = (passedMs: number) =>
    whenAnnounced((_ports, world) => {
      world.time.nowMs += passedMs;
    });
  const moveTo = (version: string) =>
    whenAnnounced(async ({ secrets }) => {
      await secrets.moveLabel(rotatedArn, 'AWSCURRENT', { from: first, to: version });
    });

  it.each<[string, Scene, RegExp]>([
    ['the version became AWSCURRENT', { but: moveTo(token) }, /became AWSCURRENT/],
    ['AWSCURRENT moved', { but: moveTo('e'.repeat(32)) }, /AWSCURRENT moved/],
    [
      'the portal shows another secret',
      { tools: () => ({ shown: async () => 'another' }) },
      /showed another client secret/,
    ],
    ['more than D has passed since the slot', { but: passing(15_001) }, /ms had passed/],
  ])('%s: it is not made, and the dialog is left', async (_what, scene, message) => {
    const { error, effects, dialog } = await play(createSecret, scene);
    expect(error).toMatchObject({ category: 'concurrency', retryable: true, pressed: 'no' });
    expect((error as RotationError).what).toMatch(message);
    expect(presses(effects)).toBe(0);
    expect(dialog.cancelled).toBe(1);
  });

  it.each([
    [14_880, 1],
    [14_881, 0],
  ])('a slot taken at most 15 s ago is young enough: %d ms and what the checks take', async (passedMs, expected) => {
    const { effects } = await play(createSecret, {
      but: passing(passedMs),
    });
    expect(presses(effects)).toBe(expected);
  });

  it('the click has what is left of the 15 s, and no more', async () => {
    const left: unknown[] = [];
    await play(createSecret, {
      but: passing(5_000),
      tools: (tools) => ({
        openRotateDialog: async (signal) => {
          const dialog = await tools.openRotateDialog(signal);
          const press: RotateDialog['press'] = (until, withinMs) => {
            left.push(withinMs);
            return dialog.press(until);
          };
          return { ...dialog, press };
        },
      }),
    });
    expect(left).toEqual([15_000 - 5_000 - 120]);
  });

  it('a wall clock that is set back meanwhile makes no slot younger', async () => {
    let setBackMs = 0;
    const { error, effects } = await play(createSecret, {
      but: (ports, world) => ({
        ...whenAnnounced(() => {
          world.time.nowMs += 15_001;
          setBackMs = 60_000;
        })(ports, world),
        clock: { now: () => new Date(world.time.nowMs - setBackMs) },
      }),
    });
    expect((error as RotationError).what).toMatch(/ms had passed/);
    expect(presses(effects)).toBe(0);
  });

  it.each([
    [changeoverMs(limits), 1, undefined],
    [changeoverMs(limits) - 1, 0, 'a changeover needs 125000 ms'],
  ])('nothing begins without the time for all of it: %d ms', async (remainingMs, expected, message) => {
    const { effects, error } = await play(createSecret, { run: () => ({ remainingMs: () => remainingMs }) });
    expect(presses(effects)).toBe(expected);
    if (message) expect(error).toMatchObject({ category: 'timeout', what: expect.stringContaining(message) });
    else expect(error).toBeUndefined();
  });

  it.each([
    [changeoverMs(limits) - 15_000, 1],
    [changeoverMs(limits) - 15_001, 0],
  ])('it is not made without the time for what follows it: %d ms', async (remainingMs, expected) => {
    let leftMs = changeoverMs(limits);
    const { effects } = await play(createSecret, {
      but: whenAnnounced(() => {
        leftMs = remainingMs;
      }),
      run: () => ({ remainingMs: () => leftMs }),
    });
    expect(presses(effects)).toBe(expected);
  });

  it('no topic: no slot', async () => {
    const { error, effects } = await play(createSecret, {
      but: () => ({ events: { prove: () => Promise.reject(failure('configuration', 'no')) } }),
    });
    expect(error).toMatchObject({ category: 'configuration' });
    expect(changes(effects)).toEqual([]);
  });

  it('a dialog that cannot be left does not hide what went wrong', async () => {
    const { error } = await play(createSecret, {
      but: (ports) => ({
        secrets: { put: async (id, version) => (id === bridgeArn ? 'conflict' : ports.secrets.put(id, version)) },
      }),
      tools: (tools) => ({
        openRotateDialog: async (signal) => ({
          ...(await tools.openRotateDialog(signal)),
          cancel: () => Promise.reject(failure('portal-unavailable')),
        }),
      }),
    });
    expect(error).toMatchObject({ category: 'concurrency' });
  });
});

describe('after the press', () => {
  /** What the page shows at each look after the press: as it stands, and loaded anew; the last for the rest. */
  const shows =
    (live: readonly (string | Error)[], anew: readonly (string | Error)[] = live) =>
    (tools: DeveloperTools): Partial<DeveloperTools> => {
      let pressed = false;
      const next = (texts: readonly (string | Error)[]) => {
        let index = 0;
        return async () => {
          const text = texts[Math.min(index++, texts.length - 1)] ?? '';
          if (typeof text !== 'string') throw text;
          return text;
        };
      };
      const [shown, look] = [next(live), next(anew)];
      return {
        openRotateDialog: async (signal) => {
          const dialog = await tools.openRotateDialog(signal);
          const press = async () => {
            pressed = true;
            await dialog.press(signal);
          };
          return { ...dialog, press };
        },
        shown: (signal) => (pressed ? shown() : tools.shown(signal)),
        look: (signal) => (pressed ? look() : tools.look(signal)),
      };
    };

  it.each([
    ['the secret of before', 'client-secret-000'],
    ['a mask', '•••••••••••••••••'],
    ['two lines', 'client-secret-001\nclient-secret-001'],
    ['a word while it is redrawn', 'Loading.'],
    ['nothing', ''],
  ])('%s is not the new secret', async (_what, text) => {
    const { error, value, pausesMs } = await play(createSecret, { tools: shows([text, text, 'client-secret-001']) });
    expect(error).toBeUndefined();
    expect(value).toMatchObject({ client_secret: 'client-secret-001' });
    expect(pausesMs).toEqual([25, 25]);
  });

  it.each(['rotation-in-progress', 'client-secret-0', 'a-secret-of-another-form'])(
    'what is not like those of before (%s) is one as soon as the token endpoint accepts it',
    async (text) => {
      const accepted: Verdict = {
        verdict: 'accepted',
        token: { accessToken: 'a-token', tokenType: 'Bearer', expiresAt: new Date(0), scope: undefined },
      };
      const { value, learned } = await play(createSecret, {
        tools: shows([text, 'A-Secret-Of-Its-Own-0123']),
        but: verdicts((clientSecret) => (clientSecret === 'A-Secret-Of-Its-Own-0123' ? accepted : undefined)),
      });
      expect(value).toMatchObject({ client_secret: 'A-Secret-Of-Its-Own-0123' });
      expect(learned).toContain('a-token');
    },
  );

  it('what neither looks like one nor is accepted is never stored, and is asked about once a second', async () => {
    const { error, value, effects } = await play(createSecret, { tools: shows(['rotation-in-progress']) });
    expect(error).toMatchObject({ category: 'portal-unavailable', retryable: true, pressed: 'unknown' });
    expect((error as RotationError).what).toMatch(/neither looks like a client secret/);
    expect(value).toEqual({});
    expect(effects.filter((effect) => effect === 'mint with rotation-in-progress').length).toBeLessThanOrEqual(
      1 + (L + P) / 1_000,
    );
  });

  it('the secret of AWSPREVIOUS is not the new one either', async () => {
    const { error, value } = await play(createSecret, {
      before: async (ports) => {
        const previous = JSON.stringify({ ...(await currentValue(ports)), client_secret: 'client-secret-of-before' });
        await ports.secrets.put(rotatedArn, { versionId: 'd'.repeat(32), value: previous, labels: ['AWSPREVIOUS'] });
        await ports.secrets.moveLabel(rotatedArn, 'AWSPENDING', { to: token });
      },
      tools: shows(['client-secret-of-before', 'client-secret-001']),
    });
    expect(error).toBeUndefined();
    expect(value).toMatchObject({ client_secret: 'client-secret-001' });
  });

  it('the page is looked at as it stands for 5 s, and then loaded anew each second', async () => {
    const { error, value, pausesMs } = await play(createSecret, {
      tools: shows(['client-secret-000'], ['client-secret-000', 'client-secret-000', 'client-secret-001']),
    });
    expect(error).toBeUndefined();
    expect(value).toMatchObject({ client_secret: 'client-secret-001' });
    expect(pausesMs.filter((pauseMs) => pauseMs === 25)).toHaveLength(200);
    expect(pausesMs.slice(200)).toEqual([1_000, 1_000]);
  });

  it('a page that cannot be read is loaded anew, until it can', async () => {
    const fault = failure('portal-unavailable');
    const { error, value, pausesMs } = await play(createSecret, {
      tools: shows([fault], [fault, 'client-secret-001']),
    });
    expect(error).toBeUndefined();
    expect(value).toMatchObject({ client_secret: 'client-secret-001' });
    expect(pausesMs).toEqual([1_000, 1_000]);
  });

  it('a press without an answer is followed by loading the page, not by another', async () => {
    const { error, effects, pausesMs, value } = await play(createSecret, {
      press: async (dialog, world) => {
        await dialog.press(new AbortController().signal);
        world.tell('the step', 'no answer', 'read');
        throw failure('portal-unavailable');
      },
    });
    expect(error).toBeUndefined();
    expect(presses(effects)).toBe(1);
    expect(effects[effects.indexOf('no answer') + 1]).toBe('load Developer Tools');
    expect(pausesMs).toEqual([]);
    expect(value).toMatchObject({ client_secret: 'client-secret-001' });
  });

  it.each([
    [
      'certainly was not made is not looked after',
      failure('portal-changed', 'no'),
      { category: 'portal-changed', pressed: 'no' },
    ],
    ['went wrong is looked after: an error of another kind', new Error('crash'), { pressed: 'unknown' }],
  ])('a press that %s', async (_what, thrown, expected) => {
    const { error, effects, pausesMs } = await play(createSecret, { press: () => Promise.reject(thrown) });
    expect(error).toMatchObject(expected);
    expect(presses(effects)).toBe(0);
    expect(pausesMs.length > 0).toBe(expected.pressed === 'unknown');
  });

  it.each([
    ['not stored where another rotation has gone on', true],
    ['stored where none has', false],
  ])('what an invocation sees that stood still is %s', async (_what, isMoved) => {
    let late = false;
    const { error, value } = await play(createSecret, {
      but: (ports) => ({
        secrets: {
          describe: async (id) => {
            const description = await ports.secrets.describe(id);
            return late && isMoved ? { ...description, labels: new Map([[token, []]]) } : description;
          },
        },
      }),
      tools: (tools, world) => ({
        ...shows(['client-secret-000'])(tools),
        look: async (signal) => {
          if (world.presses > 0) {
            await world.time.sleep(L + P + 1);
            late = true;
          }
          return tools.look(signal);
        },
      }),
    });
    expect(error).toEqual(isMoved ? expect.objectContaining({ pressed: 'unknown', retryable: true }) : undefined);
    expect((error as RotationError | undefined)?.what).toEqual(
      isMoved ? expect.stringMatching(/^long after the press/) : undefined,
    );
    expect(value).toEqual(isMoved ? {} : expect.objectContaining({ client_secret: 'client-secret-001' }));
  });

  it('looking ends after L and P, and says what was seen', async () => {
    let pressedAtMs = 0;
    const { error, world } = await play(createSecret, {
      press: async (_dialog, { time }) => {
        pressedAtMs = time.nowMs;
      },
    });
    expect(error).toMatchObject({ category: 'portal-unavailable', retryable: true, pressed: 'unknown' });
    expect((error as RotationError).what).toBe(
      'after the press the portal went on showing the client secret of before',
    );
    const lookedMs = world.time.nowMs - pressedAtMs;
    expect(lookedMs).toBeGreaterThanOrEqual(L + P);
    expect(lookedMs).toBeLessThan(L + P + 5_000);
  });

  it('a look that is due at L and P to the millisecond is still made', async () => {
    let looks = 0;
    const { value } = await play(createSecret, {
      tools: (tools, world) => {
        let pressedAtMs = 0;
        return {
          openRotateDialog: async (signal) => {
            const dialog = await tools.openRotateDialog(signal);
            const press = async () => {
              pressedAtMs = world.time.nowMs;
            };
            return { ...dialog, press };
          },
          shown: async () => {
            if (pressedAtMs === 0) return 'client-secret-000';
            looks += 1;
            world.time.nowMs = pressedAtMs + L + P - 25;
            return looks === 1 ? 'client-secret-000' : 'client-secret-001';
          },
          look: async () => (pressedAtMs === 0 ? 'client-secret-000' : 'client-secret-001'),
        };
      },
      but: (ports, world) => ({
        clock: {
          ...ports.clock,
          sleep: async () => {
            world.time.nowMs += 25;
          },
        },
      }),
    });
    expect(value).toMatchObject({ client_secret: 'client-secret-001' });
  });

  it('what could never be read is told with the last trouble', async () => {
    const { error } = await play(createSecret, { tools: shows([failure('portal-unavailable')]) });
    expect((error as RotationError).what).toBe('after the press the portal could not be read: a fault');
  });

  it.each([
    [20_001, 1],
    [20_000, 0],
  ])('looking leaves the time to say what happened: %d ms', async (remainingMs, looks) => {
    let pressed = false;
    let made = 0;
    await play(createSecret, {
      press: async () => {
        pressed = true;
      },
      tools: (tools) => ({
        shown: async (signal) => {
          if (pressed) made += 1;
          return tools.shown(signal);
        },
      }),
      run: () => ({ remainingMs: () => (!pressed ? 900_000 : made > 0 ? 0 : remainingMs) }),
    });
    expect(made).toBe(looks);
  });

  it('an invocation that is out of time looks no more', async () => {
    const over = new AbortController();
    let looks = 0;
    const { error, world } = await play(createSecret, {
      press: async () => undefined,
      tools: (tools) => ({
        shown: async (signal) => {
          looks += 1;
          if (looks === 2) over.abort(failure('timeout'));
          return tools.shown(signal);
        },
      }),
      run: () => ({ signal: over.signal }),
    });
    expect(error).toMatchObject({ category: 'portal-unavailable', pressed: 'unknown' });
    expect(looks).toBe(2);
    expect(world.presses).toBe(0);
  });

  it('a login that is refused then is not tried again', async () => {
    const refusal = { category: 'login', what: 'refused', retryable: false, pressed: 'no', action: 'x' } as const;
    let looks = 0;
    const { error } = await play(createSecret, {
      tools: (tools) => ({
        shown: async (signal) => {
          looks += 1;
          if (looks > 1) throw new LoginRefused(refusal);
          return tools.shown(signal);
        },
      }),
    });
    expect(error).toBeInstanceOf(LoginRefused);
    expect(error).toMatchObject({ category: 'login', pressed: 'unknown' });
    expect(looks).toBe(2);
  });
});

describe('adopting', () => {
  const shownIsAnother: Scene = {
    tools: () => ({ look: async () => 'client-secret-000.' }),
    but: (ports) => ({
      tokens: {
        mint: (credentials, signal) => ports.tokens.mint({ ...credentials, clientSecret: 'client-secret-000' }, signal),
      },
    }),
  };

  it('stores and announces what the portal shows, and does not press', async () => {
    const { error, effects, events, value } = await play(createSecret, shownIsAnother);
    expect(error).toBeUndefined();
    expect(changes(effects)).toEqual(['put rotated the rotation', 'publish pending']);
    expect(effects.filter((effect) => effect.startsWith('mint'))).toHaveLength(2);
    expect(value).toMatchObject({ client_secret: 'client-secret-000.' });
    expect(events[0]?.data).toMatchObject({ adopted: true, pressed: 'no', previous_version_id: first });
    expect(Object.keys(events[0]?.data ?? {})).not.toContain('changeover_ms');
  });

  it.each([
    ['its own slot', another({ armed_for: token }), 'unknown'],
    ['the slot of another rotation', another(), 'no'],
  ])('with %s there, says what is known of a press', async (_what, before, pressed) => {
    const { events } = await play(createSecret, { ...shownIsAnother, before });
    expect(events[0]?.data).toMatchObject({ adopted: true, pressed });
  });

  it('goes on where the bridge secret cannot be read any more', async () => {
    let reads = 0;
    const { error, events } = await play(createSecret, {
      ...shownIsAnother,
      but: (ports, world) => ({
        ...shownIsAnother.but?.(ports, world),
        secrets: {
          read: async (id, which) => {
            if (id === bridgeArn && ++reads > 4) throw failure('permission');
            return ports.secrets.read(id, which);
          },
        },
      }),
    });
    expect(error).toBeUndefined();
    expect(events[0]?.data).toMatchObject({ adopted: true, pressed: 'unknown' });
  });

  it.each<[string, (world: World, description: SecretDescription) => SecretDescription]>([
    [
      'AWSCURRENT has moved meanwhile',
      (_world, description) => ({
        ...description,
        labels: new Map([['another', ['AWSCURRENT']], ...description.labels]),
      }),
    ],
    [
      'this invocation stood still before it stores',
      (world, description) => {
        world.time.nowMs += 15_001;
        return description;
      },
    ],
  ])('stores nothing where %s', async (_what, last) => {
    let described = 0;
    const { error, effects } = await play(createSecret, {
      ...shownIsAnother,
      but: (ports, world) => ({
        ...shownIsAnother.but?.(ports, world),
        secrets: {
          describe: async (id) => {
            const description = await ports.secrets.describe(id);
            if (++described < 4) return description;
            return last(world, description);
          },
        },
      }),
    });
    expect(error).toMatchObject({ category: 'concurrency', retryable: true });
    expect(changes(effects)).toEqual([]);
  });

  it('a mask is not stored', async () => {
    const { error, effects } = await play(createSecret, {
      ...shownIsAnother,
      tools: () => ({ look: async () => '••••••••' }),
    });
    expect(error).toMatchObject({ category: 'portal-changed', retryable: true, pressed: 'no' });
    expect(changes(effects)).toEqual([]);
  });
});

describe('storing', () => {
  const refusing = (times: number, thrown: unknown) => (ports: Ports) => {
    let refused = 0;
    return {
      secrets: {
        put: async (...[id, version]: Parameters<Ports['secrets']['put']>) => {
          if (id === rotatedArn && refused++ < times) throw thrown;
          return ports.secrets.put(id, version);
        },
      },
    };
  };

  it('is tried until it succeeds, after pauses that double to 2 s', async () => {
    const { error, value, labels, pausesMs } = await play(createSecret, { but: refusing(7, failure('secret-store')) });
    expect(error).toBeUndefined();
    expect(pausesMs).toEqual([125, 250, 500, 1_000, 2_000, 2_000, 2_000]);
    expect(value).toMatchObject({ client_secret: 'client-secret-001' });
    expect(labels[token]?.toSorted()).toEqual(['AWSPENDING', 'ROTATED_DUE']);
  });

  it.each([
    [
      'a failure of the service',
      failure('permission'),
      { category: 'permission', what: /could not be stored: a fault$/ },
    ],
    [
      'any other',
      new TypeError('broken'),
      { category: 'secret-store', what: /could not be stored: TypeError: broken$/ },
    ],
  ])('ends with the invocation, and says why: %s', async (_what, thrown, { category, what }) => {
    const over = new AbortController();
    const { error, pausesMs } = await play(createSecret, {
      but: (ports, world) => ({
        ...refusing(100, thrown)(ports),
        clock: {
          sleep: async (durationMs, signal) => {
            if (durationMs === 500) over.abort(failure('timeout'));
            await world.time.sleep(durationMs, undefined, signal);
          },
        },
      }),
      run: () => ({ signal: over.signal }),
    });
    expect(pausesMs).toEqual([]);
    expect(error).toMatchObject({ category, retryable: true, pressed: 'yes' });
    expect((error as RotationError).what).toMatch(what);
  });

  it('what holds another value already is superseded: its labels come off, and this token cannot recover', async () => {
    let asked = 0;
    const { error, labels } = await play(createSecret, {
      before: (ports) => ports.secrets.moveLabel(rotatedArn, 'ROTATED_DUE', { to: token }),
      but: (ports) => ({
        secrets: {
          put: async (id, version) => {
            asked += 1;
            return id === rotatedArn ? 'conflict' : ports.secrets.put(id, version);
          },
        },
      }),
    });
    expect(asked).toBe(2);
    expect(error).toMatchObject({ category: 'concurrency', retryable: false, pressed: 'yes' });
    expect(labels[token] ?? []).toEqual([]);
  });

  it('comes after the event that an earlier rotation owes', async () => {
    const { error, effects, events } = await play(createSecret, {
      before: (ports) => ports.secrets.moveLabel(rotatedArn, 'ROTATED_DUE', { to: first }),
    });
    expect(error).toBeUndefined();
    expect(changes(effects).slice(0, 2)).toEqual([
      'publish rotated',
      'move ROTATED_DUE from the first version to nowhere',
    ]);
    expect(events[0]?.data).toMatchObject({ version_id: first, attempt: 0, step: 'finishSecret' });
    expect(Object.keys(events[0]?.data ?? {})).not.toContain('previous_invalid_after');
    expect(Object.keys(events[0]?.data ?? {})).not.toContain('previous_version_id');
  });

  it('comes after the event of a version that became AWSCURRENT after the first look', async () => {
    let described = 0;
    const { error, effects } = await play(createSecret, {
      but: (ports) => ({
        secrets: {
          describe: async (id) => {
            described += 1;
            if (described === 2) await ports.secrets.moveLabel(id, 'ROTATED_DUE', { to: first });
            return ports.secrets.describe(id);
          },
        },
      }),
    });
    expect(error).toBeUndefined();
    expect(
      changes(effects)
        .slice(1, 4)
        .map((effect) => effect.replace(/ [0-9a-f]{12}$/, '')),
    ).toEqual(['publish rotated', 'move ROTATED_DUE from the first version to nowhere', 'put bridge']);
  });
});

describe('setSecret', () => {
  it.each([
    ['without a client secret', { client_secret: undefined }],
    ['for another client', { client_secret: 'another', client_id: 'another-client' }],
    ['that is not well-formed', { client_secret: 'of two words' }],
  ])('gives up a version %s', async (_what, parts) => {
    const { error, labels } = await play(setSecret, { before: pendingHolds(parts) });
    expect(error).toMatchObject({ category: 'configuration', retryable: false, pressed: 'no' });
    expect(labels[token] ?? []).toEqual([]);
  });

  it('changes nothing', async () => {
    const { error, effects } = await play(setSecret, { before: pendingHolds({ client_secret: 'another' }) });
    expect(error).toBeUndefined();
    expect(changes(effects)).toEqual([]);
  });
});

describe('testSecret', () => {
  const before = pendingHolds({ client_secret: 'another' });

  it('asks each tenth of P, for 4 P and no longer; then the version is superseded', async () => {
    const { error, labels, pausesMs } = await play(testSecret, { before });
    expect(error).toMatchObject({ category: 'token-endpoint', retryable: false, pressed: 'no' });
    expect(new Set(pausesMs)).toEqual(new Set([P / 10]));
    expect(pausesMs).toHaveLength(40);
    expect(labels[token] ?? []).toEqual([]);
  });

  it('asks once more where 4 P have passed to the millisecond', async () => {
    let asked = 0;
    const { error } = await play(testSecret, {
      before,
      but: (_ports, world) => ({
        tokens: {
          mint: async () => {
            asked += 1;
            world.time.nowMs += asked === 1 ? 4 * P : 1;
            return asked === 1 ? rejected : unreachable;
          },
        },
        clock: { sleep: async () => undefined },
      }),
    });
    expect(asked).toBe(2);
    expect(error).toMatchObject({ retryable: true });
  });

  it('without a verdict the version stays', async () => {
    const { error, labels } = await play(testSecret, { before, but: verdicts(() => unreachable) });
    expect(error).toMatchObject({ category: 'token-endpoint', retryable: true, pressed: 'no' });
    expect(labels[token]).toContain('AWSPENDING');
  });

  it.each([
    ['y x', 'x y', true],
    ['x  x', 'x ', true],
    ['x y', 'x', false],
    [undefined, 'x', true],
    ['x', undefined, false],
  ])('a scope of %j before and %j now is told, and fatal never', async (armed, now, sameScope) => {
    const told: unknown[] = [];
    const { error } = await play(
      (run, ports) => testSecret(run, { ...ports, log: (fact, detail) => told.push([fact, detail?.sameScope]) }),
      {
        before: async (ports) => {
          await before(ports);
          await another(armed === undefined ? {} : { scope: armed })(ports);
        },
        but: verdicts(() => ({
          verdict: 'accepted',
          token: { accessToken: 'a', tokenType: 'Bearer', expiresAt: new Date(0), scope: now },
        })),
      },
    );
    expect(error).toBeUndefined();
    expect(told).toContainEqual(['tested', sameScope]);
  });

  it('needs no bridge secret', async () => {
    const { error } = await play(testSecret, {
      before: pendingHolds({ client_secret: 'client-secret-000', x: 1 }),
      but: (ports) => ({
        secrets: {
          read: async (id, which) => {
            if (id === bridgeArn) throw failure('permission');
            const version = await ports.secrets.read(id, which);
            if (!version || !('label' in which)) return version;
            return { ...version, value: version.value.replace('client-secret-000', 'client-secret-of-before') };
          },
        },
      }),
    });
    expect(error).toBeUndefined();
  });

  it('of a copy of AWSCURRENT is a preflight that changes nothing', async () => {
    const { error, effects } = await play(testSecret, {
      before: async (ports) => {
        await pendingHolds({})(ports);
        await ports.secrets.moveLabel(rotatedArn, 'ROTATED_DUE', { from: token, to: first });
      },
    });
    expect(error).toBeUndefined();
    expect(
      changes(effects).filter((effect) => !/^(put rotated|move PREFLIGHT from) the first version/.test(effect)),
    ).toEqual([]);
    expect(effects).toContain('rehearse');
  });

  it('of a copy fails as the preflight does, first things first', async () => {
    const { error } = await play(testSecret, {
      before: pendingHolds({}),
      tools: () => ({ rehearse: () => Promise.reject(failure('portal-changed', 'no')) }),
    });
    expect(error).toMatchObject({ category: 'portal-changed' });
  });

  const faulty = () => Promise.reject(failure('portal-changed', 'no'));
  it.each([
    ['with a client secret: drift fails it', 'client-secret-008', {}, 'concurrency'],
    ['without one, before its first load: drift is what is to be expected', undefined, {}, undefined],
    ['without one: anything else fails it', undefined, { rehearse: faulty }, 'portal-changed'],
  ])('of a copy %s', async (_what, clientSecret, tools, category) => {
    const { error, effects } = await play(testSecret, {
      before: pendingHolds({ client_secret: clientSecret }),
      tools: () => ({ look: async () => 'client-secret-009', ...tools }),
      but: (ports) => ({
        ...verdicts(() => ({
          verdict: 'accepted',
          token: { accessToken: 'a', tokenType: 'Bearer', expiresAt: new Date(0), scope: undefined },
        }))(ports),
        secrets: {
          read: async (id, which) => {
            const version = await ports.secrets.read(id, which);
            if (!version || id !== rotatedArn || !('label' in which)) return version;
            const value = JSON.parse(version.value) as object;
            return { ...version, value: JSON.stringify({ ...value, client_secret: clientSecret }) };
          },
        },
      }),
    });
    expect((error as RotationError | undefined)?.category).toBe(category);
    expect(effects.filter((effect) => effect.startsWith('put rotated the first version'))).toHaveLength(1);
  });
});

describe('finishSecret', () => {
  const before = pendingHolds({ client_secret: 'client-secret-001' });
  /** The provider's word after the rotation, in turn; the last for the rest. */
  const says = (old: Verdict['verdict'][], now: Verdict['verdict'][]) => {
    const answers = { old: [...old], now: [...now] };
    return verdicts((clientSecret) => {
      const own = clientSecret === 'client-secret-000' ? answers.old : answers.now;
      const verdict = (own.length > 1 ? own.shift() : own[0]) ?? 'unreachable';
      const token = { accessToken: 'a', tokenType: 'Bearer', expiresAt: new Date(0), scope: undefined };
      return verdict === 'accepted' ? { verdict, token } : { verdict, detail: 'said' };
    });
  };

  it('publishes what the version is owed that it replaces, where that has the same client secret', async () => {
    const { error, events } = await play(finishSecret, {
      before: pendingHolds({}),
      but: says(['accepted'], ['accepted']),
    });
    expect(error).toBeUndefined();
    const rotated = events.filter(({ type }) => type.includes('.rotated.'));
    expect(rotated.map(({ data }) => data.version_id)).toEqual([first, token]);
  });

  it.each([
    ['rejected', 'accepted', false, 0],
    ['accepted', 'accepted', true, 10],
    ['rejected', 'rejected', true, 10],
    ['unreachable', 'accepted', false, 10],
    ['rejected', 'unreachable', false, 10],
  ] as const)('the old secret %s, the new one %s: drift %s', async (old, now, drift, looks) => {
    const { error, tags, pausesMs, labels, events } = await play(finishSecret, { before, but: says([old], [now]) });
    expect(error).toBeUndefined();
    expect(tags?.get('preflight')).toBe(drift ? 'failed:token-endpoint' : undefined);
    expect(pausesMs).toEqual(Array.from({ length: looks && pausesMs.length }, () => P / 10));
    expect(pausesMs.length > 0).toBe(looks > 0);
    expect(pausesMs.length).toBeLessThanOrEqual(looks + 1);
    expect(labels[token]).toContain('AWSCURRENT');
    const failed = events.find(({ type }) => type.includes('preflight-failed'));
    if (!drift) return expect(failed).toBeUndefined();
    expect(failed?.data).toMatchObject({
      client_id: 'the-client',
      version_id: token,
      error: { category: 'token-endpoint', retryable: false },
    });
  });

  it('waits for a provider that is slow', async () => {
    const { tags, pausesMs } = await play(finishSecret, {
      before,
      but: says(['accepted', 'rejected'], ['rejected', 'rejected', 'accepted']),
    });
    expect(tags?.get('preflight')).toBeUndefined();
    expect(pausesMs).toEqual([P / 10, P / 10]);
  });

  it.each([
    [20_001, 1],
    [20_000, 0],
  ])('leaves the time to say what happened: %d ms', async (leftMs, pauses) => {
    const remaining = [leftMs, 0];
    const { pausesMs } = await play(finishSecret, {
      before,
      but: says(['accepted'], ['accepted']),
      run: () => ({ remainingMs: () => remaining.shift() ?? 0 }),
    });
    expect(pausesMs).toHaveLength(pauses);
  });

  it('looks again where P has passed to the millisecond, and not later', async () => {
    let looks = 0;
    const { pausesMs } = await play(finishSecret, {
      before,
      but: (_ports, world) => ({
        tokens: {
          mint: async () => {
            looks += 1;
            world.time.nowMs += looks === 1 ? P : looks === 3 ? 1 : 0;
            return rejected;
          },
        },
      }),
    });
    expect([looks, pausesMs]).toEqual([4, [P / 10]]);
  });

  it('what it cannot record is no reason to fail a rotation that is done', async () => {
    const { error } = await play(finishSecret, {
      before,
      but: (ports) => ({
        ...says(['accepted'], ['accepted'])(ports),
        secrets: { tag: () => Promise.reject(failure('permission')) },
      }),
    });
    expect(error).toBeUndefined();
  });

  it('a move whose answer was lost was made', async () => {
    const { error, events } = await play(finishSecret, {
      before,
      but: (ports) => ({
        secrets: {
          moveLabel: async (id, label, move) => {
            await ports.secrets.moveLabel(id, label, move);
            if (label === 'AWSCURRENT') throw failure('secret-store');
          },
        },
      }),
    });
    expect(error).toBeUndefined();
    expect(events.map(({ type }) => type.split('.').at(-2))).toContain('rotated');
  });

  it('a move that was not made is announced to nobody', async () => {
    const { error, events, labels } = await play(finishSecret, {
      before,
      but: () => ({ secrets: { moveLabel: () => Promise.reject(failure('permission')) } }),
    });
    expect(error).toMatchObject({ category: 'permission' });
    expect(events).toEqual([]);
    expect(labels[token]).not.toContain('AWSCURRENT');
  });

  it('nor is one of a version that has lost its labels meanwhile', async () => {
    const { error } = await play(finishSecret, {
      before,
      but: (ports) => ({
        secrets: {
          moveLabel: async (id) => {
            await ports.secrets.moveLabel(id, 'AWSPENDING', { from: token });
            await ports.secrets.moveLabel(id, 'ROTATED_DUE', { from: token });
            throw failure('permission');
          },
          describe: async (id) => {
            const description = await ports.secrets.describe(id);
            return { ...description, labels: new Map([...description.labels].filter(([, names]) => names.length > 0)) };
          },
        },
      }),
    });
    expect(error).toMatchObject({ category: 'permission' });
  });

  it('takes AWSCURRENT from the version that has it, though reads lag behind', async () => {
    const { error, effects } = await play(finishSecret, {
      before,
      but: (ports) => ({
        secrets: {
          read: async (id, which) => {
            const version = await ports.secrets.read(id, which);
            return version && { ...version, versionId: version.versionId === first ? 'stale' : version.versionId };
          },
        },
      }),
    });
    expect(error).toBeUndefined();
    expect(effects).toContain('move AWSCURRENT from the first version to the rotation');
  });

  it('a first load has no old secret to ask for', async () => {
    const { effects, error } = await play(finishSecret, {
      before,
      but: (ports) => ({
        ...says(['unreachable'], ['accepted'])(ports),
        secrets: {
          read: async (id, which) => {
            const version = await ports.secrets.read(id, which);
            if (!version || !('label' in which) || id !== rotatedArn) return version;
            return { ...version, value: version.value.replace('"client_secret":"client-secret-000",', '') };
          },
        },
      }),
    });
    expect(error).toBeUndefined();
    expect(effects.at(-1)).toBe('move ROTATED_DUE from the rotation to nowhere');
  });

  it('asked again after it died, it publishes what is due, with the version of before', async () => {
    const { error, events, labels } = await play(finishSecret, {
      before: async (ports) => {
        await before(ports);
        await ports.secrets.moveLabel(rotatedArn, 'AWSCURRENT', { from: first, to: token });
      },
    });
    expect(error).toBeUndefined();
    expect(events[0]?.data).toMatchObject({ version_id: token, previous_version_id: first });
    expect(labels[token]).not.toContain('ROTATED_DUE');
  });
});

describe('labels', () => {
  const description = {
    labels: new Map([
      ['a', ['X', 'Y']],
      ['b', ['Z']],
    ]),
  } as unknown as SecretDescription;

  it('are found on the version that bears them', () => {
    expect([versionWith(description, 'Y'), versionWith(description, 'Z'), versionWith(description, 'W')]).toEqual([
      'a',
      'b',
      undefined,
    ]);
  });

  const refusing = (ports: Ports): Ports => ({
    ...ports,
    secrets: { ...ports.secrets, moveLabel: () => Promise.reject(failure('permission')) },
  });

  it('that are gone already are dropped; those that stay are told', async () => {
    await play(async (run, ports) => {
      await dropLabel(run, refusing(ports), 'AWSPENDING', first);
      await dropLabel(run, refusing(ports), 'AWSPENDING', 'no such version');
      await expect(dropLabel(run, refusing(ports), 'AWSPENDING', token)).rejects.toMatchObject({
        category: 'permission',
      });
    }).then(({ error }) => expect(error).toBeUndefined());
  });

  it('of a version that is given up come off, those that it has; AWSCURRENT stays whole', async () => {
    const { error, effects } = await play(async (run, ports) => {
      expect(await releasePending(run, ports, 'no such version')).toBe(true);
      expect(await releasePending(run, ports)).toBe(true);
      await ports.secrets.moveLabel(rotatedArn, 'ROTATED_DUE', { to: first });
      expect(await releasePending(run, ports, first)).toBe(false);
      expect(await releasePending(run, refusing(ports), first)).toBe(false);
      await ports.secrets.moveLabel(rotatedArn, 'AWSPENDING', { to: token });
      expect(await releasePending(run, refusing(ports))).toBe(false);
    });
    expect(error).toBeUndefined();
    expect(changes(effects)).toEqual([
      'move AWSPENDING from the rotation to nowhere',
      'move ROTATED_DUE from nowhere to the first version',
      'move AWSPENDING from nowhere to the rotation',
    ]);
  });
});

describe('slots that others take meanwhile', () => {
  it('between the two reads of the bridge secret hide none of this rotation', async () => {
    const failing = async (run: Run, ports: Ports) => {
      throw await reportFailure(run, ports, failure('concurrency', 'no'));
    };
    let isTaken = false;
    const { error } = await play(failing, {
      before: another({ armed_for: token, armed_from: 'x'.repeat(32) }),
      but: (ports, world) => ({
        secrets: {
          read: async (id, which) => {
            if (id === bridgeArn && 'label' in which && which.label === 'AWSCURRENT' && !isTaken) {
              isTaken = true;
              await world.time.sleep(70_000);
              await another({ attempt: 2, armed_from: 'y'.repeat(32) })(ports);
            }
            return ports.secrets.read(id, which);
          },
        },
      }),
    });
    expect(isTaken).toBe(true);
    expect(error).toMatchObject({ pressed: 'unknown' });
  });
});

describe('rotated.v1', () => {
  it('is not published for a version that has not been AWSCURRENT yet', async () => {
    const { error, effects } = await play(createSecret, {
      before: (ports) => ports.secrets.moveLabel(rotatedArn, 'ROTATED_DUE', { to: token }),
    });
    expect(error).toBeUndefined();
    expect(effects).not.toContain('publish rotated');
  });

  it('is published where the bridge secret cannot be read, and for AWSPREVIOUS without naming the one before', async () => {
    let reads = 0;
    const { events, error } = await play(createSecret, {
      before: async (ports) => {
        await ports.secrets.moveLabel(rotatedArn, 'AWSPREVIOUS', { to: 'c'.repeat(32) });
        await ports.secrets.moveLabel(rotatedArn, 'ROTATED_DUE', { to: 'c'.repeat(32) });
      },
      but: (ports) => ({
        secrets: {
          read: async (id, which) => {
            if (id === bridgeArn && ++reads === 1) throw failure('permission');
            return ports.secrets.read(id, which);
          },
        },
      }),
    });
    expect(error).toBeUndefined();
    expect(events[0]).toMatchObject({ type: 'oauth2.client-secret.rotated.v1', data: { version_id: 'c'.repeat(32) } });
    expect(Object.keys(events[0]?.data ?? {})).not.toContain('previous_version_id');
  });
});

it('a refused login is remembered before the refusal is told', async () => {
  let remembered = false;
  let asItWas: boolean | undefined;
  const refusal = { category: 'login', what: 'refused', retryable: false, pressed: 'no', action: 'x' } as const;
  const { error } = await play(
    (run, ports) =>
      createSecret(run, ports).finally(() => {
        asItWas = remembered;
      }),
    {
      but: (ports) => ({
        portal: { open: () => Promise.reject(new LoginRefused(refusal)) },
        secrets: {
          tag: async (...tag) => {
            await ports.secrets.tag(...tag);
            remembered = true;
          },
        },
      }),
    },
  );
  expect(error).toBeInstanceOf(LoginRefused);
  expect(asItWas).toBe(true);
});

describe('preflight', () => {
  const played = async (scene: Scene, passedMs = 0) => {
    const reports: PreflightReport[] = [];
    const outcome = await play(
      async (run, ports, world) => {
        world.time.nowMs += passedMs;
        const { report } = await preflight(run, ports, { repair: true, record: true });
        reports.push(report);
      },
      { ...scene, run: () => ({ step: 'preflight', token: '' }) },
    );
    expect(outcome.error).toBeUndefined();
    return { ...outcome, report: reports[0] };
  };
  const noRotation = ({ secrets }: Ports) => secrets.moveLabel(rotatedArn, 'AWSPENDING', { from: token });

  it('takes a field that is behind at one look for no drift', async () => {
    const shown = ['client-secret-009', 'client-secret-000'];
    const { report, pausesMs, effects } = await played({
      before: noRotation,
      tools: () => ({ look: async () => shown.shift() ?? '' }),
    });
    expect(report).toMatchObject({ drift: false, repairs: [] });
    expect(pausesMs).toEqual([secondLookAfterMs(limits)]);
    expect(effects).not.toContain('rotate');
  });

  it.each([
    ['while a rotation runs, not', async () => undefined, 0],
    ['while none runs, by a put of what is there', noRotation, 1],
  ])('proves the write path: %s', async (_what, before, puts) => {
    const { effects } = await played({ before });
    expect(effects.filter((effect) => effect.startsWith('put rotated'))).toHaveLength(puts);
  });

  it.each([
    ['a denial', failure('permission'), false],
    ['that it has no such label', failure('secret-store'), true],
  ])('asks whether labels may be moved: %s', async (_what, refused, ok) => {
    const asked: unknown[] = [];
    const { report, labels } = await played({
      before: noRotation,
      but: () => ({
        secrets: {
          moveLabel: async (_secret, label, move) => {
            asked.push([label, move]);
            throw refused;
          },
        },
      }),
    });
    expect(report?.checks.find(({ name }) => name === 'write-path')?.ok).toBe(ok);
    expect(asked).toEqual([['PREFLIGHT', { from: first }]]);
    expect(labels[first]).toEqual(['AWSCURRENT']);
  });

  it('an AWSPENDING whose value is rejected is not taken up again, and comes off', async () => {
    const { report, effects, labels } = await played(
      { before: pendingHolds({ client_secret: 'another' }) },
      13 * 3_600_000,
    );
    expect(report?.repairs).toEqual([expect.stringMatching(/^took AWSPENDING off/)]);
    expect(effects).not.toContain('rotate');
    expect(labels[token] ?? []).toEqual([]);
  });
});

describe('the state of the preflight', () => {
  const states = (...errors: (RotationError | undefined)[]) =>
    play(async (run, ports) => {
      for (const error of errors) await recordState(run, ports, error, 'the-client');
    });
  const types = (events: readonly RotationEvent[]) => events.map(({ type }) => type.split('.').at(-2));

  it('is published when it changes, and only then', async () => {
    const { effects, events, tags } = await states(
      undefined,
      undefined,
      failure('login'),
      failure('login'),
      failure('timeout'),
      undefined,
    );
    expect(changes(effects)).toEqual([
      'tag preflight=ok',
      'publish preflight-failed',
      'tag preflight=failed:login',
      'publish preflight-failed',
      'tag preflight=failed:timeout',
      'publish preflight-recovered',
      'tag preflight=ok',
    ]);
    expect(tags?.get('preflight')).toBe('ok');
    expect(events.map(({ severity }) => severity)).toEqual(['warning', 'warning', 'info']);
    expect(events[0]?.data).toMatchObject({ version_id: first, client_id: 'the-client', error: { category: 'login' } });
    expect(events[0]?.data.attempt).toBe(1_800_000_000);
    expect(events[2]?.data.error).toBeUndefined();
  });

  it('says what has changed', async () => {
    const said: unknown[] = [];
    await play(async (run, ports) => {
      for (const error of [failure('login'), failure('login'), undefined])
        said.push(await recordState(run, ports, error, undefined));
    }).then(({ events }) => expect(types(events)).toEqual(['preflight-failed', 'preflight-recovered']));
    expect(said).toEqual(['unknown -> failed:login', undefined, 'failed:login -> ok']);
  });
});

describe('rotation-failed.v1', () => {
  const reported = async (unreadable: string) => {
    const { events } = await play((run, ports) => reportFailure(run, ports, failure('secret-store')), {
      before: another({ armed_for: token }),
      but: (ports) => ({
        secrets: {
          read: (id, which) =>
            id === unreadable ? Promise.reject(failure('permission')) : ports.secrets.read(id, which),
        },
      }),
    });
    return events.map(({ data }) => data)[0];
  };
  const { client_id, previous_version_id } = { client_id: 'the-client', previous_version_id: first };
  const nothing = 'arn of no secret';

  it.each([
    ['all', nothing, { client_id, previous_version_id, attempt: 1 }],
    ['the client, without the bridge secret', bridgeArn, { client_id, previous_version_id, attempt: 0 }],
    ['the secret by its name, without its value', rotatedArn, { attempt: 0 }],
  ])('tells what can be read: %s', async (_what, unreadable, parts) => {
    const subject = { secret_arn: rotatedArn, secret_name: 'rotated', region: 'eu-central-1' };
    const told = await reported(unreadable);
    expect(told).toEqual({
      ...subject,
      ...parts,
      version_id: token,
      step: 'createSecret',
      pressed: 'unknown',
      error: expect.objectContaining({ category: 'secret-store' }),
    });
  });

  // play() begins the rotation; another one takes slots before it, or while it runs on.
  it.each([
    ['since it began: its own may have been among those before', 1_000, 'unknown'],
    ['before it began, and one since', -1_000, 'no'],
  ])('two later slots of others, the first taken %s', async (_when, tookMs, pressed) => {
    const { events } = await play(async (run, ports, world) => {
      const beganAtMs = world.time.nowMs;
      world.time.nowMs = beganAtMs + tookMs;
      await another({ armed_for: 'a'.repeat(32), armed_from: 'one before' })(ports);
      world.time.nowMs = beganAtMs + 2_000;
      await another({ armed_for: 'b'.repeat(32), armed_from: 'another' })(ports);
      await reportFailure(run, ports, failure('token-endpoint', 'no'));
    });
    expect(events.map(({ data }) => data.pressed)).toEqual([pressed]);
  });
});
