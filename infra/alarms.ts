import { Duration, Validations } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import type * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { ClientSecretRotation } from './client-secret-rotation.ts';

type AlarmProps = Omit<cloudwatch.AlarmProps, 'alarmDescription'>;

/** An alarm that tells the topic when it begins and when it is over. @param description the condition and the next action */
export function addAlarm(
  scope: Construct,
  id: string,
  alarmTopic: sns.ITopic | undefined,
  alarmDescription: string,
  props: AlarmProps,
): cloudwatch.Alarm {
  const alarm = new cloudwatch.Alarm(scope, id, { alarmDescription, ...props });
  if (alarmTopic) {
    alarm.addAlarmAction(new SnsAction(alarmTopic));
    alarm.addOkAction(new SnsAction(alarmTopic));
  }
  return alarm;
}

/** Properties of RotationAlarms. */
export interface RotationAlarmsProps {
  /** What is watched. */
  readonly rotation: ClientSecretRotation;

  /** Days from one rotation to the next. */
  readonly rotationIntervalDays: number;
}

/** Secrets Manager rotates in the night of the day that is due, and retries. */
const graceDays = 2;

/**
 * What calls a person about one client secret: each alarm names the condition and the next action. A retry that succeeds in time calls nobody.
 *
 * CloudWatch moves the window of an alarm on by the minute, whatever its period.
 * @see CloudWatch user guide, "Evaluating an alarm"
 */
export class RotationAlarms extends Construct {
  /** The alarms, for a dashboard. */
  readonly all: readonly cloudwatch.Alarm[];

  constructor(scope: Construct, id: string, { rotation, rotationIntervalDays }: RotationAlarmsProps) {
    super(scope, id);
    const { preflightRepairs, alarmTopic } = rotation.rotationFunction;
    const about = `Secret ${rotation.rotatedSecret.secretArn}.`;
    const alarm = (alarmId: string, condition: string, next: string, props: AlarmProps) =>
      addAlarm(this, alarmId, alarmTopic, `${condition} Next: ${next} ${about}`, props);
    const failed = this.serviceEvent(rotation, 'RotationFailed');
    const abandoned = this.serviceEvent(rotation, 'RotationAbandoned');
    Validations.of(abandoned).acknowledge({
      id: 'Annotation::@aws-cdk/aws-events:ruleUnresolvedEnvironment',
      reason: 'A topic that exists has to be in the account and region of the stack: docs/deploying.md, "Options".',
    });
    abandoned.addTarget(
      new targets.SnsTopic(alarmTopic, {
        message: events.RuleTargetInput.fromText(
          `Secrets Manager abandoned a rotation: something else created a version of the secret while it ran. Next: let nothing but the rotation function write to it, run preflight, and start a rotation: it adopts what the portal shows. ${about}`,
        ),
      }),
    );

    const sixHours = { period: Duration.hours(6) };
    const day = { period: Duration.days(1) };
    this.all = [
      alarm(
        'RotationFailed',
        'A rotation failed three times, or once for good, and has not succeeded since.',
        'do what `next:` says in the latest rotation-failed event, or in the log of the function.',
        {
          metric: new cloudwatch.MathExpression({
            // Without a point where neither: as the window moves on, failures leave it one by one, and fewer are no success.
            // @see CloudWatch user guide, "Using math expressions with CloudWatch metrics", IF without a falseValue
            // A step that was killed has not said so; of four that have not succeeded, the last may be under way.
            expression:
              'IF(FILL(rotated,0)>0 OR FILL(failed,0)>=3 OR FILL(started,0)-FILL(succeeded,0)>=4 OR FILL(fatal,0)>=1,FILL(rotated,0)==0)',
            usingMetrics: {
              started: rotation.metricStepsStarted(),
              succeeded: rotation.metricStepsSucceeded(),
              failed: rotation.metricStepsFailed(),
              fatal: rotation.metricFatalFailures(),
              rotated: rotation.metricRotationsSucceeded(),
            },
            label: 'failing',
            ...sixHours,
          }),
          threshold: 1,
          evaluationPeriods: 1,
          // It stays until a rotation succeeds.
          treatMissingData: cloudwatch.TreatMissingData.IGNORE,
        },
      ),
      alarm(
        'RotationReportedFailed',
        'Secrets Manager itself reported a failed rotation, and none has succeeded since.',
        'where no other alarm tells more, the function could not be invoked: see its permission, its state and its log.',
        {
          metric: new cloudwatch.MathExpression({
            expression: 'IF(FILL(rotated,0)>0,0,FILL(reported,0))',
            usingMetrics: {
              reported: new cloudwatch.Metric({
                namespace: 'AWS/Events',
                metricName: 'TriggeredRules',
                dimensionsMap: { RuleName: failed.ruleName },
                statistic: cloudwatch.Stats.SUM,
              }),
              rotated: rotation.metricRotationsSucceeded(),
            },
            label: 'reported',
            ...sixHours,
          }),
          threshold: 1,
          evaluationPeriods: 1,
          treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
        },
      ),
      alarm(
        'RotationOverdue',
        `The client secret has not been rotated for ${rotationIntervalDays + graceDays} days.`,
        'see whether rotation is enabled, and what the last rotation-failed event says; then start a rotation.',
        {
          metric: rotation.metricDaysSinceRotation(day),
          threshold: rotationIntervalDays + graceDays,
          evaluationPeriods: 1,
          treatMissingData: cloudwatch.TreatMissingData.IGNORE,
        },
      ),
      alarm(
        'Drift',
        'The portal shows another client secret than AWSCURRENT: consumers may fail as soon as their tokens expire.',
        'start a rotation: it adopts what the portal shows, without a press; and find out who rotated by hand.',
        {
          metric: rotation.metricDrift(day),
          threshold: 1,
          // The first preflight that sees it starts the rotation that mends it, where it may.
          evaluationPeriods: preflightRepairs ? 2 : 1,
          treatMissingData: cloudwatch.TreatMissingData.IGNORE,
        },
      ),
      alarm(
        'PreflightFailing',
        'For two days no preflight found all in order, or none ran: the next rotation would fail.',
        'fill the secrets if that has not been done; otherwise run preflight by hand and do what its checks say.',
        {
          metric: rotation.metricPreflightOk(day),
          comparisonOperator: cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
          threshold: 1,
          evaluationPeriods: 2,
          // Nobody watches where no preflight runs.
          treatMissingData: cloudwatch.TreatMissingData.BREACHING,
        },
      ),
    ];
  }

  /**
   * What Secrets Manager itself says of this secret, as far as CloudTrail is on.
   *
   * @see Secrets Manager user guide, "AWS CloudTrail entries for Secrets Manager"
   */
  private serviceEvent(rotation: ClientSecretRotation, eventName: string): events.Rule {
    return new events.Rule(this, `${eventName}Event`, {
      description: `Secrets Manager says: ${eventName}`,
      eventPattern: {
        source: ['aws.secretsmanager'],
        detailType: ['AWS Service Event via CloudTrail'],
        detail: { eventName: [eventName], additionalEventData: { SecretId: [rotation.rotatedSecret.secretArn] } },
      },
    });
  }
}
