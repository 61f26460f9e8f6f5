import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CloudEvent } from '../../lambda/events/cloudevent.ts';
import { findCanaries } from '../../local/canaries.ts';
import type { TestEnvironment } from '../harness.ts';

/** What the services saw that the invariants speak of; values stay in here. */
export class Ledger {
  /** Client secrets as the provider issued them; the first is the initial one. */
  readonly issued: string[] = [];
  /** Those of them with which a token was minted. */
  readonly accepted = new Set<string>();
  /** Versions of the rotated secret with their client secret. */
  readonly stored = new Map<string, string | undefined>();
  /** Versions that became AWSCURRENT, in order; the first was there before. */
  readonly current: string[] = [];
  /** Requests to rotate, with the AWSCURRENT under which they came and the rotation that ran. */
  readonly requests: { current: string; token: string; at: number; hadEffect: boolean }[] = [];
  readonly violations: string[] = [];
  /** The rotation that runs. */
  token = '';

  async begin(environment: TestEnvironment): Promise<void> {
    const { provider } = environment.provider;
    this.issued.push(provider.issuedSecret());
    const { AWSCURRENT: current = '' } = await environment.labels();
    this.current.push(current);
    this.stored.set(current, provider.issuedSecret());
    provider.onFact((fact) => {
      if (fact.fact === 'rotate-requested') {
        this.requests.push({ current: this.current.at(-1) ?? '', token: this.token, at: fact.at, hadEffect: false });
      } else if (fact.fact === 'press' || fact.fact === 'rotated-by-hand') {
        this.issued.push(provider.issuedSecret());
        const request = this.requests.at(-1);
        if (fact.fact === 'press' && request) request.hadEffect = true;
      } else if (fact.fact === 'token-minted') {
        this.accepted.add(this.issued[fact.secretNumber - 1] ?? '');
      }
    });
  }

  /** A write to the rotated secret that had its effect. */
  wrote(operation: string, input: Record<string, unknown>): void {
    if (operation === 'PutSecretValue') {
      const { client_secret } = JSON.parse(String(input.SecretString)) as { client_secret?: string };
      this.stored.set(String(input.ClientRequestToken), client_secret);
      const labels = (input.VersionStages ?? ['AWSCURRENT']) as string[];
      if (labels.includes('AWSCURRENT')) this.#moved(String(input.ClientRequestToken));
    }
    const to = input.MoveToVersionId;
    if (operation === 'UpdateSecretVersionStage' && input.VersionStage === 'AWSCURRENT') this.#moved(String(to));
  }

  #moved(to: string): void {
    if (this.current.at(-1) !== to) {
      this.current.push(to);
      if (!this.accepted.has(this.stored.get(to) ?? '')) {
        this.violations.push(`AWSCURRENT moved to ${to}, whose client secret the token endpoint had not accepted`);
      }
    }
  }
}

/** What of issue "Crash safety" does not hold once faults have stopped and one more rotation has succeeded; empty where all does. */
export async function violations(
  environment: TestEnvironment,
  ledger: Ledger,
  functionDirectory: string,
): Promise<string[]> {
  const found = [...ledger.violations];
  const claim = (holds: boolean, otherwise: string) => {
    if (!holds) found.push(otherwise);
  };
  const { provider } = environment.provider;
  const labels = await environment.labels();

  const current = await environment.value({ label: 'AWSCURRENT' });
  claim(
    current?.client_secret === provider.issuedSecret(),
    'AWSCURRENT is not the secret that the provider holds valid',
  );
  claim([undefined, labels.AWSCURRENT].includes(labels.AWSPENDING), 'AWSPENDING is left behind');
  claim(labels.ROTATED_DUE === undefined, 'ROTATED_DUE is left behind');

  for (const generation of new Set(ledger.requests.map((request) => request.current))) {
    const requests = ledger.requests.filter((request) => request.current === generation);
    claim(requests.length <= 2, `${requests.length} presses for one AWSCURRENT`);
    claim(
      !requests.slice(0, -1).some(({ hadEffect }) => hadEffect),
      'a second press although the first had its effect',
    );
  }
  claim(Object.keys(provider.counters.otherClicks).length === 0, 'another dangerous button was pressed');

  const events = await environment.events();
  found.push(...untruths(events, ledger));

  const secrets = new Map(ledger.issued.map((secret, number) => [`client secret ${number + 1}`, secret]));
  secrets.set('password', environment.provider.login.password);
  const printed = findCanaries(environment.printed.join('\n'), secrets);
  claim(printed.length === 0, `printed: ${printed.join(', ')}`);
  const written = findCanaries(await contentsOf(functionDirectory), secrets);
  claim(written.length === 0, `on disk: ${written.join(', ')}`);
  return found;
}

/** Events that claim what did not happen, and moves that no event tells. */
function untruths(events: readonly CloudEvent[], ledger: Ledger): string[] {
  const found: string[] = [];
  const moved = new Set(ledger.current.slice(1));
  const told = events.filter(({ type }) => type.endsWith('.rotated.v1'));
  for (const version of moved) {
    const ids = new Set(told.filter(({ data }) => data.version_id === version).map(({ id }) => id));
    if (ids.size !== 1) found.push(`the move of AWSCURRENT to ${version} was told under ${ids.size} ids`);
  }
  for (const { type, time, data } of events) {
    const pressedBy = ledger.requests.filter(({ token, at }) => token === data.version_id && at <= Date.parse(time));
    if (type.endsWith('.rotated.v1') && !moved.has(data.version_id)) found.push('rotated.v1 without a move');
    if (type.endsWith('.pending.v1') && !ledger.stored.get(data.version_id)) found.push('pending.v1 without a value');
    if (data.pressed === 'yes' && pressedBy.length === 0) found.push(`${type}: pressed: yes, without a press`);
    if (data.pressed === 'no' && pressedBy.length > 0) {
      found.push(`${type} of ${data.step}: pressed: no, after a press: ${data.error?.message}`);
    }
  }
  return found;
}

/** All that an invocation may have written, Chromium itself apart, which is linked to. */
async function contentsOf(directory: string): Promise<string> {
  let contents = '';
  for (const name of await readdir(directory).catch(() => [])) {
    const path = join(directory, name);
    const entry = await lstat(path).catch(() => undefined);
    if (entry?.isDirectory()) contents += await contentsOf(path);
    else if (entry?.isFile()) contents += await readFile(path, 'latin1').catch(() => '');
  }
  return contents;
}
