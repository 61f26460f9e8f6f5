import { type Measured, type Strategy, strategies } from './measure.ts';

const width = 760;
const row = { height: 62, gap: 22 };
const plot = { left: 20, right: 20, top: 52 };
const span = { fromSeconds: -20, toSeconds: 100 };
/** Legible on a white page and on a dark one: the picture brings its own ground. */
const ink = { ground: '#ffffff', text: '#1f2933', faint: '#d5dbe1', fails: '#c2410c', holds: '#15803d' };

/** The share of calls that failed, by seconds since the press, a strip a strategy, as an SVG. Of the first setting that was measured. */
export function chart([measured]: readonly Measured[]): string {
  if (!measured) throw new Error('nothing was measured');
  const { name, factor } = measured.setting;
  const fromSeconds = span.fromSeconds * factor;
  const toSeconds = span.toSeconds * factor;
  const drawn = (Object.keys(strategies) as Strategy[]).map((strategy) => ({
    strategy,
    shares: sharesBySecond(measured, strategy, fromSeconds, toSeconds),
  }));
  const most = Math.max(0.05, ...drawn.flatMap(({ shares }) => shares));
  const x = (seconds: number) =>
    plot.left + ((seconds - fromSeconds) / (toSeconds - fromSeconds)) * (width - plot.left - plot.right);
  const height = plot.top + drawn.length * (row.height + row.gap) + 24;

  const strips = drawn.map(({ strategy, shares }, index) => {
    const bottom = plot.top + index * (row.height + row.gap) + row.height;
    const { failed, calls } = measured.reports[strategy];
    const color = failed > 0 ? ink.fails : ink.holds;
    const barWidth = Math.max(0.5, x(1) - x(0) - 0.6);
    const bars = shares.flatMap((share, second) => {
      const barHeight = (share / most) * (row.height - 18);
      if (share === 0) return [];
      const at = `x="${x(fromSeconds + second).toFixed(1)}" y="${(bottom - barHeight).toFixed(1)}"`;
      return [`<rect ${at} width="${barWidth.toFixed(1)}" height="${barHeight.toFixed(1)}" fill="${color}"/>`];
    });
    const told = `${failed.toLocaleString('en-US')} of ${calls.toLocaleString('en-US')} calls failed`;
    return [
      `<text x="${plot.left}" y="${bottom - row.height + 4}">${strategies[strategy]}</text>`,
      `<text x="${width - plot.right}" y="${bottom - row.height + 4}" text-anchor="end" fill="${color}" font-weight="600">${told}</text>`,
      `<line x1="${plot.left}" x2="${width - plot.right}" y1="${bottom}" y2="${bottom}" stroke="${failed > 0 ? ink.faint : color}"/>`,
      ...bars,
    ].join('\n');
  });

  const bottom = height - 36;
  const step = 20 * factor;
  const ticks = Array.from({ length: 7 }, (_, index) => fromSeconds + index * step).map(
    (seconds) => `<text x="${x(seconds)}" y="${height - 12}" text-anchor="middle">${round(seconds)} s</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="${ink.text}" role="img">
<title>Failed calls by seconds since the press</title>
<rect width="${width}" height="${height}" fill="${ink.ground}"/>
<text x="${plot.left}" y="20" font-size="14" font-weight="600">Share of calls that fail, by seconds since the press</text>
<text x="${width - plot.right}" y="20" text-anchor="end">${name}, ${measured.setting.rotations} rotations; highest bar ${Math.round(most * 100)} %</text>
<line x1="${x(0)}" x2="${x(0)}" y1="${plot.top - 16}" y2="${bottom}" stroke="${ink.text}" stroke-dasharray="2 3"/>
${strips.join('\n')}
${ticks.join('\n')}
</svg>
`;
}

/** A second belongs to the press before it, or to none: rotations follow one another here sooner than the strip is long. */
function sharesBySecond({ pressesAt, reports }: Measured, strategy: Strategy, from: number, to: number): number[] {
  const { seconds } = reports[strategy];
  const belongs = (index: number, offset: number) => {
    const [before = -Infinity, press = 0, next = Infinity] = [-1, 0, 1].map((step) => pressesAt[index + step]);
    const atMs = press + offset * 1_000;
    return offset < 0 ? atMs > before + to * 1_000 : atMs < next;
  };
  return Array.from({ length: Math.ceil(to - from) }, (_, index) => {
    const offset = from + index;
    const counted = pressesAt
      .filter((_, press) => belongs(press, offset))
      .map((atMs) => seconds[Math.floor(atMs / 1_000 + offset)] ?? [0, 0]);
    const [calls, failed] = [0, 1].map((which) => counted.reduce((total, pair) => total + (pair[which] ?? 0), 0));
    return calls ? (failed ?? 0) / calls : 0;
  });
}

const round = (seconds: number) => Number(seconds.toFixed(1));
