/**
 * docs/runbook.md: its tables are made from the source of the errors, its quotes of alarms from the synthesized template. After a change of
 * either: `npx vitest run test/docs/runbook.test.ts -u`, and read what changed.
 */
import { readFileSync } from 'node:fs';
import type { Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as events from 'aws-cdk-lib/aws-events';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { describe, expect, it } from 'vitest';
import { RotationSubscription, RotationTarget } from '../../infra/rotation-subscription.ts';
import { fromAwsError } from '../../lambda/aws/aws-error.ts';
import type { Sight } from '../../lambda/rotation/1a-observe.ts';
import { decide } from '../../lambda/rotation/1b-decide.ts';
import { parseLoginSecret } from '../../lambda/rotation/client-secret.ts';
import { categories, RotationError } from '../../lambda/rotation/rotation-error.ts';
import { rotationStack } from '../infra/synthesized.ts';
import { commandsOf, deadLinks, faultIn } from './commands.ts';
import { filled, table } from './page.ts';
import { rotationSources, type ThrownError, thrownErrors } from './thrown-errors.ts';

const pagePath = 'docs/runbook.md';
const page = readFileSync(pagePath, 'utf8');
const errors = thrownErrors(rotationSources());

/** A message or description with what CloudFormation fills in as `…`. */
function wordsOf(stack: Stack, text: unknown): string {
  const resolved: unknown = stack.resolve(text);
  if (typeof resolved === 'string') return resolved;
  const [, parts] = (resolved as { 'Fn::Join': [string, unknown[]] })['Fn::Join'];
  return parts.map((part) => (typeof part === 'string' ? part : '…')).join('');
}

/** What calls a person: the alarms, and the messages that a rule sends to a topic. */
function calls(): Record<string, string> {
  const { stack, rotation } = rotationStack();
  const target = RotationTarget.queue(new sqs.Queue(stack, 'Queue'));
  new RotationSubscription(stack, 'Subscription', { topic: rotation.topic, target });
  const constructs = stack.node.findAll();
  const alarms = constructs.flatMap((each): [string, string][] =>
    each instanceof cloudwatch.CfnAlarm
      ? [[each.node.scope?.node.id ?? '', wordsOf(stack, each.alarmDescription)]]
      : [],
  );
  const messages = constructs.flatMap((each): [string, string][] => {
    if (!(each instanceof events.CfnRule)) return [];
    const targets = (stack.resolve(each.targets) ?? []) as { arn: { Ref?: string }; input?: unknown }[];
    return targets
      .filter(({ arn }) => arn.Ref !== undefined)
      .map(({ input }) => [
        each.node.scope?.node.id.replace(/Event$/, '') ?? '',
        wordsOf(stack, input).replace(/^"|"$/g, ''),
      ]);
  });
  return Object.fromEntries([...alarms, ...messages]);
}

const cell = (text: string) => text.replaceAll('|', '\\|');
const retries: Record<string, string> = { true: 'yes', false: 'no' };

function categoryTable(category: string): string {
  const rows = errors
    .filter((error) => error.category === category)
    .map(({ what, pressed, retryable, action }) => [
      what === '…' ? '_anything else_' : cell(what),
      pressed === '…' ? 'as it was' : pressed.replace(/ or (?=.* or )/g, ', '),
      retries[retryable] ?? retryable,
      cell(action),
    ]);
  return table([['Message', 'Pressed', 'Retry', 'Next'], ...rows]);
}

const parts = () => ({
  ...Object.fromEntries(Object.entries(calls()).map(([name, text]) => [`alarm ${name}`, `> ${text}`])),
  ...Object.fromEntries([...categories, '…'].map((category) => [`category ${category}`, categoryTable(category)])),
});

/** What stands between this heading and the next. */
const sectionOf = (heading: string) => page.split(`\n### ${heading}\n`)[1]?.split('\n## ')[0]?.split('\n### ')[0] ?? '';

/** Whether the row is about this very error. */
function isRowOf(row: ThrownError, { category, what, retryable, pressed, action }: RotationError): boolean {
  const matches = (text: string, pattern: string, end = '$') =>
    new RegExp(`^${pattern.split('…').map(RegExp.escape).join('.*')}${end}`, 's').test(text);
  return (
    row.category === category &&
    row.retryable === String(retryable) &&
    row.pressed.split(' or ').includes(pressed) &&
    row.action.split(' / ').some((each) => matches(action, each)) &&
    matches(what, row.what, '')
  );
}

const withoutRow = (thrown: RotationError[]) =>
  thrown.filter((error) => !errors.some((row) => isRowOf(row, error))).map(({ message }) => message);

const thrownBy = (act: () => unknown): RotationError => {
  try {
    act();
  } catch (error) {
    if (error instanceof RotationError) return error;
  }
  throw new Error('nothing was thrown');
};

describe('the runbook', () => {
  it('is what the code makes of it', async () => {
    await expect(filled(page, parts())).toMatchFileSnapshot(`../../${pagePath}`);
  });

  it('has an entry for every category and every alarm, which says what to do', () => {
    for (const category of categories) expect(sectionOf(category)).toMatch(/\*\*What happened:\*\*.*\*\*Do:\*\*/s);
    const alarms = Object.keys(calls());
    expect(alarms.length).toBeGreaterThanOrEqual(7);
    for (const name of alarms) expect(sectionOf(name)).toMatch(/\*\*Pressed:\*\*.*\*\*Do:\*\*/s);
  });

  it('sends whoever has a message of the browser to its section', () => {
    const portal = readFileSync('docs/portal.md', 'utf8');
    const inPortal = categories.filter((category) => portal.includes(`\n### ${category}\n`));
    expect(inPortal.length).toBeGreaterThan(4);
    for (const category of inPortal) expect(sectionOf(category)).toContain(`(portal.md#${category})`);
  });

  it('names only commands that exist, with options that they have', async () => {
    const commands = [...new Set(commandsOf(page))];
    expect(commands.length).toBeGreaterThan(4);
    for (const command of commands) expect({ command, fault: await faultIn(command) }).toEqual({ command });
  });

  it('has no dead links', () => {
    expect(deadLinks(pagePath)).toEqual([]);
  });
});

describe('no error is missing', () => {
  it('every place that makes one has a row', () => {
    const literals = rotationSources().flatMap((source) => [...source.matchAll(/\b(?:what|action):\s*'([^']+)'/g)]);
    expect(literals.length).toBeGreaterThan(15);
    const rows = errors.flatMap(({ what, action }) => [what, action]).join('\n');
    expect(literals.map(([, text = '']) => text).filter((text) => !rows.includes(text))).toEqual([]);
  });

  it('every failure that createSecret decides upon has a row', () => {
    const limits = { propagationMs: 30_000, lateEffectMs: 60_000, secondLookMarginMs: 10_000 };
    const verdicts = ['accepted', 'rejected', 'unreachable'] as const;
    const slots = [undefined, 1_000, 3_600_000, 10 ** 9].map(
      (ageMs) => ageMs && { ageMs, ofThisCurrent: true, settled: false },
    );
    const sights = verdicts.flatMap((verdict) =>
      (['current', 'other'] as const).flatMap((shown) =>
        [...verdicts, 'not asked' as const].flatMap((currentVerdict) =>
          [0, 100_000].flatMap((steadyMs) =>
            slots.flatMap((slot) =>
              [0, 2].flatMap((armedForThisRotation) =>
                [true, false].map((adoptOnly): Sight => {
                  const known = { verdict, shown, currentVerdict, steadyMs, armedForThisRotation, adoptOnly };
                  return { pending: 'empty', ...known, slot: slot || undefined };
                }),
              ),
            ),
          ),
        ),
      ),
    );
    const decisions = [...sights, { pending: 'copy' } as const].map((sight) => decide(sight, limits));
    const thrown = decisions.flatMap((decision) => {
      if ('error' in decision) return [decision.error];
      return 'otherwise' in decision ? [decision.otherwise] : [];
    });
    expect(new Set(thrown.map(({ what }) => what.replace(/\d+/g, ''))).size).toBeGreaterThanOrEqual(9);
    expect(withoutRow(thrown)).toEqual([]);
  });

  it('every answer of AWS, and a secret that is no JSON, has a row', () => {
    const names = [
      'AccessDeniedException',
      'KMSDisabledException',
      'ExpiredTokenException',
      'ResourceNotFoundException',
      'Other',
    ];
    const answers = names.map((name) => {
      const answer = Object.assign(new Error('no'), { name, $metadata: { requestId: 'r' } });
      return fromAwsError(answer, 'secret x: PutSecretValue', 'secret-store');
    });
    expect(withoutRow([...answers, thrownBy(() => parseLoginSecret('x', '-'))])).toEqual([]);
  });

  it('an error without a row would be noticed', () => {
    const known = decide({ pending: 'copy' }, { propagationMs: 1, lateEffectMs: 1, secondLookMarginMs: 1 });
    const error = 'error' in known ? known.error : undefined;
    const strange = error?.with({ what: 'the moon is in the way' });
    expect(withoutRow(strange ? [strange] : [])).toHaveLength(1);
  });

  it('the source is understood: helpers, choices, defaults, spreads', () => {
    const source = `
      class Special extends RotationError {}
      const words: Words = ['spread', 'look'];
      export function outer(run: Run, kind: Category = 'event') {
        const refuse = (what: string, action: string, category: Category = 'configuration') =>
          new RotationError({ category, what, retryable: false, pressed: category === 'event' ? 'yes' : 'no', action });
        if (run) throw refuse(\`\${run.step} is \${run.late ? 'late' : 'early'}\`, 'wait');
        if (run) throw refuse(...words, 'event');
        throw new Special({ category: kind, what: 'special', retryable: true, pressed: run.pressed, action: 'none' });
      }
      outer(run, 'timeout');
      outer(run);`;
    expect(thrownErrors([source]).map((error) => Object.values(error).join(' | '))).toEqual([
      'configuration | … is late | false | no | wait',
      'configuration | … is early | false | no | wait',
      'event | spread | false | yes | look',
      'timeout | special | true | … | none',
      'event | special | true | … | none',
    ]);
  });

  it('an error that is made in a way that is not understood is refused', () => {
    expect(() => thrownErrors(['throw new RotationError(failure);'])).toThrow('made of a Identifier');
  });
});
