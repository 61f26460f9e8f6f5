import * as z from 'zod/mini';
import { categories } from './rotation-error.ts';
import { steps } from './rotation-event.ts';

/** What each key holds where it is there. */
export const eventDataKeys = {
  secret_arn: z.string(),
  secret_name: z.string(),
  region: z.string(),
  client_id: z.string(),
  version_id: z.string(),
  previous_version_id: z.string(),
  step: z.enum([...steps, 'preflight']),
  attempt: z.int().check(z.nonnegative()),
  pressed: z.enum(['yes', 'no', 'unknown']),
  adopted: z.boolean(),
  changeover_ms: z.int().check(z.nonnegative()),
  existing_tokens_valid: z.boolean(),
  previous_invalid_after: z.iso.datetime(),
  error: z.strictObject({
    category: z.enum(categories),
    message: z.string(),
    retryable: z.boolean(),
    action: z.string(),
  }),
};

/** `data` of the events. Never a secret, a token, or a hash of one. */
export const eventDataSchema = z.partial(z.strictObject(eventDataKeys), {
  client_id: true,
  previous_version_id: true,
  pressed: true,
  adopted: true,
  changeover_ms: true,
  existing_tokens_valid: true,
  previous_invalid_after: true,
  error: true,
});

export type EventData = z.infer<typeof eventDataSchema>;
