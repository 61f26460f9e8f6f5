import * as z from 'zod';
import { categories } from './rotation-error.ts';
import { steps } from './rotation-event.ts';

/** `data` of the events. Never a secret, a token, or a hash of one. */
export const eventDataSchema = z.strictObject({
  secret_arn: z.string(),
  secret_name: z.string(),
  region: z.string(),
  client_id: z.string().optional(),
  version_id: z.string(),
  previous_version_id: z.string().optional(),
  step: z.enum([...steps, 'preflight']),
  attempt: z.int().nonnegative(),
  pressed: z.enum(['yes', 'no', 'unknown']).optional(),
  adopted: z.boolean().optional(),
  changeover_ms: z.int().nonnegative().optional(),
  existing_tokens_valid: z.boolean().optional(),
  previous_invalid_after: z.iso.datetime().optional(),
  error: z
    .strictObject({
      category: z.enum(categories),
      message: z.string(),
      retryable: z.boolean(),
      action: z.string(),
    })
    .optional(),
});

export type EventData = z.infer<typeof eventDataSchema>;
