// A Lambda function, subscribed to the topic, that replaces the containers which have the client secret in their environment.
import { ECSClient, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import type { RotationEvent } from 'oauth2-rotation-consumer';

const { SECRET_NAME = '', ECS_CLUSTER = '', ECS_SERVICE = '' } = process.env;
const ecs = new ECSClient();

export async function handler(event: { Records: { Sns: { Message: string } }[] }): Promise<void> {
  for (const { Sns } of event.Records) {
    const { type, data } = JSON.parse(Sns.Message) as RotationEvent;
    // The subscription's filter policy says the same; without one, every event would redeploy.
    if (type !== 'oauth2.client-secret.rotated.v1' || data.secret_name !== SECRET_NAME) continue;
    // Twice does no harm: the second deployment takes the place of the first. If it fails, Lambda tries again.
    await ecs.send(new UpdateServiceCommand({ cluster: ECS_CLUSTER, service: ECS_SERVICE, forceNewDeployment: true }));
    console.log(`redeploying ${ECS_SERVICE} with version ${data.version_id}`);
  }
}
