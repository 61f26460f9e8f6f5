import { createHash } from 'node:crypto';
import type {
  DeveloperTools,
  NewVersion,
  Portal,
  Ports,
  SecretDescription,
  SecretVersion,
  Verdict,
} from '../../lambda/rotation/ports.ts';
import { LoginRefused, RotationError } from '../../lambda/rotation/rotation-error.ts';
import type { RotationEvent } from '../../lambda/rotation/rotation-event.ts';
import type { Run } from '../../lambda/rotation/run.ts';
import { type Actor, Lockstep } from './lockstep.ts';

export const limits = { propagationMs: 30_000, lateEffectMs: 60_000, secondLookMarginMs: 10_000 };

/** What befalls the invocation that reaches the boundary, or the world around it; the simplest first, for shrinking. */
export const faultKinds = [
  'die',
  'error',
  /** Secrets Manager retries, and this one runs on beside its retry. */
  'given-up',
  /** The same, and it stands still for a while. */
  'overtaken',
  /** A person takes AWSPENDING away, and the next rotation begins while this one stands still and runs on. */
  'cancelled',
  'hand-rotation',
  /** A preflight runs beside it. */
  'preflight',
  /** A deployment has its rotation configuration tested beside it. */
  'deployment',
  'password-changed',
] as const;

export type FaultKind = (typeof faultKinds)[number];

/** Boundaries are counted over all invocations, one before and one after each effect; an error after an effect is a lost answer. */
export interface Fault {
  boundary: number;
  kind: FaultKind;
  /** Of one that is overtaken or cancelled: for how long it stands still; 40 ms are one effect of another. */
  pauseMs: number;
}

/** How the provider and the services behave in one history. */
export interface Conduct {
  faults: readonly Fault[];
  /** Of each press, in order; the last holds for the rest. */
  presses: readonly ('at-once' | 'late' | 'never')[];
  oldDiesAfterMs: number;
  newLivesAfterMs: number;
  /** Of each look, in turn: one session may be behind another. */
  fieldLagsMs: readonly number[];
  readLagMs: number;
  /** Our clock, against the service's. */
  clockSkewMs: number;
  /** How long a browser takes to close. */
  closeMs: number;
  order: 'in-turn' | 'one-at-a-time';
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

export type Ending = 'done' | 'failed' | 'given-up' | 'cancelled';

/** An invocation, and what has to be known of it to judge what it does. */
export interface Invocation extends Actor {
  name: string;
  token: string;
  signal: AbortSignal;
  startedAtMs: number;
  endedAtMs: number | undefined;
  /** How it ends for whoever invoked it. */
  end: (how: Ending) => void;
  /** Something has befallen it. */
  struck: boolean;
  /** The client secret that was valid when it pressed. */
  pressedAway: string | undefined;
  lastVerdict: Verdict['verdict'] | undefined;
  /** Another invocation holds the slot that it reached for. */
  lostSlot: boolean;
  /** When the portal first showed it the client secret that its press made. */
  sawNewAtMs: number | undefined;
}

/** Before or after which effect. */
export interface Boundary {
  name: string;
  changes: boolean;
}

/** A line of the history; `read` changes nothing. */
export interface Line {
  atSeconds: number;
  who: string;
  what: string;
  kind: 'read' | 'change' | 'fault' | 'wrong';
}

/** The effect that a press had, or may still have. */
interface Press {
  atMs: number;
  token: string;
  current: string;
  effect: 'had' | 'may' | 'none';
}

/** What a fault begins beside the invocation that it befalls. */
export type Beside = { kind: 'preflight' } | { kind: 'deployment' } | { kind: 'rotation'; token: string };

export const rotatedArn = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:rotated-aaaaaa';
const loginArn = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:login-bbbbbb';
const bridgeArn = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:bridge-cccccc';
const firstVersion = 'version-0000000000000000000000000000';
const firstLogin = 'login-version-1';
const beganAtMs = 1_800_000_000_000;

/** Longer than an undisturbed invocation takes from seeing the new client secret to having stored it. */
const storeWithinMs = 10_000;
/** For so long after a person's press, or one that takes effect late, what is stored may be superseded: a known limit of the design. */
const unforeseenMs = 120_000;
const anySecret = /client-secret-\d|a-token|a-password/;

export class World {
  readonly time: Lockstep;
  readonly history: Line[] = [];
  readonly #wrong = new Set<string>();
  /** Each boundary at which faults could befall, and whether the effect there changes anything. */
  readonly boundaries: Boundary[] = [];
  /** Labels, values, slots, tags, events and the provider's secrets, after each change. */
  readonly states: string[] = [];
  readonly moved = new Set<string>();
  readonly #presses: Press[] = [];
  readonly #rotatedEvents = new Map<string, string>();
  readonly #conduct: Conduct;
  readonly #secrets = new Map<string, Stored>();
  readonly #past: { atMs: number; secretId: string; stored: Stored }[] = [];
  /** What the provider issued: the last is the valid one. */
  readonly #issued: { secret: string; atMs: number }[] = [];
  readonly #accepted = new Set<string>();
  readonly #refusals: { by: Invocation; version: string }[] = [];
  readonly #begin: (beside: Beside) => void;
  #password = 'a-password';
  #looks = 0;
  /** The valid client secret once it could be read as AWSCURRENT or AWSPENDING; not where a person took it away. */
  #readable: string | undefined;
  #unforeseenAtMs = Number.NEGATIVE_INFINITY;
  #faultsOn = true;

  /** @param begin begins something beside what runs */
  constructor(conduct: Conduct, begin: (beside: Beside) => void) {
    this.#conduct = conduct;
    this.#begin = begin;
    this.time = new Lockstep(beganAtMs, conduct.order);
    this.#issue(beganAtMs - 10 * limits.propagationMs);
    const value = JSON.stringify({
      client_id: 'the-client',
      client_secret: this.#validSecret,
      token_endpoint: 'https://api.example.com/token',
      developer_tools_url: 'https://app.example.com/tools',
      login_secret_arn: loginArn,
      bridge_secret_arn: bridgeArn,
    });
    this.#secrets.set(rotatedArn, stored([firstVersion, value, beganAtMs]));
    this.#secrets.set(loginArn, stored([firstLogin, login(this.#password), beganAtMs]));
    this.#secrets.set(bridgeArn, stored());
  }

  get readLagMs(): number {
    return this.#faultsOn ? this.#conduct.readLagMs : 0;
  }

  /** What ought never to have happened, in words. */
  get wrong(): readonly string[] {
    return [...this.#wrong];
  }

  violate(what: string): void {
    if (this.#wrong.has(what)) return;
    this.#wrong.add(what);
    this.tell('', what, 'wrong');
  }

  get presses(): number {
    return this.#presses.length;
  }

  /** From here on nothing goes wrong any more; a person has stored the login that the portal takes. */
  stopFaults(): void {
    this.#faultsOn = false;
    if (this.#password === 'a-password') return;
    this.#stored(loginArn).versions.set('login-version-2', { value: login(this.#password), createdAtMs: this.#nowMs });
    this.#attach(loginArn, 'AWSCURRENT', 'login-version-2');
  }

  /** What is wrong with how things are after the last rotation. */
  atRest(): string[] {
    const labels = this.#labels();
    const wrong: string[] = [];
    if (this.#secretWith('AWSCURRENT') !== this.#validSecret)
      wrong.push(
        `a client secret is lost: AWSCURRENT holds ${this.#secretWith('AWSCURRENT')}, and the provider takes ${this.#validSecret}`,
      );
    for (const label of ['AWSPENDING', 'ROTATED_DUE']) {
      if (labels[label] !== undefined) wrong.push(`${label} is left behind`);
    }
    for (const version of this.moved) {
      if (!this.#rotatedEvents.has(version)) wrong.push(`no rotated.v1 for ${named(version)}, which became AWSCURRENT`);
    }
    return wrong;
  }

  /** RotateSecret, as far as labels go: an empty version with AWSPENDING, or the token of the one that is there. */
  beginRotation(token: string): string {
    const { versions, labels } = this.#stored(rotatedArn);
    const { AWSPENDING: pending, AWSCURRENT: current } = this.#labels();
    if (pending && pending !== current) {
      this.tell('Secrets Manager', `takes up ${named(pending)} again`, 'change');
      return pending;
    }
    this.#change(rotatedArn);
    if (!versions.has(token)) versions.set(token, { createdAtMs: this.#nowMs });
    for (const names of labels.values()) names.delete('AWSPENDING');
    labels.set(token, new Set(['AWSPENDING']));
    this.tell('Secrets Manager', `begins ${named(token)}`, 'change');
    return token;
  }

  /** After finishSecret the service takes AWSPENDING off. */
  endRotation(token: string): void {
    this.#change(rotatedArn);
    this.#stored(rotatedArn).labels.get(token)?.delete('AWSPENDING');
  }

  /** The service's own version for testing a configuration: a copy of AWSCURRENT, whoever had AWSPENDING before. */
  beginTest(token: string): void {
    const { versions } = this.#stored(rotatedArn);
    this.#takePendingAway('a deployment has its configuration tested');
    const value = versions.get(this.#labels().AWSCURRENT ?? '')?.value ?? '{}';
    versions.set(token, { value, createdAtMs: this.#nowMs });
    this.#attach(rotatedArn, 'AWSPENDING', token);
  }

  invocation(name: string, token: string, signal: AbortSignal, end: Invocation['end']): Invocation {
    return {
      name,
      token,
      signal,
      end,
      gone: false,
      startedAtMs: this.#nowMs,
      endedAtMs: undefined,
      struck: false,
      pressedAway: undefined,
      lastVerdict: undefined,
      lostSlot: false,
      sawNewAtMs: undefined,
    };
  }

  /** An invocation has ended with this error. */
  failed(by: Invocation, error: RotationError): void {
    this.tell(by.name, `failed: ${error.message}`, 'change');
    if (anySecret.test(error.message)) this.violate('a secret in an error');
    if (by.lostSlot && error.category !== 'concurrency' && !by.struck)
      this.violate(`${by.name} lost the slot to another invocation and ends with ${error.category}`);
    const known = this.#presses.some(
      ({ token, atMs, effect }) =>
        token === by.token && effect !== 'none' && atMs + this.#conduct.readLagMs < by.startedAtMs,
    );
    if (error.pressed === 'no' && known) this.violate(`${by.name} says pressed: no, though its rotation has pressed`);
    if (error.pressed === 'no' && by.pressedAway) this.violate(`${by.name} says that it did not press, and it did`);
    if (error.pressed === 'yes' && !by.pressedAway) this.violate(`${by.name} says that it pressed, and it did not`);
  }

  run(by: Invocation, step: Run['step']): Run {
    return {
      step,
      secretId: rotatedArn,
      token: by.token,
      rotationToken: undefined,
      limits,
      remainingMs: () => 900_000 - (this.#nowMs - by.startedAtMs),
      signal: by.signal,
    };
  }

  ports(by: Invocation): Ports {
    const read = <T>(name: string, effect: () => T) => this.#act(by, name, effect, false);
    const change = <T>(name: string, effect: () => T) => this.#act(by, name, effect, true);
    return {
      clock: {
        now: () => new Date(this.#nowMs + this.#conduct.clockSkewMs),
        monotonicMs: () => this.#nowMs,
        sleep: (durationMs, signal) => this.time.sleep(durationMs, by, signal),
      },
      log: (fact, detail) => {
        if (detail && anySecret.test(JSON.stringify(detail))) this.violate(`a secret in the log of "${fact}"`);
      },
      learnSecret: () => undefined,
      portal: this.#portal(by),
      events: {
        prove: () => read('prove the topic', () => undefined),
        publish: (event) => change(`publish ${event.type.split('.').at(-2)}`, () => this.#publish(by, event)),
      },
      tokens: {
        mint: ({ clientSecret }) =>
          read(`mint with ${clientSecret}`, (): Verdict => {
            if (!this.#accepts(clientSecret)) return { verdict: 'rejected', detail: 'status 401' };
            this.#accepted.add(clientSecret);
            const expiresAt = new Date(this.#nowMs + 86_400_000);
            return {
              verdict: 'accepted',
              token: { accessToken: 'a-token', tokenType: 'Bearer', expiresAt, scope: 'x' },
            };
          })
            .catch((): Verdict => ({ verdict: 'unreachable', detail: 'fault' }))
            .then((answer) => {
              by.lastVerdict = answer.verdict;
              return answer;
            }),
      },
      secrets: {
        describe: (id) => read('describe', () => this.#describe(id)),
        read: (id, which) =>
          read(`read ${nameOf(id)} ${named(Object.values(which)[0] ?? '')}`, () => this.#read(id, which)),
        put: (id, version) => change(`put ${nameOf(id)} ${named(version.versionId)}`, () => this.#put(by, id, version)),
        moveLabel: (id, label, move) =>
          change(`move ${label} from ${named(move.from ?? 'nowhere')} to ${named(move.to ?? 'nowhere')}`, () =>
            this.#moveLabel(id, label, move),
          ),
        createdAt: (id, version) =>
          read('list versions', () => {
            const atMs = this.#stored(id).versions.get(version)?.createdAtMs;
            return atMs === undefined ? undefined : new Date(atMs);
          }),
        rotate: (_id, token) =>
          change('rotate', () => {
            const taken = this.beginRotation(token);
            this.#begin({ kind: 'rotation', token: taken });
            return taken === token ? 'started' : 'resumed';
          }),
        tag: (id, key, value) =>
          change(`tag ${key}=${value}`, () => {
            this.#change(id);
            this.#stored(id).tags.set(key, value);
          }),
      },
    };
  }

  #portal(by: Invocation): Portal {
    const read = <T>(name: string, effect: () => T) => this.#act(by, name, effect, false);
    const field = () => {
      const shown = this.#field();
      if (by.pressedAway !== undefined && by.pressedAway !== shown && shown === this.#validSecret)
        by.sawNewAtMs ??= this.#nowMs;
      return shown;
    };
    const tools: DeveloperTools = {
      look: () => read('load Developer Tools', field),
      shown: () => read('look at Developer Tools', field),
      openRotateDialog: () =>
        read('open the dialog', () => ({
          press: () => this.#act(by, 'PRESS', () => this.#press(by), true),
          cancel: () => Promise.resolve(),
        })),
      rehearse: () => read('rehearse', () => undefined),
      close: async () => {
        // What it throws stays in it.
        await read('close the browser', () => undefined).catch(() => undefined);
        if (this.#conduct.closeMs > 0) await this.time.sleep(this.#conduct.closeMs, by);
      },
    };
    return {
      findings: () => [],
      open: ({ password }) =>
        read('log in', () => {
          if (password === this.#password) return tools;
          this.#watchRefused(by);
          throw refused();
        }),
    };
  }

  /** A boundary, the effect, a boundary: whoever dies before it never acts, whoever dies after never knows. */
  async #act<T>(by: Invocation, name: string, effect: () => T, changes: boolean): Promise<T> {
    await this.time.turn(by);
    await this.#boundary(by, `before: ${name}`, changes);
    let result: T;
    try {
      result = effect();
    } catch (error) {
      this.tell(by.name, `${name} -> ${(error as RotationError).what}`, changes ? 'change' : 'read');
      throw error;
    }
    this.tell(by.name, `${name}${outcome(result)}`, changes ? 'change' : 'read');
    if (changes) this.states.push(this.#state());
    await this.#boundary(by, `after: ${name}`, changes);
    return result;
  }

  #boundary(by: Invocation, name: string, changes: boolean): Promise<void> | undefined {
    this.time.nowMs += 20;
    if (!this.#faultsOn) return undefined;
    const number = this.boundaries.push({ name, changes });
    const fault = this.#conduct.faults.find(({ boundary }) => boundary === number);
    if (!fault) return undefined;
    this.tell(by.name, `${name}: ${inWords(fault)} (boundary ${number})`, 'fault');
    switch (fault.kind) {
      case 'die':
        by.gone = true;
        by.end('failed');
        return new Promise(() => undefined);
      case 'error':
        by.struck = true;
        return Promise.reject(fail('secret-store', `fault ${name}`));
      case 'given-up':
        by.struck = true;
        by.end('given-up');
        return undefined;
      case 'overtaken':
        by.struck = true;
        by.end('given-up');
        return this.time.sleep(pauseAt(name, fault, by), by);
      case 'cancelled':
        by.struck = true;
        this.#takePendingAway('a person takes AWSPENDING away');
        by.end('cancelled');
        return this.time.sleep(pauseAt(name, fault, by), by);
      case 'hand-rotation':
        this.#unforeseenAtMs = this.#nowMs;
        this.#issue(this.#nowMs);
        return undefined;
      case 'preflight':
      case 'deployment':
        this.#begin({ kind: fault.kind });
        return undefined;
      case 'password-changed':
        this.#password = 'another password';
        return undefined;
    }
  }

  #issue(atMs: number): void {
    this.#issued.push({ secret: `client-secret-${String(this.#issued.length).padStart(3, '0')}`, atMs });
    this.tell('provider', `${this.#validSecret} is the valid one`, 'change');
  }

  get #validSecret(): string {
    return this.#issued.at(-1)?.secret ?? '';
  }

  get #nowMs(): number {
    return this.time.nowMs;
  }

  #accepts(secret: string): boolean {
    const { oldDiesAfterMs, newLivesAfterMs } = this.#conduct;
    const index = this.#issued.findIndex((issued) => issued.secret === secret);
    const own = this.#issued[index];
    if (!own) return false;
    const next = this.#issued[index + 1];
    return this.#nowMs >= own.atMs + newLivesAfterMs && (!next || this.#nowMs < next.atMs + oldDiesAfterMs);
  }

  #field(): string {
    const { fieldLagsMs } = this.#conduct;
    const lagMs = fieldLagsMs[this.#looks++ % fieldLagsMs.length] ?? 0;
    const seen = this.#issued.findLast(({ atMs }) => atMs <= this.#nowMs - lagMs);
    return (seen ?? this.#issued[0])?.secret ?? '';
  }

  #press(by: Invocation): void {
    const { presses } = this.#conduct;
    const how = (this.#faultsOn && presses[Math.min(this.#presses.length, presses.length - 1)]) || 'at-once';
    const current = this.#labels().AWSCURRENT ?? '';
    const before = this.#presses.filter((press) => press.current === current && press.effect !== 'none');
    if (before.length > 0) this.violate(`pressed again, though the press before had or could still have an effect`);
    const ofToken = this.#presses.filter(({ token }) => token === by.token).length + 1;
    if (ofToken > 2) this.violate(`${ofToken} presses under ${named(by.token)}`);
    if (by.lastVerdict !== 'accepted' && by.lastVerdict !== 'rejected') this.violate('pressed what was not verified');
    by.pressedAway = this.#validSecret;
    const effects = { 'at-once': 'had', late: 'may', never: 'none' } as const;
    const press: Press = { atMs: this.#nowMs, token: by.token, current, effect: effects[how] };
    this.#presses.push(press);
    if (how === 'at-once') {
      this.#issue(this.#nowMs);
      return;
    }
    if (how === 'late') {
      void this.time.sleep(limits.lateEffectMs - 1_000).then(() => {
        press.effect = 'had';
        this.#unforeseenAtMs = this.#nowMs;
        this.#issue(this.#nowMs);
      });
    }
    throw fail('portal-unavailable', 'no answer');
  }

  /** One refused login may be followed by another only where the first could not be remembered, or not yet. */
  #watchRefused(by: Invocation): void {
    const version = this.#labels(loginArn).AWSCURRENT ?? '';
    const known = this.#refusals.some(
      (earlier) =>
        earlier.version === version &&
        !earlier.by.struck &&
        by.startedAtMs > (earlier.by.endedAtMs ?? Number.POSITIVE_INFINITY) + this.#conduct.readLagMs,
    );
    if (known) this.violate('logged in again with a password that the portal had refused');
    this.#refusals.push({ by, version });
  }

  /** Whether an event is true, at the moment it is published. */
  #publish(by: Invocation, { type, data }: RotationEvent): void {
    if (anySecret.test(JSON.stringify(data))) this.violate(`a secret in ${type}`);
    const { versions } = this.#stored(rotatedArn);
    const version = data.version_id;
    switch (type) {
      case 'oauth2.client-secret.rotation-started.v1': {
        const stored = [...this.#secrets.values()].flatMap(({ versions: own }) => [...own.values()]);
        const armed = stored.some(
          ({ value = '{}' }) => (JSON.parse(value) as { armed_for?: string }).armed_for === version,
        );
        if (!armed) this.violate(`rotation-started.v1 for ${named(version)}, which has no slot`);
        return;
      }
      case 'oauth2.client-secret.pending.v1':
        if (versions.get(version)?.value === undefined)
          this.violate(`pending.v1 for ${named(version)}, which has no value`);
        if (data.pressed === 'no' && this.#presses.some(({ token }) => token === version))
          this.violate(`pending.v1 says that ${named(version)} was not pressed for, and it was`);
        return;
      case 'oauth2.client-secret.rotated.v1': {
        if (!this.moved.has(version)) this.violate(`rotated.v1 for ${named(version)}, which never was AWSCURRENT`);
        const id = `${data.step}, attempt ${data.attempt}`;
        const before = this.#rotatedEvents.get(version) ?? id;
        if (before !== id) this.violate(`rotated.v1 twice under different ids (${before}; ${id}) for one fact`);
        this.#rotatedEvents.set(version, before);
        return;
      }
      case 'oauth2.client-secret.rotation-failed.v1':
        if (data.pressed === 'no' && by.pressedAway) this.violate(`rotation-failed.v1 says pressed: no after a press`);
        return;
      case 'oauth2.client-secret.preflight-failed.v1':
      case 'oauth2.client-secret.preflight-recovered.v1':
        return;
    }
  }

  /** Once AWSCURRENT or AWSPENDING has the valid client secret, one of them keeps it: consumers live on it. */
  #watchReadable(): void {
    const readable = ['AWSCURRENT', 'AWSPENDING'].some((label) => this.#secretWith(label) === this.#validSecret);
    if (readable) this.#readable = this.#validSecret;
    else if (this.#readable === this.#validSecret)
      this.violate(`downtime: ${this.#validSecret} is valid and no longer AWSCURRENT nor AWSPENDING`);
  }

  #state(): string {
    const secrets = [...this.#secrets.values()].map(({ versions, labels, tags }) => [
      [...versions].map(([id, { value }]) => [id, value === undefined ? '' : secretIn(value)]),
      [...labels].map(([id, names]) => [id, ...names]),
      [...tags],
    ]);
    const presses = this.#presses.map(({ token, current, effect }) => [token, current, effect]);
    return JSON.stringify([secrets, this.#issued.length, presses, [...this.#rotatedEvents.keys()]]);
  }

  #takePendingAway(why: string): void {
    const { AWSPENDING: pending, AWSCURRENT: current } = this.#labels();
    this.tell('', why, 'fault');
    if (pending === undefined || pending === current) return;
    this.#change(rotatedArn);
    this.#stored(rotatedArn).labels.get(pending)?.delete('AWSPENDING');
    this.#readable = undefined;
  }

  #labels(secretId = rotatedArn): Record<string, string> {
    const { labels } = this.#stored(secretId);
    return Object.fromEntries([...labels].flatMap(([id, names]) => [...names].map((name) => [name, id])));
  }

  #secretWith(label: string): string | undefined {
    const value = this.#stored(rotatedArn).versions.get(this.#labels()[label] ?? '')?.value;
    return value === undefined ? undefined : secretIn(value);
  }

  #stored(secretId: string): Stored {
    const found = this.#secrets.get(secretId);
    if (!found) throw new Error(`no secret ${secretId}`);
    return found;
  }

  #change(secretId: string): void {
    if (this.readLagMs > 0)
      this.#past.push({ atMs: this.#nowMs, secretId, stored: structuredClone(this.#stored(secretId)) });
  }

  /** As a read sees it, which may lag. */
  #seen(secretId: string): Stored {
    const hidden = this.#past.find(({ atMs, secretId: id }) => id === secretId && atMs > this.#nowMs - this.readLagMs);
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

  #put(by: Invocation, secretId: string, { versionId, value, labels }: NewVersion): 'stored' | 'conflict' {
    const { versions } = this.#stored(secretId);
    const present = versions.get(versionId);
    if (present?.value !== undefined && present.value !== value) {
      by.lostSlot ||= secretId === bridgeArn;
      return 'conflict';
    }
    if (present?.value !== undefined) return 'stored';
    this.#change(secretId);
    // A version that is not the rotation's own abandons it.
    if (secretId === rotatedArn && versionId !== this.#labels().AWSPENDING)
      this.#takePendingAway('the rotation is abandoned');
    versions.set(versionId, { value, createdAtMs: present?.createdAtMs ?? this.#nowMs });
    for (const label of labels) this.#attach(secretId, label, versionId);
    if (labels.includes('AWSPENDING')) this.#watchStored(by, secretIn(value));
    return 'stored';
  }

  #watchStored(by: Invocation, secret: string | undefined): void {
    if (secret !== this.#validSecret && this.#nowMs - this.#unforeseenAtMs > unforeseenMs)
      this.violate(`stored ${secret}, which the provider had superseded by ${this.#validSecret}`);
    const tookMs = this.#nowMs - (by.sawNewAtMs ?? this.#nowMs);
    if (tookMs > storeWithinMs && !by.struck)
      this.violate(`downtime: the new client secret was seen, and stored only ${tookMs} ms later`);
    this.#watchReadable();
  }

  #moveLabel(secretId: string, label: string, { from, to }: { from?: string; to?: string }): void {
    const { labels } = this.#stored(secretId);
    const holder = [...labels].find(([, names]) => names.has(label))?.[0];
    if (holder !== from) throw fail('secret-store', `${label} is elsewhere`);
    this.#change(secretId);
    if (to === undefined) labels.get(from ?? '')?.delete(label);
    else this.#attach(secretId, label, to);
    this.#watchReadable();
  }

  #attach(secretId: string, label: string, to: string): void {
    const { labels, versions } = this.#stored(secretId);
    const holder = [...labels].find(([, names]) => names.has(label));
    holder?.[1].delete(label);
    labels.set(to, (labels.get(to) ?? new Set()).add(label));
    if (label !== 'AWSCURRENT' || holder?.[0] === to) return;
    if (holder) this.#attach(secretId, 'AWSPREVIOUS', holder[0]);
    if (secretId !== rotatedArn) return;
    this.moved.add(to);
    const secret = secretIn(versions.get(to)?.value ?? '{}');
    if (secret === undefined || !this.#accepted.has(secret))
      this.violate(`AWSCURRENT moved to ${named(to)}, whose ${secret} the endpoint had not accepted`);
  }

  tell(who: string, what: string, kind: Line['kind']): void {
    this.history.push({ atSeconds: (this.#nowMs - beganAtMs) / 1000, who, what, kind });
  }
}

const names = new Map([
  [firstVersion, 'the first version'],
  [firstLogin, 'the first login'],
]);

/** A ClientRequestToken that the history calls by this name. */
export function tokenFor(name: string): string {
  const token = createHash('sha256').update(name).digest('hex').slice(0, 32);
  names.set(token, name);
  return token;
}

function named(id: string): string {
  return names.get(id) ?? id.slice(0, 12);
}

/** What befell, or would. */
export function inWords({ kind, pauseMs }: Fault): string {
  switch (kind) {
    case 'die':
      return 'it dies';
    case 'error':
      return 'it gets an error';
    case 'given-up':
      return 'Secrets Manager gives it up, and it runs on';
    case 'overtaken':
      return `Secrets Manager gives it up, and it runs on after ${pauseMs} ms`;
    case 'cancelled':
      return `the rotation is cancelled and the next begins; it runs on after ${pauseMs} ms`;
    case 'hand-rotation':
      return 'a person rotates by hand';
    case 'preflight':
      return 'a preflight begins';
    case 'deployment':
      return 'a deployment has the rotation configuration tested';
    case 'password-changed':
      return 'the password is changed in the portal';
  }
}

/**
 * Between its last look and its press, or what it adopts, nobody stands still for long: a known limit of the design. What was pressed
 * for is stored however late.
 */
function pauseAt(boundary: string, { pauseMs }: Fault, { pressedAway }: Invocation): number {
  const isLast = boundary === 'before: PRESS' || (boundary.startsWith('before: put rotated') && !pressedAway);
  return isLast ? Math.min(pauseMs, 3_000) : pauseMs;
}

function outcome(result: unknown): string {
  if (typeof result === 'string') return ` -> ${result}`;
  if (typeof result !== 'object' || result === null) return '';
  if ('verdict' in result) return ` -> ${String(result.verdict)}`;
  if ('labels' in result && result.labels instanceof Map) {
    const labels = result.labels as ReadonlyMap<string, readonly string[]>;
    return ` -> ${[...labels].map(([id, own]) => `${named(id)}: ${own.join(' ')}`).join(', ') || 'no labels'}`;
  }
  return 'versionId' in result ? ` -> ${named(String(result.versionId))}` : '';
}

function fail(category: 'secret-store' | 'portal-unavailable', what: string): RotationError {
  return new RotationError({ category, what, retryable: true, pressed: 'unknown', action: 'retry' });
}

function refused(): LoginRefused {
  const what = 'the portal refused the login';
  return new LoginRefused({ category: 'login', what, retryable: false, pressed: 'no', action: 'store another login' });
}

function login(password: string): string {
  return JSON.stringify({ username: 'u', password });
}

function secretIn(value: string): string | undefined {
  return (JSON.parse(value) as { client_secret?: string }).client_secret;
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
