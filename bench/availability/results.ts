import Table from 'cli-table3';
import { type Measured, type Report, type Strategy, strategies } from './measure.ts';

/** For a holder of a live token, at p99. */
const mostAddedMs = 50;
const ofTheLibrary: readonly Strategy[] = ['library', 'library-and-events', 'cold-starts'];

/** One strategy over all that was measured. */
interface Result {
  name: string;
  calls: number;
  failed: number;
  worstOutageSeconds: number;
  p99Ms: number;
  holdersP99Ms: number;
  slowestColdStartMs: number;
  coldStarts: number;
  coldFailed: number;
  /** By one consumer, in a time in which a token's life is a day. */
  secretReadsADay: number;
  mintsADay: number;
}

function resultOf(measured: readonly Measured[], strategy: Strategy): Result {
  const reports = measured.map(({ reports }) => reports[strategy]);
  const sum = (of: (report: Report) => number) => reports.reduce((total, report) => total + of(report), 0);
  const most = (of: (report: Report) => number) => Math.max(...reports.map(of));
  const days = measured.reduce((total, { setting, seconds }) => {
    return total + (setting.consumers * seconds) / setting.tokenLifeSeconds;
  }, 0);
  return {
    name: strategies[strategy],
    calls: sum(({ calls }) => calls),
    failed: sum(({ failed }) => failed),
    worstOutageSeconds: most(({ worstOutageMs }) => worstOutageMs) / 1_000,
    p99Ms: p99(reports.flatMap(({ addedMs }) => addedMs)),
    holdersP99Ms: p99(reports.flatMap(({ addedToHoldersMs }) => addedToHoldersMs)),
    slowestColdStartMs: most(({ slowestColdStartMs }) => slowestColdStartMs),
    coldStarts: sum(({ coldStarts }) => coldStarts),
    coldFailed: sum(({ coldFailed }) => coldFailed),
    secretReadsADay: sum(({ secretReads }) => secretReads) / days,
    mintsADay: sum(({ tokensMinted }) => tokensMinted) / days,
  };
}

const head = [
  ...['', 'failed calls', 'worst outage', 'p99 added', 'of them, with a live token', 'failed cold starts'],
  ...['Secrets Manager calls a day', 'tokens minted a day'],
];

function rows(measured: readonly Measured[]): string[][] {
  return (Object.keys(strategies) as Strategy[]).map((strategy) => {
    const result = resultOf(measured, strategy);
    const isCold = strategy === 'cold-starts';
    return [
      result.name,
      `${grouped(result.failed)} of ${grouped(result.calls)}`,
      result.failed === 0 ? 'none' : `${result.worstOutageSeconds.toFixed(1)} s`,
      isCold ? '' : ms(result.p99Ms),
      isCold ? '' : ms(result.holdersP99Ms),
      `${grouped(result.coldFailed)} of ${grouped(result.coldStarts)}`,
      isCold ? '' : result.secretReadsADay.toFixed(1),
      isCold ? '' : result.mintsADay.toFixed(1),
    ];
  });
}

/** For the terminal. */
export function table(measured: readonly Measured[]): string {
  const printed = new Table({
    head,
    style: { head: [], border: [] },
    wordWrap: true,
    colWidths: [30, 17, 9, 10, 12, 14, 12, 9],
  });
  printed.push(...rows(measured));
  return printed.toString();
}

/** For the README, between its markers. */
export function readmeBlock(measured: readonly Measured[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return `Six ways to get a token under the same rotations, measured by \`npm run bench:availability\`: a process for each with many consumers, the real
handler, a real Chromium, and the simulated provider, in which the old client secret dies and the new one comes alive after 0 to 30 s each.

${[line(head), line(head.map(() => '---')), ...rows(measured).map(line)].join('\n')}

${summary(measured)
  .map((text) => `- ${text}`)
  .join('\n')}

_Added_ is what a call waited for its token. Tokens live minutes here, so that rotations meet them at every age; a token's life stands for a day, the hour of
(b) is scaled with it, and a consumer is restarted about once in that time. With its real hour, (b) is out for up to an hour longer. With a day's tokens, fewer
consumers of (a) to (d) need one in a changeover; those that do are out as long.

![The share of calls that fail, by seconds since the press, for each way](docs/availability.svg)`;
}

/** What was run, in words. */
export function summary(measured: readonly Measured[]): string[] {
  return measured.map(({ setting, seconds, outcomes, kills, reports }) => {
    const succeeded = outcomes.filter((outcome) => outcome === 'succeeded').length;
    const slowest = ms(Math.max(...ofTheLibrary.map((strategy) => reports[strategy].slowestColdStartMs)));
    return (
      `${setting.name}: ${setting.rotations} rotations, ${succeeded} succeeded, the function killed around the press in ${kills}; ` +
      `${Math.round(seconds)} s, ${setting.consumers} consumers a strategy, tokens of ${setting.tokenLifeSeconds} s, propagation up to ` +
      `${30 * setting.factor} s; slowest cold start with the library ${slowest}.`
    );
  });
}

/** @returns what did not hold; nothing where all did */
export function judge(measured: readonly Measured[]): string[] {
  // Where nothing is pressed, nobody fails.
  const idle = measured.filter(({ setting, pressesAt }) => pressesAt.length < setting.rotations);
  const missing = idle.map(({ setting: { name, rotations }, pressesAt }) => {
    return `${name}: ${pressesAt.length} presses in ${rotations} rotations`;
  });
  const failures = ofTheLibrary.flatMap((strategy) => {
    const { name, calls, failed, coldFailed, holdersP99Ms } = resultOf(measured, strategy);
    const wanted = measured.reduce((total, { setting }) => total + setting.calls, 0);
    return [
      ...(failed > 0 ? [`${name}: ${failed} failed calls`, ...reasonsOf(measured, strategy)] : []),
      ...(coldFailed > 0 ? [`${name}: ${coldFailed} failed cold starts`] : []),
      ...(strategy === 'cold-starts' ? [] : tooSlow(name, holdersP99Ms)),
      ...(strategy !== 'cold-starts' && calls < wanted ? [`${name}: ${calls} calls, ${wanted} wanted`] : []),
    ];
  });
  return [...missing, ...failures];
}

function reasonsOf(measured: readonly Measured[], strategy: Strategy): string[] {
  return measured.flatMap(({ setting, reports }) => {
    return Object.entries(reports[strategy].reasons).map(
      ([reason, times]) => `  ${setting.name}, ${times} times: ${reason}`,
    );
  });
}

function tooSlow(name: string, holdersP99Ms: number): string[] {
  return holdersP99Ms <= mostAddedMs ? [] : [`${name}: ${ms(holdersP99Ms)} added at p99 to holders of a live token`];
}

/** By nearest rank. */
function p99(of: readonly number[]): number {
  return of.toSorted((a, b) => a - b)[Math.ceil(of.length * 0.99) - 1] ?? Number.NaN;
}

const grouped = (number: number) => number.toLocaleString('en-US');
const ms = (value: number) =>
  value < 10 ? `${value.toFixed(1)} ms` : `${Math.round(value).toLocaleString('en-US')} ms`;
