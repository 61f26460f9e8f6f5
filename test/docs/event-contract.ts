/** What subscribers get of the events' schema: JSON Schema, TypeScript types, and the tables of docs/events.md. */
import { z } from 'zod';
import { cloudEventSchema } from '../../lambda/events/cloudevent.ts';
import type { RotationEvent } from '../../lambda/rotation/rotation-event.ts';
import { table } from './page.ts';

type Schema = z.core.JSONSchema.JSONSchema;
type DataKey = keyof RotationEvent['data'];

/** What each key of `data` means. */
const meanings: Record<DataKey, string> = {
  secret_arn: 'ARN of the rotated secret',
  secret_name: 'its name',
  region: 'its AWS region',
  client_id: 'the OAuth client, where the secret could be read',
  version_id:
    "the version that the event is about: the rotation's ClientRequestToken; in a preflight AWSCURRENT's, empty where there is none",
  previous_version_id: 'the version that was AWSCURRENT before it',
  step: 'where in the rotation it was told',
  attempt:
    'tells one fact from the next like it: of presses their number, of a preflight its second since 1970, else 0',
  pressed: '`yes`, `no` or `unknown`: whether the one irreversible click was made',
  adopted: 'the client secret was found in the portal, not made by this rotation',
  changeover_ms: 'from the press to AWSPENDING being readable, in ms',
  existing_tokens_valid: 'access tokens that were issued before live on',
  previous_invalid_after: 'the client secret from before is rejected from then on, RFC 3339, UTC',
  error: '`category` (one word, the list may grow), `message`, `retryable`, `action` (what an operator does next)',
};

const literal = <Value extends string>({ def }: { def: { values: Value[] } }) => def.values[0] as Value;

export const types = cloudEventSchema.def.options.map((option) => literal(option.shape.type));

/**
 * The JSON Schema of each type. It lets keys through that it does not know, and any category of errors, since a v1 may get more of both.
 *
 * @see JSON Schema 2020-12, "Compound Documents": the schema of `data` has the `$id` that `dataschema` names
 */
export const schemas: ReadonlyMap<string, Schema> = new Map(
  cloudEventSchema.def.options.map((option) => {
    const type = literal(option.shape.type);
    const schema = z.toJSONSchema(option, {
      override({ jsonSchema, path }) {
        delete jsonSchema.additionalProperties;
        if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
        if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
        if (path.at(-1) !== 'category') return;
        jsonSchema.examples = jsonSchema.enum ?? [];
        delete jsonSchema.enum;
      },
    }) as Schema;
    const data = propertiesOf(schema).data ?? {};
    for (const [key, value] of Object.entries(propertiesOf(data))) value.description = meanings[key as DataKey];
    data.$id = literal(option.shape.dataschema);
    // The key order that a reader expects.
    const { $schema, ...rest } = schema;
    const { $id, ...ofData } = data;
    const properties = { ...propertiesOf(schema), data: { $id, ...ofData } } as NonNullable<Schema['properties']>;
    return [type, { ...($schema && { $schema }), title: type, ...rest, properties }];
  }),
);

function propertiesOf(schema: Schema | undefined): Record<string, Schema> {
  return (schema?.properties ?? {}) as Record<string, Schema>;
}

const short = (type: string) => type.split('.').slice(-2).join('.');

/** Which type carries which key. */
export function keyTable(): string {
  const carries = (type: string, key: string) => {
    const data = propertiesOf(schemas.get(type)).data;
    if (!propertiesOf(data)[key]) return '';
    return data?.required?.includes(key) ? 'always' : 'where known';
  };
  const rows = Object.entries(meanings).map(([key, meaning]) => {
    const by = Map.groupBy(types, (type) => carries(type, key));
    const always = by.get('always') ?? [];
    const known = by.get('where known') ?? [];
    const names = (list: string[]) =>
      list.length === types.length ? 'all' : list.map((type) => `\`${short(type)}\``).join(', ');
    return [`\`${key}\``, names(always), names(known), meaning];
  });
  return table([['key of `data`', 'always in', 'where known in', ''], ...rows]);
}

/** A TypeScript type, as Biome formats it. */
function typeOf(schema: Schema, indent: string): string {
  if (schema.const !== undefined) return `'${schema.const}'`;
  if (schema.enum) return schema.enum.map((value) => `'${value}'`).join(' | ');
  if (schema.type === 'integer') return 'number';
  if (schema.type !== 'object') return String(schema.type);
  return `{\n${membersOf(schema, `${indent}  `)}${indent}}`;
}

function membersOf(schema: Schema, indent: string, without: readonly string[] = []): string {
  return Object.entries(propertiesOf(schema))
    .filter(([key]) => !without.includes(key))
    .map(([key, value]) => {
      const optional = schema.required?.includes(key) ? '' : '?';
      return `${indent}${key}${optional}: ${typeOf(value, indent)};\n`;
    })
    .join('');
}

/** The module of consumer/ that has the events' types. */
export function typesModule(): string {
  const [first = {}] = schemas.values();
  const data = [...schemas].map(([type, schema]) => `  '${type}': ${typeOf(propertiesOf(schema).data ?? {}, '  ')};\n`);
  return `// Made from lambda/events/cloudevent.ts by test/docs/events.test.ts, which also says how to make it anew.

/** \`data\` by type: what each type carries, and what of it is always there. Keys that are not here may come: leave them alone. */
export interface RotationEventData {
${data.join('')}}

/** A CloudEvent of a rotation, of one type or of any. @see CloudEvents 1.0, "Context Attributes" */
export type RotationEvent<Type extends keyof RotationEventData = keyof RotationEventData> = {
  [Each in Type]: {
${membersOf(first, '    ', ['type', 'dataschema', 'data'])}    type: Each;
    dataschema: \`urn:schema:\${Each}\`;
    data: RotationEventData[Each];
  };
}[Type];
`;
}
