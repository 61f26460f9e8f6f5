/** What the alarms are made of; `infra/alarms.ts` reads them by these names. */
export interface Metrics {
  /** One at the beginning of each step. Without its `StepsSucceeded` the step failed, timed out or was killed. */
  StepsStarted: number;
  StepsSucceeded: number;
  /** AWSCURRENT has moved. */
  RotationsSucceeded: number;
  /** Failures that no retry mends. */
  FatalFailures: number;
  /** 1 or 0 for each preflight. */
  PreflightOk: number;
  /** 1 or 0 for each preflight. */
  Drift: number;
  /** Days since AWSCURRENT was created, by each preflight. */
  DaysSinceRotation: number;
}

/**
 * Prints a line that CloudWatch makes metrics of.
 *
 * @param secret the ARN by which Secrets Manager and the preflight schedule name the secret
 * @see CloudWatch user guide, "Specification: Embedded metric format"
 */
export function printMetrics(secret: string, metrics: Partial<Metrics>, now: Date): void {
  const Metrics = Object.keys(metrics).map((Name) => ({ Name }));
  const directive = { Namespace: 'RotateClientSecret', Dimensions: [['secret']], Metrics };
  console.log(
    JSON.stringify({ _aws: { Timestamp: now.getTime(), CloudWatchMetrics: [directive] }, secret, ...metrics }),
  );
}
