import type { RotationEvent } from './rotation-event.ts';

/** One version of a secret that has a value. */
export interface SecretVersion {
  versionId: string;
  value: string;
  createdAt: Date;
}

/** A secret without its values. `labels` has every version that bears a staging label. */
export interface SecretDescription {
  arn: string;
  name: string;
  rotationEnabled: boolean;
  deletedAt: Date | undefined;
  /** Of a secret that has replicas, or is one. */
  primaryRegion?: string | undefined;
  labels: ReadonlyMap<string, readonly string[]>;
  tags: ReadonlyMap<string, string>;
}

/**
 * Secrets Manager. Failures are RotationErrors of category configuration (no such secret), permission, or secret-store.
 * @see Secrets Manager API reference
 */
export interface SecretStore {
  describe(secretId: string): Promise<SecretDescription>;
  /** The version that bears the label, or the one with the id; undefined where there is none or it has no value yet. */
  read(secretId: string, which: { label: string } | { versionId: string }): Promise<SecretVersion | undefined>;
  /** `conflict`: the version has another value already; nothing was changed. The same value again changes nothing. */
  put(secretId: string, version: NewVersion): Promise<'stored' | 'conflict'>;
  moveLabel(secretId: string, label: string, move: { from?: string; to?: string }): Promise<void>;
  /** When the version was created, with or without a value. */
  createdAt(secretId: string, versionId: string): Promise<Date | undefined>;
  /** Starts a rotation under this ClientRequestToken; `resumed` where the service takes an unfinished one up again instead. */
  rotate(secretId: string, versionId: string): Promise<'started' | 'resumed'>;
  tag(secretId: string, key: string, value: string): Promise<void>;
}

export interface NewVersion {
  versionId: string;
  value: string;
  labels: readonly string[];
  /** Sensitive; given for rotation across roles only. */
  rotationToken?: string | undefined;
}

/** What the portal is opened with: the login, where to go, and whose client it has to be. */
export interface PortalAccount {
  developerToolsUrl: string;
  clientId: string;
  username: string;
  password: string;
  totpSecret: string | undefined;
}

/** The provider's web app in a browser. */
export interface Portal {
  /**
   * Starts a browser, logs in and opens Developer Tools. Presses nothing.
   * @throws {LoginRefused} when the portal refuses the login; it was tried once
   * @throws {RotationError} login, portal-changed, portal-unavailable, configuration (another client), timeout
   */
  open(account: PortalAccount, signal: AbortSignal): Promise<DeveloperTools>;
  /** What a preflight reports of all that was opened, and not: which locator matched what, stage by stage. */
  findings(): readonly Finding[];
}

/** Developer Tools of the expected client. Each call first makes sure that the client id is the expected one. */
export interface DeveloperTools {
  /** Loads the page anew (after a crash or an expired session: opens it anew, logging in at most once more); the client secret that it shows. */
  look(signal: AbortSignal): Promise<string>;
  /** The client secret that the page shows now, without loading it anew. */
  shown(signal: AbortSignal): Promise<string>;
  /** Everything up to the press: Danger Zone, Rotate, the dialog and its instructions. */
  openRotateDialog(signal: AbortSignal): Promise<RotateDialog>;
  /** Everything up to the press as far as the portal profile lets a preflight go, and back. Throws as `openRotateDialog` does. */
  rehearse(signal: AbortSignal): Promise<void>;
  /** Bounded, and never throws. */
  close(): Promise<void>;
}

export interface Finding {
  name: string;
  ok: boolean;
  detail: string;
}

/** The open dialog, ready but for the press. */
export interface RotateDialog {
  /**
   * The one irreversible click. Resolves when the dialog has closed, or has said or shown that it has not worked; the outcome is
   * for the caller to observe. A rejection is `pressed: no` only where the click has certainly not been made.
   *
   * @param withinMs the click is made within this time, or not at all; default: whenever the page lets it
   */
  press(signal: AbortSignal, withinMs?: number): Promise<void>;
  /** Leaves without pressing. */
  cancel(signal: AbortSignal): Promise<void>;
}

export interface AccessToken {
  accessToken: string;
  tokenType: string;
  expiresAt: Date;
  scope: string | undefined;
}

/** The token endpoint's word on a client secret; `unreachable` is anything that is neither of the others. */
export type Verdict =
  | { verdict: 'accepted'; token: AccessToken }
  | { verdict: 'rejected'; detail: string }
  | { verdict: 'unreachable'; detail: string };

export interface TokenEndpoint {
  /** Asks for a token, within a deadline of its own; never throws. */
  mint(credentials: ClientCredentials, signal: AbortSignal): Promise<Verdict>;
}

export interface ClientCredentials {
  tokenEndpoint: string;
  clientId: string;
  clientSecret: string;
}

export interface EventPublisher {
  /** Whether there is anywhere to publish to. @throws {RotationError} configuration, where there certainly is not */
  prove(): Promise<void>;
  /** @throws {RotationError} category event or permission */
  publish(event: RotationEvent): Promise<void>;
}

export interface Clock {
  now(): Date;
  /** Never goes back; for intervals within an invocation. */
  monotonicMs(): number;
  /** @throws {RotationError} timeout, when the signal aborts */
  sleep(durationMs: number, signal: AbortSignal): Promise<void>;
}

/** A line per fact in the words of the vocabulary: login, observed, decided, press, stored, ... */
export type Log = (fact: string, detail?: Record<string, unknown>) => void;

export interface Ports {
  secrets: SecretStore;
  portal: Portal;
  tokens: TokenEndpoint;
  events: EventPublisher;
  clock: Clock;
  log: Log;
  /** From here on the redactor takes this value out of all that is printed. */
  learnSecret(value: string): void;
}
