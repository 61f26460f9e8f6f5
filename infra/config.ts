import { z } from 'zod';

/**
 * The keys of cdk.json's `context`, or of `cdk --context KEY=VALUE`, where every value is a string.
 * A description is what an operator reads where the value does not fit it.
 */
const keys = {
  rotationIntervalDays: z.coerce
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(30)
    .describe('a whole number of days from 1 to 1000, which is what Secrets Manager takes'),
  portalProfileParameter: z
    .string()
    .regex(/^(?!\/?(aws|ssm))([\w.-]+|(\/[\w.-]+)+)$/i)
    .optional()
    .describe('the name, not the ARN, of an SSM parameter, such as /tradeaware/portal-profile'),
  evidenceBucketName: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/)
    .optional()
    .describe('the name, not the ARN, of an S3 bucket that exists'),
  preflightRepairs: z
    .union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')])
    .default(true)
    .describe('true or false'),
};
const configSchema = z.strictObject(keys);

/** What an operator decides before a deployment. */
export type Config = z.infer<typeof configSchema>;

/** Says which keys of the context are wrong and what to write instead, one line each. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * @param context the app's whole context. Ours are the keys of letters only: the CDK's own have a colon or a hyphen.
 * @throws ConfigError
 */
export function readConfig(context: Record<string, unknown>): Config {
  const ours = Object.entries(context).filter(([key]) => /^[a-z]+$/i.test(key));
  const parsed = configSchema.safeParse(Object.fromEntries(ours));
  if (parsed.success) return parsed.data;
  const lines = ours
    .map(([key, value]) => ({ key, value, type: keys[key as keyof typeof keys] as z.ZodType | undefined }))
    .filter(({ value, type }) => !type?.safeParse(value).success)
    .map(({ key, value, type }) =>
      type
        ? `  ${key} is ${JSON.stringify(value)}, but must be ${type.description}`
        : `  ${key} is no key of ours: remove it, or take one of ${Object.keys(keys).join(', ')}`,
    );
  throw new ConfigError(['Mend the context in cdk.json, or what --context says:', ...lines].join('\n'));
}
