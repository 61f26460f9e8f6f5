/**
 * Writes docs/reliability.md from what runs have recorded: `npm run reliability` appends their results to results.jsonl, then calls this.
 * A result replaces an earlier one of the same level and kind that covered no more.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Result } from '../record-results.ts';

const folder = 'test/reliability';
const page = 'docs/reliability.md';

const levels: Record<Result['level'], { title: string; text: string; command: string }> = {
  model: {
    title: 'The model',
    text: `The real steps run in an abstract world: versions and labels whose reads lag, a field that lags, presses that take effect late or never,
all four outcomes of propagation, skewed clocks, deaths between any two effects, lost answers, an invocation that was given up and runs on
beside its retry, people who rotate by hand, preflights and deployments in between. The promises are checked after every effect.`,
    command: 'npm run test:model',
  },
  effects: {
    title: 'Effects',
    text: `The real handler, real Chromium, simulated portal and services. Every call that leaves the process is a numbered boundary, found by
recording a rotation. At each: die before it, die after it, fail with each documented error, lose the answer after the effect. Then the
rotation is retried as Secrets Manager would.`,
    command: 'CASES=full npx vitest run test/reliability/effects.test.ts',
  },
  processes: {
    title: 'Processes',
    text: 'The same, ended with SIGKILL at moments spread over a rotation, dense around the press; then retried. No process and no file of it harms the next.',
    command: 'CASES=full npx vitest run test/reliability/kill.test.ts',
  },
  services: {
    title: 'Services',
    text: 'Throttling, 5xx, connections that break, slow answers, expired credentials, denied access, disabled keys, refused events: each on each operation.',
    command: 'CASES=full npx vitest run test/reliability/services.test.ts',
  },
};

/** The latest of each kind, unless an earlier one covered more. */
export function latest(lines: string): Result[] {
  const results = new Map<string, Result>();
  for (const line of lines.split('\n').filter(Boolean)) {
    const result = JSON.parse(line) as Result;
    const key = `${result.level} ${result.what.replace(/\d[\d,]*/g, '#')}`;
    const known = results.get(key);
    if (!known || known.cases <= result.cases) results.set(key, result);
  }
  return [...results.values()];
}

export function reliabilityPage(lines: string): string {
  const results = latest(lines);
  const variant = /^broken variant: /;
  const table = (head: string[], rows: string[][]) =>
    [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  const sections = Object.entries(levels).map(([level, { title, text, command }]) => {
    const ours = results.filter((result) => result.level === level && !variant.test(result.what));
    const rows = ours.map(({ what, cases, outcome, seconds }) => [
      what,
      cases.toLocaleString('en-US'),
      outcome,
      `${seconds} s`,
    ]);
    return `## ${title}\n\n${text}\n\n\`\`\`\n${command}\n\`\`\`\n\n${table(['What was injected, or varied', 'Cases', 'What happened', 'Took'], rows)}\n`;
  });
  const variants = results
    .filter(({ what }) => variant.test(what))
    .map(({ level, what, outcome }) => [what.replace(variant, ''), level, outcome.replace(/^caught: /, '')]);
  return `# Reliability

What is promised, and how it was tried. This page is made from the runs' own records (\`test/reliability/results.jsonl\`) by
\`npm run reliability\`; the suite repeats a part of each table, and another part of it each day.

1. **No loss**: a client secret that the provider considers valid is in Secrets Manager, or will be after the next run, without a person.
2. **One press** a rotation; a second only where the first provably had no effect; never more; never one that could not be verified or stored.
3. **AWSCURRENT works**: it never points to what the token endpoint did not accept; but for the changeover, AWSCURRENT or AWSPENDING is accepted.
4. **Convergence**: once faults stop, one more rotation, or one preflight and what it starts, ends in success and leaves nothing behind.
5. **Truthful events**: \`rotated.v1\` if and only if AWSCURRENT moved, at least once, with one id; no event claims what did not happen.
6. **No secret** in logs, events, errors, evidence, or on disk.

${sections.join('\n')}
## What would be noticed

Each rule was broken on purpose, in a copy of the code; this is what the checks above said of it.

${table(['Broken on purpose', 'Noticed by', 'As'], variants)}

## Mutation testing

\`npm run test:mutation\` changes the decisions and the order of effects, one at a time, and runs the tests of the decisions and the model. The
mutants that survive, and why: [test/mutation/survivors.md](../test/mutation/survivors.md).

## What is not covered

A press that takes effect later than \`lateEffectMs\` after it was left unanswered, and a person who rotates within seconds of a rotation, can cost
a superseded client secret for minutes: the next run adopts what the portal shows. The services are simulated from their documentation:
nothing here was tried in an AWS account, or with the provider itself.
`;
}

if (import.meta.main) writeFileSync(page, reliabilityPage(readFileSync(`${folder}/results.jsonl`, 'utf8')));
