import { z } from 'zod';
import type { ServiceEvent } from './secrets-manager.ts';

/** What the function logs: a line of JSON a fact. */
const logLine = z.looseObject({ fact: z.string(), step: z.string().optional() });

/** A line of the timeline: who says so, what, and what more there is to it. */
export interface TimelineEntry {
  source: string;
  fact: string;
  detail: string;
}

type Detail = Record<string, unknown>;

/** The facts that make up a rotation; the function logs more than a person wants to see. */
const told: Record<string, (detail: Detail) => string> = {
  login: () => 'logged in to the portal',
  'developer-tools': () => 'Developer Tools of the expected client',
  decided: ({ decision, why }) => `${decision}: ${why}`,
  'bridge-stored': ({ attempt }) => `slot taken, with a token for consumers; attempt ${attempt}`,
  press: () => 'the one irreversible click',
  stored: () => 'the new client secret is AWSPENDING',
  changeover: ({ changeoverMs }) => `${changeoverMs} ms from the press to AWSPENDING`,
  tested: () => 'the token endpoint accepts AWSPENDING',
  moved: () => 'AWSCURRENT is the new version',
  published: ({ type }) => `${type}.v1`,
  proved: () => 'old client secret rejected, new one accepted',
  drift: () => 'old or new client secret not as expected',
  released: () => 'AWSPENDING taken off',
  failed: ({ error }) => (error as { message?: string } | undefined)?.message ?? '',
  'not-published': ({ error }) => (error as { message?: string } | undefined)?.message ?? '',
};

/** @returns undefined where the line is not one that a person wants to see */
export function fromLogLine(line: string): TimelineEntry | undefined {
  if (!line.startsWith('{')) return { source: 'function', fact: 'printed', detail: line };
  const parsed = logLine.safeParse(JSON.parse(line));
  const tell = parsed.success ? told[parsed.data.fact] : undefined;
  if (!parsed.success || !tell) return undefined;
  return { source: parsed.data.step ?? 'function', fact: parsed.data.fact, detail: tell(parsed.data) };
}

export function fromServiceEvent({ type, versionId, reason }: ServiceEvent): TimelineEntry {
  return { source: 'Secrets Manager', fact: type, detail: reason ?? `version ${versionId.slice(0, 8)}` };
}
