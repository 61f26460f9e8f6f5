/**
 * docs/security.md: what the function and a consumer may do is made from the synthesized template. After a change of it:
 * `npx vitest run test/docs/security.test.ts -u`, and read what changed.
 */
import { existsSync, readFileSync } from 'node:fs';
import type { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import { describe, expect, it } from 'vitest';
import { rotationStack, stackOf } from '../infra/synthesized.ts';
import { deadLinks } from './commands.ts';
import { filled, table } from './page.ts';

const pagePath = 'docs/security.md';
const page = readFileSync(pagePath, 'utf8');
const browser = readFileSync('lambda/portal/browser.ts', 'utf8');

interface Statement {
  Action: string | string[];
  Effect: string;
  Resource: unknown;
  Condition?: Record<string, Record<string, unknown>>;
}

/** Parts of the logical ids, and what they are to a reader. */
const names: [RegExp, string][] = [
  [/RotatedSecret/, 'rotated secret'],
  [/LoginSecret/, 'login secret'],
  [/BridgeSecret/, 'bridge secret'],
  [/SecretsKey/, "the secrets' key"],
  [/OperationsKey/, "the events' and logs' key"],
  [/Logs/, 'its log group'],
  [/Topic/, 'the topic'],
  [/^Function[0-9A-F]{8}$/, 'itself'],
];

function nameOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const { Ref: ref, 'Fn::GetAtt': attribute, 'Fn::Join': join } = value as Record<string, unknown>;
  if (join) return (join as [string, unknown[]])[1].map((part) => (typeof part === 'string' ? part : '…')).join('');
  const id = String(ref ?? (attribute as string[])[0]);
  const found = names.find(([part]) => part.test(id));
  if (!found) throw new Error(`nobody has named ${id}`);
  return found[1];
}

const listOf = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);

/** The statements that are in this role's policies. */
function statementsOf(stack: Stack, role: iam.IRole): Statement[] {
  const roleName = JSON.stringify(stack.resolve(role.roleName));
  const policies = stack.node.findAll().filter((each) => each instanceof iam.CfnPolicy);
  return policies
    .filter((policy) => JSON.stringify(stack.resolve(policy.roles)) === `[${roleName}]`)
    .flatMap((policy) => (stack.resolve(policy.policyDocument) as { Statement: Statement[] }).Statement);
}

function tableOf(statements: Statement[]): string {
  const rows = statements.map(({ Action, Resource, Condition = {} }) => {
    const conditions = Object.values(Condition).flatMap((keys) =>
      Object.entries(keys).map(([key, values]) => `\`${key}\`: ${listOf(values).map(nameOf).join(', ')}`),
    );
    return [listOf(Resource).map(nameOf).join(', '), listOf(Action).join(', '), conditions.join('; ')];
  });
  return table([['On', 'It may', 'Only with'], ...rows]);
}

function parts() {
  const { stack, rotation } = rotationStack();
  const role = new iam.Role(stack, 'Consumer', { assumedBy: new iam.AccountRootPrincipal() });
  rotation.grantConsume(role);
  const roleOfFunction = rotation.rotationFunction.function.role;
  if (!roleOfFunction) throw new Error('the function has no role');
  const [ofFunction, ofConsumer] = [statementsOf(stack, roleOfFunction), statementsOf(stack, role)];
  return { ofFunction, ofConsumer, texts: { function: tableOf(ofFunction), consumer: tableOf(ofConsumer) } };
}

describe('the security model', () => {
  it('has what the function and a consumer may do as it is in the template', async () => {
    const { ofFunction, ofConsumer, texts } = parts();
    expect(ofFunction.length).toBeGreaterThan(8);
    expect(ofConsumer.length).toBeGreaterThan(2);
    for (const { Effect } of [...ofFunction, ...ofConsumer]) expect(Effect).toBe('Allow');
    await expect(filled(page, texts)).toMatchFileSnapshot(`../../${pagePath}`);
  });

  it('says rightly that a consumer never reads the login', () => {
    expect(parts().texts.consumer).not.toContain('login secret |');
    expect(parts().ofConsumer.map(({ Action }) => Action)).not.toContain('*');
  });

  it('names the outputs of the stack that put a secret into a file', () => {
    const { Outputs } = Template.fromStack(stackOf()).toJSON() as { Outputs: Record<string, { Value: unknown }> };
    const toFile = Object.keys(Outputs).filter((id) => JSON.stringify(Outputs[id]?.Value).includes('file://'));
    expect(toFile).toHaveLength(2);
    for (const id of toFile) expect(page).toContain(`\`${id}\``);
  });

  it('says rightly which of its defences the browser keeps', () => {
    const flags = [...page.matchAll(/`(--[a-z-]+)`/g)].map(([, flag = '']) => flag);
    const sources = browser + readFileSync('lambda/portal/origins.ts', 'utf8');
    expect(flags.length).toBeGreaterThan(1);
    expect(flags.filter((flag) => !sources.includes(flag))).toEqual([]);
    expect(browser).not.toMatch(/--disable-web-security|--disable-site-isolation|--allow-running-insecure-content/);
    expect(browser).toMatch(/acceptDownloads: false,\s+serviceWorkers: 'block',\s+permissions: \[\]/);
  });

  it('has no dead links, and names tests that there are', () => {
    for (const [, path = ''] of page.matchAll(/`(test\/[\w/.-]+)`/g)) expect(existsSync(path), path).toBe(true);
    expect(deadLinks(pagePath)).toEqual([]);
  });
});
