import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { RotationDashboard } from '../../infra/dashboard.ts';
import type { RotationMetrics } from '../../lambda/metrics.ts';
import { idOf, rotationStack, templateOf } from './synthesized.ts';

interface Alarm {
  AlarmDescription: unknown;
  AlarmActions: unknown[];
  OKActions: unknown[];
  TreatMissingData: string;
  EvaluationPeriods: number;
  Threshold: number;
  Period?: number;
  MetricName?: string;
  Metrics?: { Expression?: string; MetricStat?: { Metric: { MetricName: string }; Period: number } }[];
}

function alarmsOf(template: Template): Record<string, Alarm> {
  return Object.fromEntries(
    Object.entries(template.findResources('AWS::CloudWatch::Alarm')).map(([id, { Properties }]) => [
      id.replace(/^(RotationAlarms|Function)|[0-9A-F]{8}$/g, ''),
      Properties as Alarm,
    ]),
  );
}

describe('alarms', () => {
  test('each names its condition, the next action and what it is about, and calls somebody, also when it is over', () => {
    const template = templateOf();
    const topic = { Ref: idOf(template, 'AWS::SNS::Topic', 'Alarm') };
    const alarms = alarmsOf(template);
    expect(Object.keys(alarms).sort()).toEqual([
      'Drift',
      'PreflightFailing',
      'RotationFailed',
      'RotationOverdue',
      'RotationReportedFailed',
      'Throttled',
    ]);
    for (const { AlarmDescription, AlarmActions, OKActions } of Object.values(alarms)) {
      expect(JSON.stringify(AlarmDescription)).toMatch(
        /^\{"Fn::Join":\["",\["[A-Z].*\. Next: \w.*\. (Secret|Function) ".*"(Ref|Fn::GetAtt)":/,
      );
      expect(JSON.stringify(AlarmDescription).length).toBeLessThan(1024);
      expect([AlarmActions, OKActions]).toEqual([[topic], [topic]]);
    }
  });

  test('what the function does not say has a meaning for each', () => {
    const missing = Object.entries(alarmsOf(templateOf())).map(([id, { TreatMissingData }]) => [id, TreatMissingData]);
    expect(Object.fromEntries(missing)).toEqual({
      RotationFailed: 'ignore', // it lasts until a rotation succeeds
      RotationOverdue: 'ignore', // from one preflight to the next
      Drift: 'ignore',
      PreflightFailing: 'breaching', // a preflight that does not run is not in order
      RotationReportedFailed: 'notBreaching',
      Throttled: 'notBreaching',
    });
  });

  test('every metric is one that the function prints, or a service’s own', () => {
    const printed: (keyof RotationMetrics)[] = [
      'StepsStarted',
      'StepsSucceeded',
      'StepsFailed',
      'RotationsSucceeded',
      'FatalFailures',
      'PreflightOk',
      'Drift',
      'DaysSinceRotation',
    ];
    const used = Object.values(alarmsOf(templateOf())).flatMap(({ MetricName, Metrics = [] }) => [
      MetricName,
      ...Metrics.map(({ MetricStat }) => MetricStat?.Metric.MetricName),
    ]);
    const known = new Set<string | undefined>([...printed, 'Throttles', 'TriggeredRules', undefined]);
    expect(used.filter((name) => !known.has(name))).toEqual([]);
    expect(printed.filter((name) => !used.includes(name))).toEqual([]);
  });

  type Sums = Partial<Record<'started' | 'succeeded' | 'failed' | 'fatal' | 'rotated' | 'reported', number>>;

  /** CloudWatch's IF and FILL, over the sums of one window. Undefined is no point. */
  function pointOf(alarm: string, sums: Sums): number | undefined {
    const { Metrics = [] } = alarmsOf(templateOf())[alarm] ?? {};
    const expression = Metrics.find(({ Expression }) => Expression)?.Expression ?? '';
    const script = expression
      .replaceAll(/FILL\((\w+),0\)/g, '(sums.$1 ?? 0)')
      .replaceAll(' OR ', ' || ')
      .replace(/^IF\(/, 'when(');
    const when = (condition: boolean, value: number, otherwise?: number) => (condition ? value : otherwise);
    const value: unknown = new Function('sums', 'when', `return ${script}`)(sums, when);
    return value === undefined ? undefined : Number(value);
  }

  test.each<[string, Sums, number]>([
    ['no rotation', {}, 0],
    ['a rotation', { rotated: 1 }, 0],
    ['a failure', { reported: 1 }, 1],
    ['a failure, and a rotation after or before it', { reported: 1, rotated: 1 }, 0],
  ])('of Secrets Manager’s own reports, %s: %j gives %s', (_what, sums, expected) => {
    expect(pointOf('RotationReportedFailed', sums)).toBe(expected);
    expect(alarmsOf(templateOf()).RotationReportedFailed?.Threshold).toBe(1);
  });

  describe('a failed rotation', () => {
    /** Without a point the alarm stays as it is. */
    const raised = (sums: Sums): boolean | undefined => {
      const value = pointOf('RotationFailed', sums);
      return value === undefined ? undefined : value >= 1;
    };

    test.each<[string, Sums, boolean | undefined]>([
      ['a rotation at the first try', { started: 4, succeeded: 4, rotated: 1 }, false],
      ['a step under way', { started: 1 }, undefined],
      ['a retry that succeeds', { started: 5, succeeded: 4, failed: 1, rotated: 1 }, false],
      ['a retry that is under way', { started: 2, failed: 1 }, undefined],
      ['a third try that is under way', { started: 3, failed: 2 }, undefined],
      ['a third try that is under way, and succeeds step by step', { started: 5, succeeded: 2, failed: 2 }, undefined],
      ['three retries, the last of which succeeds', { started: 7, succeeded: 4, failed: 3, rotated: 1 }, false],
      ['a third failure', { started: 3, failed: 3 }, true],
      ['a third failure of which the first has left the window', { started: 2, failed: 2 }, undefined],
      ['a third failure in testSecret', { started: 9, succeeded: 6, failed: 3 }, true],
      ['a third try that is under way after two kills', { started: 3 }, undefined],
      ['a fourth try after three kills', { started: 4 }, true],
      ['a fourth try after three kills in testSecret', { started: 6, succeeded: 2 }, true],
      ['a rotation that was given up is tried again', { started: 5, succeeded: 5 }, undefined],
      ['a failure that no retry mends', { started: 1, failed: 1, fatal: 1 }, true],
      [
        'a fatal failure, then a rotation by hand',
        { started: 5, succeeded: 4, failed: 1, fatal: 1, rotated: 1 },
        false,
      ],
    ])('%s: %j gives %s', (_what, sums, expected) => {
      expect(raised(sums)).toBe(expected);
    });
  });

  test('drift waits for the repair where there is one', () => {
    const periods = (preflightRepairs: boolean) =>
      alarmsOf(templateOf({ function: () => ({ preflightRepairs }) })).Drift?.EvaluationPeriods;
    expect([periods(true), periods(false)]).toEqual([2, 1]);
  });

  test('overdue follows the interval', () => {
    expect(alarmsOf(templateOf({ rotation: () => ({ rotationIntervalDays: 7 }) })).RotationOverdue?.Threshold).toBe(9);
  });

  test('an abandoned rotation, which CloudTrail tells, calls somebody with the next action', () => {
    const template = templateOf();
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['aws.secretsmanager'],
        'detail-type': ['AWS Service Event via CloudTrail'],
        detail: {
          eventName: ['RotationAbandoned'],
          additionalEventData: { SecretId: [{ Ref: 'RotationRotatedSecret1AEAB3FA' }] },
        },
      },
    });
    const [rule] = Object.values(
      template.findResources('AWS::Events::Rule', {
        Properties: { EventPattern: { detail: { eventName: ['RotationAbandoned'] } } },
      }),
    );
    expect(rule?.Properties.Targets[0].Arn).toEqual({ Ref: idOf(template, 'AWS::SNS::Topic', 'Alarm') });
    expect(JSON.stringify(rule?.Properties.Targets[0].Input)).toContain(
      'Next: let nothing but the rotation function write',
    );
  });
});

test('the dashboard shows every alarm, and what failed', () => {
  const { stack, rotation } = rotationStack();
  new RotationDashboard(stack, 'Dashboard', { rotations: [rotation] });
  const [dashboard] = Object.values(Template.fromStack(stack).findResources('AWS::CloudWatch::Dashboard'));
  const body = JSON.stringify(dashboard?.Properties.DashboardBody);
  for (const id of Object.keys(Template.fromStack(stack).findResources('AWS::CloudWatch::Alarm')))
    expect(body).toContain(id);
  for (const name of ['RotationsSucceeded', 'StepsFailed']) expect(body).toContain(name);
  expect(body).toContain('error.action');
});
