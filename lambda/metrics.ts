import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';

/** What the alarms are made of; `infra/alarms.ts` reads them by these names. */
export interface RotationMetrics {
  /** One at the beginning of each step. A step that has told no end is under way, or was killed. */
  StepsStarted: number;
  /** One where a step ended as it should, or failed since its rotation was settled already: given up, or nothing to adopt. */
  StepsSucceeded: number;
  /** One where a step failed otherwise. */
  StepsFailed: number;
  /** AWSCURRENT has moved. */
  RotationsSucceeded: number;
  /** Failures that no retry mends: of `StepsFailed`. */
  FatalFailures: number;
  /** 1 or 0 for each preflight. */
  PreflightOk: number;
  /** 1 or 0 for each preflight that saw what the portal shows. */
  Drift: number;
  /** Days since AWSCURRENT was created, by each preflight. */
  DaysSinceRotation: number;
}

const metrics = new Metrics({ namespace: 'RotateClientSecret' });
// One function may rotate many secrets; the alarms of each go by the secret alone.
metrics.clearDefaultDimensions();

/**
 * Prints a line that CloudWatch makes metrics of.
 *
 * @param secret the ARN by which Secrets Manager and the preflight schedule name the secret
 * @see CloudWatch user guide, "Specification: Embedded metric format"
 */
export function printMetrics(secret: string, values: Partial<RotationMetrics>, now: Date): void {
  metrics.setTimestamp(now).addDimension('secret', secret);
  for (const [name, value] of Object.entries(values)) metrics.addMetric(name, MetricUnit.Count, value);
  metrics.publishStoredMetrics();
}
