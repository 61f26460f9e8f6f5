import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack, type StackProps } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import featureFlags from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' };
import { ClientSecretRotation, type ClientSecretRotationProps } from '../../infra/client-secret-rotation.ts';
import { ClientSecretStack } from '../../infra/client-secret-stack.ts';
import { readConfig } from '../../infra/config.ts';
import { RotationFunction, type RotationFunctionProps } from '../../infra/rotation-function.ts';

/** The asset with Chromium is function-asset.test.ts's; here any code will do. */
const code = lambda.Code.fromInline('-');

const app = (context: Record<string, unknown> = {}) =>
  new App({ context: { ...featureFlags, ...context }, outdir: mkdtempSync(join(tmpdir(), 'cdk.out-')) });

type Given<Props> = (stack: Stack) => Props;

/** A stack with one rotation, and what is given for it. */
export function rotationStack(
  given: {
    function?: Given<RotationFunctionProps>;
    rotation?: Given<ClientSecretRotationProps>;
    stack?: StackProps;
  } = {},
): { stack: Stack; rotation: ClientSecretRotation } {
  const stack = new Stack(app(), 'Stack', given.stack);
  const rotationFunction = new RotationFunction(stack, 'Function', { code, ...given.function?.(stack) });
  const rotation = new ClientSecretRotation(stack, 'Rotation', { rotationFunction, ...given.rotation?.(stack) });
  return { stack, rotation };
}

let plain: Template | undefined;

/** The template of such a stack. Without anything given it is made once: that takes a second. */
export function templateOf(given?: Parameters<typeof rotationStack>[0]): Template {
  if (given) return Template.fromStack(rotationStack(given).stack);
  plain ??= Template.fromStack(rotationStack().stack);
  return plain;
}

/** What `cdk synth` makes of a context. `looked` is what cdk.context.json would hold. */
export function stackOf(
  context: Record<string, unknown> = {},
  looked: Record<string, unknown> = {},
): ClientSecretStack {
  return new ClientSecretStack(app(looked), 'ClientSecretRotation', { config: readConfig(context), code });
}

/** The logical id of the resource of this type, or of the one whose id has this part. */
export function idOf(template: Template, type: string, part = ''): string {
  const ids = Object.keys(template.findResources(type)).filter((id) => id.includes(part));
  if (ids.length !== 1) throw new Error(`${ids.length} resources of type ${type} with ${part}`);
  return String(ids[0]);
}
