/** docs/deploying.md: what it says of commands, options, resources and costs, held to the programs, the configuration and the template. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import {
  CancelRotateSecretCommand,
  CreateSecretCommand,
  DescribeSecretCommand,
  RotateSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ConfigError, readConfig } from '../../infra/config.ts';
import { startSecretsManager } from '../../local/secrets-manager.ts';
import { stackOf } from '../infra/synthesized.ts';
import { commandsOf, deadLinks, faultIn } from './commands.ts';

const pagePath = 'docs/deploying.md';
const page = readFileSync(pagePath, 'utf8');
const resourcesOf = (of: Template) => Object.values(of.toJSON().Resources as Record<string, Resource>);
const template = Template.fromStack(stackOf());
const resources = resourcesOf(template);

interface Resource {
  Type: string;
  Properties: Record<string, unknown>;
  DeletionPolicy?: string;
}

/** The rows of the table with this heading. */
function rowsUnder(heading: string): string[][] {
  const [, after = ''] = page.split(`\n| ${heading} |`);
  const [table = ''] = after.split('\n\n');
  return table
    .split('\n')
    .slice(2)
    .map((row) => row.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')));
}

const countByType = (list: Resource[]) =>
  Object.fromEntries([...Map.groupBy(list, ({ Type }) => Type)].map(([type, { length }]) => [type, length]));

interface Metric {
  Namespace?: string;
  MetricName?: string;
}

/** The metrics that the alarms are paid by, an entry for each time that one goes by it. */
const alarmMetrics = (list: Resource[]): Metric[] =>
  list
    .filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm')
    .flatMap(({ Properties }) => {
      const parts = Properties.Metrics as { MetricStat?: { Metric: Metric } }[] | undefined;
      return parts ? parts.flatMap(({ MetricStat }) => MetricStat?.Metric ?? []) : [Properties as Metric];
    });

describe('the commands', () => {
  it('exist, with the options that they are given', async () => {
    const commands = [...new Set(commandsOf(page))];
    expect(commands.length).toBeGreaterThan(25);
    for (const command of commands) expect({ command, fault: await faultIn(command) }).toEqual({ command });
  });

  it.each([
    ['npm run opps -- status', 'there is no script opps'],
    ['npm run ops -- status --sekret x', 'there is no --sekret'],
    ['npx cdk deplore', 'cdk has no deplore'],
    ['aws secretsmanager rotate-secrets', 'aws secretsmanager has no rotate-secrets'],
    ['aws secretsmanager rotate-secret --now', 'aws secretsmanager rotate-secret has no --now'],
    ['aws astrology describe-stars', 'aws astrology has no describe-stars'],
    ['sudo reboot', 'nobody knows sudo'],
  ])('%s would be noticed', async (command, fault) => {
    expect(await faultIn(command)).toBe(fault);
  });

  it('use only variables that the page explains, and stack outputs that there are', () => {
    const used = new Set(commandsOf(page).flatMap((command) => command.match(/\$[A-Z]+/g) ?? []));
    expect(used.size).toBeGreaterThan(4);
    expect([...used].filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
    const outputs = [...page.matchAll(/`(\w+Arn)`/g)]
      .map(([, name = '']) => name)
      .filter((name) => /^[A-Z]/.test(name));
    expect(outputs.length).toBeGreaterThan(4);
    expect(outputs.filter((name) => !(name in template.toJSON().Outputs))).toEqual([]);
  });

  const SecretId = 'client';
  const RotationLambdaARN = 'arn:aws:lambda:us-east-1:000000000000:function:rotation';
  const configured = { SecretId, RotationRules: { AutomaticallyAfterDays: 30 }, RotateImmediately: false };

  /** A secret, and the steps that Secrets Manager asks for; createSecret fails. */
  async function deployed() {
    const steps: string[] = [];
    const service = await startSecretsManager({
      retries: 0,
      invoke: async ({ Step }) => {
        steps.push(Step);
        if (Step === 'createSecret') throw new Error('refused');
      },
    });
    const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
    const client = new SecretsManagerClient({ endpoint: service.url, region: 'us-east-1', credentials });
    onTestFinished(async () => {
      client.destroy();
      await service.close();
    });
    await client.send(new CreateSecretCommand({ Name: SecretId, SecretString: '{}' }));
    await client.send(new RotateSecretCommand({ ...configured, RotationLambdaARN }));
    const asked = async () => {
      await service.rotationSettled(SecretId);
      return steps.splice(0);
    };
    expect(await asked()).toEqual(['testSecret']);
    return { client, asked };
  }

  it('pause and resume without a rotation', async () => {
    const { client, asked } = await deployed();
    const rotationEnabled = async () =>
      (await client.send(new DescribeSecretCommand({ SecretId }))).RotationEnabled ?? false;
    await client.send(new CancelRotateSecretCommand({ SecretId }));
    expect(await rotationEnabled()).toBe(false);
    await client.send(new RotateSecretCommand(configured));
    expect(await rotationEnabled()).toBe(true);
    expect(await asked()).toEqual(['testSecret']);
  });

  it('take up a rotation that is unfinished, as the page warns', async () => {
    const { client, asked } = await deployed();
    await client.send(new RotateSecretCommand({ SecretId }));
    expect(await asked()).toEqual(['createSecret']);
    const refusal = await client.send(new RotateSecretCommand(configured)).catch((error: Error) => error.message);
    expect(page).toContain(`"${String(refusal).replace(/\.$/, '')}"`);
    expect(await asked()).toEqual(['createSecret']);
  });
});

describe('the options', () => {
  const rows = rowsUnder('Key | Default | What it is');
  const documented = rows.flatMap(([keys = '', value = '']) =>
    [...keys.matchAll(/`(\w+)`/g)].map(([, key = '']): [string, string] => [key, value]),
  );

  it('are those of the configuration', () => {
    try {
      readConfig({ unknown: 1 });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      const [, known = ''] = /one of (.*)/.exec((error as Error).message) ?? [];
      expect(documented.map(([key]) => key).toSorted()).toEqual(known.split(', ').toSorted());
    }
  });

  it('have the defaults that the page says', () => {
    const defaults = documented.filter(([, value]) => value !== 'none');
    expect(Object.fromEntries(defaults.map(([key, value]) => [key, JSON.parse(value.slice(1, -1))]))).toEqual(
      readConfig({}),
    );
  });

  it('of the example are taken', () => {
    const [, example = ''] = /```json\n(.*?)\n```/s.exec(page) ?? [];
    const { clientSecrets, rotationIntervalDays, vpc } = readConfig(JSON.parse(example));
    expect([Object.keys(clientSecrets), rotationIntervalDays, vpc]).toEqual([['Orders', 'Reports'], 14, 'new']);
  });
});

describe('the costs', () => {
  const rows = rowsUnder('Resource | Number | Why it is there | A month').map(
    ([type = '', count, why, price = '']) => ({
      type: type.replaceAll('`', ''),
      count: Number(count),
      why,
      price,
    }),
  );
  const priced = rows.flatMap(({ type, price }) => {
    const [, number, unit, product] = /^(\d+) × ([\d.]+) = ([\d.]+)$/.exec(price) ?? [];
    return number === undefined ? [] : [{ type, number: Number(number), unit: Number(unit), product: Number(product) }];
  });

  it('name every resource of a deployment with its number, and why it is there', () => {
    expect(Object.fromEntries(rows.map(({ type, count }) => [type, count]))).toEqual(countByType(resources));
    expect(rows.filter(({ why, price }) => !why || !price)).toEqual([]);
  });

  it('are the sum of what each costs', () => {
    expect(priced).toHaveLength(4);
    for (const { number, unit, product } of priced) expect(number * unit).toBeCloseTo(product, 5);
    const sum = priced.reduce((all, { product }) => all + product, 0);
    expect(page).toContain(`Together ${sum.toFixed(2)}.`);
  });

  const unitOf = (wanted: string) => priced.find(({ type }) => type === wanted)?.unit ?? 0;

  it('of alarms go by their metrics, and of metrics by what the function prints', () => {
    const metrics = alarmMetrics(resources);
    expect(priced.find(({ type }) => type === 'AWS::CloudWatch::Alarm')?.number).toBe(metrics.length);
    const printed = metrics.filter(({ Namespace }) => Namespace === 'RotateClientSecret');
    const count = new Set(printed.map(({ MetricName }) => MetricName)).size;
    expect(page).toContain(`${count} × 0.30 = ${(count * 0.3).toFixed(2)} if they were told hourly`);
  });

  it('of another client secret are what it adds', () => {
    const costOf = (context: Record<string, unknown>) => {
      const all = resourcesOf(Template.fromStack(stackOf(context)));
      const { 'AWS::CloudWatch::Alarm': _, ...counts } = countByType(all);
      const costs = Object.entries(counts).map(([type, count = 0]) => count * unitOf(type));
      return costs.reduce((sum, cost) => sum + cost, alarmMetrics(all).length * unitOf('AWS::CloudWatch::Alarm'));
    };
    const added = [true, false].map((sharedFunction) => {
      const [one, two] = [{ A: {} }, { A: {}, B: {} }].map((clientSecrets) =>
        costOf({ clientSecrets, sharedFunction }),
      );
      return (Number(two) - Number(one)).toFixed(2);
    });
    const [, ...documented] = /Another client secret adds ([\d.]+): .* it adds ([\d.]+)\./.exec(page) ?? [];
    expect(documented).toEqual(added);
  });

  it('of the function go by its memory', () => {
    const memoryMb = resources.find(({ Type }) => Type === 'AWS::Lambda::Function')?.Properties.MemorySize;
    const [, number, seconds, memoryGb, product, price, total] =
      /(\d+) × (\d+) s × (\d+) GB = (\d+) GB-s at ([\d.]+) = ([\d.]+)\./.exec(page)?.map(Number) ?? [];
    expect(memoryMb).toBe(Number(memoryGb) * 1024);
    expect(Number(number) * Number(seconds) * Number(memoryGb)).toBe(product);
    expect((Number(product) * Number(price)).toFixed(2)).toBe(Number(total).toFixed(2));
  });
});

it('memory and /tmp that are to be tried are those of the function', () => {
  const fn = resources.find(({ Type }) => Type === 'AWS::Lambda::Function')?.Properties;
  // Without EphemeralStorage Lambda gives 512 MB.
  expect(fn).not.toHaveProperty('EphemeralStorage');
  expect(page).toContain(`| ${Number(fn?.MemorySize) / 1024} GB of memory and 512 MB of \`/tmp\` are enough.`);
});

it('what stays after the stack is what the page says', () => {
  const consumers = ['arn:aws:iam::444455556666:role/orders'];
  const withConsumer = Template.fromStack(stackOf({ clientSecrets: { Rotation: { consumers } } }));
  const retained = resourcesOf(withConsumer)
    .filter(({ DeletionPolicy }) => DeletionPolicy === 'Retain')
    .map(({ Type }) => Type);
  const [, line = ''] = /^These stay.*?: (.*?)\. /m.exec(page) ?? [];
  expect(line.split(', ').toSorted()).toEqual([...new Set(retained)].map((type) => `\`${type}\``).toSorted());
});

it('the actions that an operator needs are those of the calls that the commands make', () => {
  const [, section = ''] = page.split('\n## What an operator needs\n');
  const documented = [...(section.split('\n## ')[0] ?? '').matchAll(/`(\w+:\w+)`/g)].map(([, action]) => action);
  const calls = readdirSync('ops').flatMap((name) => {
    const imports = readFileSync(`ops/${name}`, 'utf8').matchAll(
      /import \{([^}]+)\} from '@aws-sdk\/client-([a-z-]+)'/g,
    );
    return [...imports].flatMap(([, names = '', service = '']) =>
      [...names.matchAll(/\b(?:(\w+)Command|paginate(\w+))\b/g)].map(
        ([, call, paged]) => `${service.replace(/^cloudwatch-|-/g, '')}:${call ?? paged}`,
      ),
    );
  });
  const actions = calls.map((call) => (call === 'lambda:Invoke' ? 'lambda:InvokeFunction' : call));
  const besides = ['secretsmanager:CancelRotateSecret', 'kms:Decrypt', 'kms:GenerateDataKey'];
  expect(documented.toSorted()).toEqual([...new Set([...actions, ...besides])].toSorted());
});

it('the tests that tell whether an update of Chromium is safe are there', () => {
  const tests = [...page.matchAll(/`(test\/[\w/.-]+\.test\.ts)`/g)].map(([, path = '']) => path);
  expect(tests).toHaveLength(3);
  expect(tests.filter((path) => !existsSync(path))).toEqual([]);
});

it('no link is dead', () => {
  expect(deadLinks(pagePath)).toEqual([]);
});
