import { en as english } from 'zod/locales';
import * as z from 'zod/mini';

// The small form of zod, which starts in half the time, comes without messages.
z.config(english());

/** A text that is not empty. */
export const text = z.string().check(z.minLength(1));

/**
 * What the schema makes of the input.
 *
 * @param invalid makes the error of what is wrong: the path of each wrong key, never a value
 * @throws what `invalid` makes
 */
export function parse<Schema extends z.ZodMiniType>(
  schema: Schema,
  input: unknown,
  invalid: (what: string) => Error,
): z.infer<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw invalid(parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'value'}: ${message}`).join('; '));
}

/** As `parse`, of JSON. */
export function parseJson<Schema extends z.ZodMiniType>(
  schema: Schema,
  json: string,
  invalid: (what: string) => Error,
): z.infer<Schema> {
  let input: unknown;
  try {
    input = JSON.parse(json);
  } catch {
    // The parser's own message quotes the text.
    throw invalid('its value is not JSON');
  }
  return parse(schema, input, invalid);
}
