import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { ClientSecretRotation } from './client-secret-rotation.ts';

/** Properties of a RotationDashboard. */
export interface RotationDashboardProps {
  /** What is shown, a section each. */
  readonly rotations: readonly ClientSecretRotation[];
}

/** Whether rotations and preflights succeed, how long each changeover took, and what failed. */
export class RotationDashboard extends Construct {
  /** The dashboard. */
  readonly dashboard: cloudwatch.Dashboard;

  constructor(scope: Construct, id: string, { rotations }: RotationDashboardProps) {
    super(scope, id);
    this.dashboard = new cloudwatch.Dashboard(this, 'Dashboard', { defaultInterval: Duration.days(90) });
    for (const rotation of rotations) this.dashboard.addWidgets(...section(rotation));
    for (const { logGroup } of new Set(rotations.map(({ rotationFunction }) => rotationFunction))) {
      const log = (title: string, queryLines: string[]) =>
        new cloudwatch.LogQueryWidget({
          title,
          logGroupNames: [logGroup.logGroupName],
          queryLines,
          width: 12,
          height: 8,
        });
      this.dashboard.addWidgets(
        log('From the press to AWSPENDING', [
          'fields @timestamp, secret, version, changeoverMs',
          'filter fact = "changeover"',
          'sort @timestamp desc',
          'limit 20',
        ]),
        log('What failed, and what to do', [
          'fields @timestamp, secret, step, error.message, error.action',
          'filter fact = "failed"',
          'sort @timestamp desc',
          'limit 20',
        ]),
      );
    }
  }
}

function section(rotation: ClientSecretRotation): cloudwatch.IWidget[] {
  const day = { period: Duration.days(1) };
  const graph = (title: string, left: cloudwatch.IMetric[]) =>
    new cloudwatch.GraphWidget({ title, left, width: 8, height: 6, leftYAxis: { min: 0 } });
  return [
    new cloudwatch.AlarmStatusWidget({
      title: rotation.node.path,
      alarms: [...rotation.alarms.all, rotation.rotationFunction.throttled],
      width: 24,
      height: 3,
    }),
    graph('Rotations', [rotation.metricRotationsSucceeded(day), rotation.metricFatalFailures(day)]),
    graph('Steps', [
      rotation.metricStepsStarted(day),
      rotation.metricStepsSucceeded(day),
      rotation.metricStepsFailed(day),
    ]),
    graph('Preflight', [
      rotation.metricPreflightOk(day),
      rotation.metricDrift(day),
      rotation.metricDaysSinceRotation(day),
    ]),
  ];
}
