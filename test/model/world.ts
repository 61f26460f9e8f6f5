import { createHash } from 'node:crypto';
import type {
  Clock,
  DeveloperTools,
  NewVersion,
  Portal,
  Ports,
  SecretDescription,
  SecretVersion,
  Verdict,
} from '../../lambda/rotation/ports.ts';
import { RotationError } from '../../lambda/rotation/rotation-error.ts';
import type { RotationEvent } from '../../lambda/rotation/rotation-event.ts';
import type { Run } from '../../lambda/rotation/run.ts';

export const limits = { propagationMs: 30_000, lateEffectMs: 60_000, secondLookMarginMs: 10_000 };

/** What befalls the invocation that reaches the boundary. */
export type FaultKind = 'die' | 'error' | 'given-up' | 'overtaken' | 'hand-rotation';

/** Boundaries are counted over all invocations, one before and one after each effect; an error after an effect is a lost answer. */
export interface Fault {
  boundary: number;
  kind: FaultKind;
  /** Of one that is overtaken: it stands still while its retry runs. */
  pauseMs: number;
}

/** How the provider and the services behave in one history. */
export interface Conduct {
  faults: readonly Fault[];
  /** Of each press, in order; the last holds for the rest. */
  presses: readonly ('at-once' | 'late' | 'never')[];
  oldDiesAfterMs: number;
  newLivesAfterMs: number;
  fieldLagMs: number;
  readLagMs: number;
  /** Our clock, against the service's. */
  clockSkewMs: number;
}

interface Version {
  value?: string;
  createdAtMs: number;
}

/** A secret's versions and labels. */
interface Stored {
  versions: Map<string, Version>;
  labels: Map<string, Set<string>>;
  tags: Map<string, string>;
}

/** An invocation; one that is dead reaches no boundary any more. */
export interface Invocation {
  name: string;
  dead: boolean;
  givenUp: (() => void) | undefined;
  startedAtMs: number;
  signal: AbortSignal;
}

export const rotatedArn = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:rotated-aaaaaa';
const loginArn = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:login-bbbbbb';
const bridgeArn = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:bridge-cccccc';
export const firstVersion = 'version-0000000000000000000000000000';

/** Time is virtual: it passes where all sleep, and a little at each boundary. */
export class World {
  nowMs = 1_800_000_000_000;
  readonly history: string[] = [];
  readonly published: RotationEvent[] = [];
  /** Versions that became AWSCURRENT, and whether the endpoint had ever accepted what they hold. */
  readonly moves: { version: string; accepted: boolean }[] = [];
  readonly presses: { atMs: number; token: string; current: string; effect: boolean }[] = [];
  readonly #conduct: Conduct;
  readonly #secrets = new Map<string, Stored>();
  readonly #past: { atMs: number; secretId: string; stored: Stored }[] = [];
  /** What the provider issued: the last is the valid one. */
  readonly #issued: { secret: string; atMs: number }[] = [];
  readonly #accepted = new Set<string>();
  #sleeping: { atMs: number; wake: () => void }[] = [];
  #boundaries = 0;
  #faultsOn = true;

  constructor(conduct: Conduct) {
    this.#conduct = conduct;
    this.#issue(-10 * limits.propagationMs);
    const value = JSON.stringify({
      client_id: 'the-client',
      client_secret: this.validSecret,
      token_endpoint: 'https://api.example.com/token',
      developer_tools_url: 'https://app.example.com/tools',
      login_secret_arn: loginArn,
      bridge_secret_arn: bridgeArn,
    });
    this.#secrets.set(rotatedArn, stored([firstVersion, value, this.nowMs]));
    this.#secrets.set(loginArn, stored(['login-version', '{"username":"u","password":"a-password"}', this.nowMs]));
    this.#secrets.set(bridgeArn, stored());
  }

  get validSecret(): string {
    return this.#issued.at(-1)?.secret ?? '';
  }

  stopFaults(): void {
    this.#faultsOn = false;
  }

  /** How many boundaries there were so far. */
  get boundaries(): number {
    return this.#boundaries;
  }

  labels(): Record<string, string> {
    const { labels } = this.#stored(rotatedArn);
    return Object.fromEntries([...labels].flatMap(([id, names]) => [...names].map((name) => [name, id])));
  }

  value(label: string): string | undefined {
    const id = this.labels()[label];
    return id === undefined ? undefined : this.#stored(rotatedArn).versions.get(id)?.value;
  }

  accepts(secret: string): boolean {
    const { oldDiesAfterMs, newLivesAfterMs } = this.#conduct;
    const index = this.#issued.findIndex((issued) => issued.secret === secret);
    const own = this.#issued[index];
    if (!own) return false;
    const next = this.#issued[index + 1];
    const lives = this.nowMs >= own.atMs + newLivesAfterMs && (!next || this.nowMs < next.atMs + oldDiesAfterMs);
    if (lives) this.#accepted.add(secret);
    return lives;
  }

  /** RotateSecret, as far as labels go: an empty version with AWSPENDING, or the token of the one that is there. */
  beginRotation(token: string): string {
    const { versions, labels } = this.#stored(rotatedArn);
    const { AWSPENDING: pending, AWSCURRENT: current } = this.labels();
    if (pending && pending !== current) return pending;
    this.#change(rotatedArn);
    versions.set(token, { createdAtMs: this.nowMs });
    for (const names of labels.values()) names.delete('AWSPENDING');
    labels.set(token, new Set(['AWSPENDING']));
    return token;
  }

  /** After finishSecret the service takes AWSPENDING off. */
  endRotation(token: string): void {
    this.#change(rotatedArn);
    this.#stored(rotatedArn).labels.get(token)?.delete('AWSPENDING');
  }

  rotateByHand(): void {
    this.history.push(`${this.#time()} a person rotates`);
    this.#issue(this.nowMs);
  }

  /** Everybody sleeps: time goes on to the first who wakes. @returns whether there was one */
  wakeNext(): boolean {
    const first = this.#sleeping.sort((a, b) => a.atMs - b.atMs).shift();
    if (!first) return false;
    this.nowMs = Math.max(this.nowMs, first.atMs);
    first.wake();
    return true;
  }

  ports(invocation: Invocation): Ports {
    const clock: Clock = {
      now: () => new Date(this.nowMs + this.#conduct.clockSkewMs),
      monotonicMs: () => this.nowMs,
      sleep: (durationMs) =>
        new Promise((wake) => {
          this.#sleeping.push({ atMs: this.nowMs + durationMs, wake: () => invocation.dead || wake() });
        }),
    };
    const act = <T>(name: string, effect: () => T) => this.#act(invocation, name, effect);
    return {
      clock,
      log: () => undefined,
      learnSecret: () => undefined,
      portal: this.#portal(invocation),
      events: {
        prove: () => act('prove topic', () => undefined),
        publish: (event) => act(`publish ${event.type.split('.').at(-2)}`, () => void this.published.push(event)),
      },
      tokens: {
        mint: ({ clientSecret }) =>
          act(`mint ${clientSecret}`, (): Verdict => {
            if (!this.accepts(clientSecret)) return { verdict: 'rejected', detail: 'status 401' };
            const expiresAt = new Date(this.nowMs + 86_400_000);
            return {
              verdict: 'accepted',
              token: { accessToken: 'a-token', tokenType: 'Bearer', expiresAt, scope: 'x' },
            };
          }).catch((): Verdict => ({ verdict: 'unreachable', detail: 'fault' })),
      },
      secrets: {
        describe: (id) => act('describe', () => this.#describe(id)),
        read: (id, which) =>
          act(`read ${nameOf(id)} ${Object.values(which)[0]?.slice(0, 12)}`, () => this.#read(id, which)),
        put: (id, version) => act(`put ${nameOf(id)} ${version.versionId.slice(0, 12)}`, () => this.#put(id, version)),
        moveLabel: (id, label, move) => act(`move ${label}`, () => this.#moveLabel(id, label, move)),
        createdAt: (id, version) =>
          act('list versions', () => {
            const atMs = this.#stored(id).versions.get(version)?.createdAtMs;
            return atMs === undefined ? undefined : new Date(atMs);
          }),
        rotate: (_id, version) =>
          act('rotate', () => (this.beginRotation(version) === version ? 'started' : 'resumed')),
        tag: (id, key, value) => act(`tag ${key}`, () => void this.#stored(id).tags.set(key, value)),
      },
    };
  }

  run(invocation: Invocation, step: Run['step'], token: string): Run {
    return {
      step,
      secretId: rotatedArn,
      token,
      rotationToken: undefined,
      limits,
      remainingMs: () => 900_000 - (this.nowMs - invocation.startedAtMs),
      signal: invocation.signal,
    };
  }

  #portal(invocation: Invocation): Portal {
    const act = <T>(name: string, effect: () => T) => this.#act(invocation, name, effect);
    const tools: DeveloperTools = {
      look: () => act('look', () => this.#field()),
      shown: () => act('shown', () => this.#field()),
      openRotateDialog: () =>
        act('open dialog', () => ({
          press: () => act('press', () => this.#press(invocation)),
          cancel: () => Promise.resolve(),
        })),
      rehearse: () => act('rehearse', () => undefined),
      findings: () => [],
      close: async () => undefined,
    };
    return { open: () => act('log in', () => tools) };
  }

  /** A boundary, the effect, a boundary: whoever dies before it never acts, whoever dies after never knows. */
  async #act<T>(invocation: Invocation, name: string, effect: () => T): Promise<T> {
    await this.#boundary(invocation, `before ${name}`);
    const result = effect();
    this.history.push(`${this.#time()} ${invocation.name}: ${name}`);
    await this.#boundary(invocation, `after ${name}`);
    return result;
  }

  async #boundary(invocation: Invocation, name: string): Promise<void> {
    this.#boundaries += 1;
    this.nowMs += 20;
    const fault = this.#faultsOn && this.#conduct.faults.find(({ boundary }) => boundary === this.#boundaries);
    await new Promise(setImmediate);
    if (invocation.dead) await new Promise(() => undefined);
    if (!fault) return;
    this.history.push(`${this.#time()} ${invocation.name}: ${fault.kind} ${name}`);
    switch (fault.kind) {
      case 'die':
        invocation.dead = true;
        invocation.givenUp?.();
        return new Promise(() => undefined);
      case 'given-up':
        // Secrets Manager retries, and this one runs on.
        invocation.givenUp?.();
        return;
      case 'overtaken':
        invocation.givenUp?.();
        await new Promise<void>((wake) => {
          this.#sleeping.push({ atMs: this.nowMs + fault.pauseMs, wake: () => invocation.dead || wake() });
        });
        return;
      case 'hand-rotation':
        this.rotateByHand();
        return;
      case 'error':
        throw new RotationError({
          category: 'secret-store',
          what: `fault ${name}`,
          retryable: true,
          pressed: 'unknown',
          action: 'retry',
        });
    }
  }

  #issue(atMs: number): void {
    this.#issued.push({ secret: `client-secret-${String(this.#issued.length).padStart(3, '0')}`, atMs });
  }

  #field(): string {
    const seen = this.#issued.findLast(({ atMs }) => atMs <= this.nowMs - this.#conduct.fieldLagMs);
    return (seen ?? this.#issued[0])?.secret ?? '';
  }

  #press(invocation: Invocation): void {
    const { presses } = this.#conduct;
    const how = (this.#faultsOn && presses[Math.min(this.presses.length, presses.length - 1)]) || 'at-once';
    const press = {
      atMs: this.nowMs,
      token: invocation.name,
      current: this.labels().AWSCURRENT ?? '',
      effect: how === 'at-once',
    };
    this.presses.push(press);
    if (how === 'at-once') this.#issue(this.nowMs);
    if (how === 'late') {
      this.#sleeping.push({
        atMs: this.nowMs + limits.lateEffectMs - 1_000,
        wake: () => {
          press.effect = true;
          this.history.push(`${this.#time()} the press takes effect`);
          this.#issue(this.nowMs);
        },
      });
    }
    if (how !== 'at-once') {
      throw new RotationError({
        category: 'portal-unavailable',
        what: 'no answer',
        retryable: true,
        pressed: 'unknown',
        action: 'look',
      });
    }
  }

  #stored(secretId: string): Stored {
    const found = this.#secrets.get(secretId);
    if (!found) throw new Error(`no secret ${secretId}`);
    return found;
  }

  #change(secretId: string): void {
    if (this.#conduct.readLagMs > 0)
      this.#past.push({ atMs: this.nowMs, secretId, stored: structuredClone(this.#stored(secretId)) });
  }

  /** As a read sees it, which may lag. */
  #seen(secretId: string): Stored {
    if (!this.#faultsOn) return this.#stored(secretId);
    const hidden = this.#past.find(
      ({ atMs, secretId: id }) => id === secretId && atMs > this.nowMs - this.#conduct.readLagMs,
    );
    return hidden?.stored ?? this.#stored(secretId);
  }

  #describe(secretId: string): SecretDescription {
    const { labels, tags } = this.#seen(secretId);
    const named = [...labels]
      .filter(([, names]) => names.size > 0)
      .map(([id, names]): [string, string[]] => [id, [...names]]);
    return {
      arn: secretId,
      name: nameOf(secretId),
      rotationEnabled: true,
      deletedAt: undefined,
      labels: new Map(named),
      tags,
    };
  }

  #read(secretId: string, which: { label: string } | { versionId: string }): SecretVersion | undefined {
    const { versions, labels } = this.#seen(secretId);
    const id = 'label' in which ? [...labels].find(([, names]) => names.has(which.label))?.[0] : which.versionId;
    const version = id === undefined ? undefined : versions.get(id);
    if (id === undefined || version?.value === undefined) return undefined;
    return { versionId: id, value: version.value, createdAt: new Date(version.createdAtMs) };
  }

  #put(secretId: string, { versionId, value, labels }: NewVersion): 'stored' | 'conflict' {
    const { versions } = this.#stored(secretId);
    const present = versions.get(versionId);
    if (present?.value !== undefined) return present.value === value ? 'stored' : 'conflict';
    this.#change(secretId);
    versions.set(versionId, { value, createdAtMs: present?.createdAtMs ?? this.nowMs });
    for (const label of labels) this.#attach(secretId, label, versionId);
    return 'stored';
  }

  #moveLabel(secretId: string, label: string, { from, to }: { from?: string; to?: string }): void {
    const { labels } = this.#stored(secretId);
    const holder = [...labels].find(([, names]) => names.has(label))?.[0];
    if (holder !== from) {
      throw new RotationError({
        category: 'secret-store',
        what: `${label} is elsewhere`,
        retryable: true,
        pressed: 'no',
        action: 'retry',
      });
    }
    this.#change(secretId);
    if (to === undefined) labels.get(from ?? '')?.delete(label);
    else this.#attach(secretId, label, to);
  }

  #attach(secretId: string, label: string, to: string): void {
    const { labels, versions } = this.#stored(secretId);
    const holder = [...labels].find(([, names]) => names.has(label));
    holder?.[1].delete(label);
    labels.set(to, (labels.get(to) ?? new Set()).add(label));
    if (label !== 'AWSCURRENT' || holder?.[0] === to) return;
    if (holder) this.#attach(secretId, 'AWSPREVIOUS', holder[0]);
    if (secretId !== rotatedArn) return;
    const { client_secret: secret } = JSON.parse(versions.get(to)?.value ?? '{}') as { client_secret?: string };
    this.moves.push({ version: to, accepted: secret !== undefined && this.#accepted.has(secret) });
  }

  #time(): string {
    return `${((this.nowMs - 1_800_000_000_000) / 1000).toFixed(2).padStart(9)} s`;
  }
}

function stored(...versions: [id: string, value: string, createdAtMs: number][]): Stored {
  return {
    versions: new Map(versions.map(([id, value, createdAtMs]) => [id, { value, createdAtMs }])),
    labels: new Map(versions.map(([id]) => [id, new Set(['AWSCURRENT'])])),
    tags: new Map(),
  };
}

function nameOf(secretId: string): string {
  return secretId.split(':secret:')[1]?.slice(0, -7) ?? secretId;
}

/** A ClientRequestToken for the nth rotation. */
export function tokenFor(number: number): string {
  return createHash('sha256').update(`rotation ${number}`).digest('hex').slice(0, 32);
}
