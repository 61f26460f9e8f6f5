import { GetTopicAttributesCommand, PublishCommand, SNSClient, type SNSClientConfig } from '@aws-sdk/client-sns';
import { toCloudEvent, toEmailSubject, toEmailText } from '../events/cloudevent.ts';
import type { Clock, EventPublisher } from '../rotation/ports.ts';
import type { Redactor } from '../rotation/redact.ts';
import { fromAwsError } from './aws-error.ts';

/** SNS retries by itself; past this the step goes on, since events only make consumers quicker. */
const timeoutMs = 5_000;

/**
 * CloudEvents to an SNS topic: JSON for every protocol, text for e-mail, the attributes that filter policies go by.
 *
 * @see SNS developer guide, "Message filtering"
 */
export function eventPublisher(
  sdk: SNSClientConfig,
  topicArn: string,
  clock: Clock,
  redactor: Redactor,
  signal: AbortSignal,
): EventPublisher {
  const client = new SNSClient(sdk);
  const bounded = () => ({ abortSignal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) });
  return {
    async prove() {
      try {
        await client.send(new GetTopicAttributesCommand({ TopicArn: topicArn }), bounded());
      } catch (error) {
        const failure = fromAwsError(error, `topic ${topicArn}`, 'event');
        // An ARN that is no topic's, or another region's: rotated.v1 would be refused as well, when there is no way back.
        if (error instanceof Error && error.name.startsWith('InvalidParameter')) {
          const action = 'correct ROTATION_TOPIC_ARN: the topic must be in the region of the function';
          throw failure.with({ category: 'configuration', retryable: false, action });
        }
        if (failure.category === 'configuration') throw failure;
      }
    },

    async publish(event) {
      const cloudEvent = toCloudEvent(event, clock.now().toISOString());
      const attributes = {
        type: event.type,
        secret_name: event.data.secret_name,
        client_id: event.data.client_id,
        severity: event.severity,
      };
      const command = new PublishCommand({
        TopicArn: topicArn,
        Subject: toEmailSubject(cloudEvent),
        MessageStructure: 'json',
        Message: JSON.stringify({
          default: JSON.stringify(cloudEvent, redactor.replacer),
          email: redactor.redact(toEmailText(cloudEvent)),
        }),
        MessageAttributes: Object.fromEntries(
          Object.entries(attributes)
            .filter(([, value]) => value !== undefined)
            .map(([name, value]) => [name, { DataType: 'String', StringValue: value }]),
        ),
      });
      try {
        await client.send(command, bounded());
      } catch (error) {
        throw fromAwsError(error, `topic ${topicArn}: Publish ${event.type}`, 'event');
      }
    },
  };
}
