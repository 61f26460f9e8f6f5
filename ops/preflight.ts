import { writeFile } from 'node:fs/promises';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { z } from 'zod';
import { OpsError } from './failure.ts';
import type { Session } from './session.ts';
import { columns } from './words.ts';

const reportSchema = z.object({
  ok: z.boolean(),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
  drift: z.boolean(),
  repairs: z.array(z.string()),
});

const failureSchema = z.object({ errorMessage: z.string() });

/**
 * Has the function look at everything up to the press, and shows its checklist. Presses nothing.
 *
 * @param save where the report is written, as JSON, for the one who runs this alone
 * @returns whether a rotation would succeed
 * @throws {OpsError} trouble, where the function itself fails; usage, where `save` cannot be written
 */
export async function preflight(session: Session, { save }: { save?: string } = {}): Promise<boolean> {
  const { arn } = await session.describe();
  const FunctionName = await session.functionName();
  // Before the minutes that it takes, not after them.
  if (save) await writeFile(save, '', { mode: 0o600, flag: 'a' }).catch(refuseFile);
  if (session.terminal.isInteractive)
    process.stderr.write('The function looks at the portal; this takes up to some minutes.\n');
  const Payload = JSON.stringify({ Step: 'preflight', SecretId: arn });
  const answer = await session.lambda.send(new InvokeCommand({ FunctionName, Payload }));
  const payload: unknown = JSON.parse(answer.Payload?.transformToString() || 'null');
  if (answer.FunctionError) {
    const said = failureSchema.safeParse(payload).data?.errorMessage ?? answer.FunctionError;
    throw new OpsError('trouble', `the function failed: ${said}`, 'read the function’s log');
  }
  const parsed = reportSchema.safeParse(payload);
  if (!parsed.success) {
    throw new OpsError('usage', `${FunctionName} does not answer as the rotation function does`, 'see --function');
  }
  const report = parsed.data;
  if (save) await writeFile(save, `${JSON.stringify(report, undefined, 2)}\n`, { mode: 0o600 });
  session.say(report, inWords(report));
  return report.ok;
}

function refuseFile({ message }: Error): never {
  throw new OpsError('usage', `the report cannot be written: ${message}`, 'name another file with --save');
}

function inWords({ ok, checks, repairs }: z.infer<typeof reportSchema>): string {
  const rows = checks.map(({ name, ok, detail }) => [`${ok ? ' ok ' : 'FAIL'}  ${name}`, detail] as const);
  return [
    columns(rows),
    ...repairs.map((repair) => `Repaired: ${repair}`),
    ok ? 'A rotation would succeed.' : 'A rotation would fail, or needs a person: see what failed above.',
  ].join('\n');
}
