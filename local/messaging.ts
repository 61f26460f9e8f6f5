import type { AddressInfo } from 'node:net';
import { buildApp } from 'fauxqs';
import { z } from 'zod';
import type { Intercept } from './secrets-manager.ts';

export type MessagingOptions = {
  /** Called before an SNS action; a fault is answered and the action has no effect. `input` is the request's parameters. */
  intercept?: Intercept;
  /** Called after an SNS action succeeded; a fault is answered although the action had its effect. */
  interceptAfter?: Intercept;
};

export type LocalMessaging = {
  /** For `endpoint` or `AWS_ENDPOINT_URL_SNS`, `AWS_ENDPOINT_URL_SQS` and `AWS_ENDPOINT_URL_S3`. */
  url: string;
  close(): Promise<void>;
};

const snsAction = z.looseObject({ Action: z.string() });

const structuredPublish = z.object({
  Action: z.literal('Publish'),
  MessageStructure: z.literal('json'),
  Message: z.string(),
});

/** "Non-string values will cause the key to be ignored" (Publish, MessageStructure). */
const textPerProtocol = z.object({ default: z.string(), sqs: z.string().optional().catch(undefined) });

/**
 * SNS, SQS and S3 on loopback: fauxqs, with SNS's `MessageStructure: json` added for Publish (not for PublishBatch).
 * Only SQS subscribers are delivered to. Account 000000000000; the region is that of each request's signature.
 * @see Amazon SNS API reference, Publish
 */
export async function startMessaging(options: MessagingOptions = {}): Promise<LocalMessaging> {
  // Not startFauxqs: it listens on every interface, and hides the server that the hooks need.
  const app = buildApp({ logger: false });
  app.addHook('preHandler', async (request, reply) => {
    const action = snsAction.safeParse(request.body).data;
    const fault = action && (await options.intercept?.(action.Action, action));
    if (fault === 'drop') {
      request.raw.socket.destroy();
      return reply.hijack();
    }
    if (fault) return reply.status(fault.status).type('text/xml').send(queryError(fault.type, fault.message));
    const given = structuredPublish.safeParse(request.body);
    if (!given.success) return;
    const text = textForSqs(given.data.Message);
    if ('refusal' in text) return reply.status(400).type('text/xml').send(queryError('InvalidParameter', text.refusal));
    request.body = { ...(request.body as object), Message: text.text };
  });
  app.addHook('onSend', async (request, reply, payload) => {
    const action = reply.statusCode === 200 ? snsAction.safeParse(request.body).data : undefined;
    const fault = action && (await options.interceptAfter?.(action.Action, action));
    if (fault === 'drop') request.raw.socket.destroy();
    if (!fault || fault === 'drop') return payload;
    reply.status(fault.status);
    return queryError(fault.type, fault.message);
  });
  // The SDK sends to a queue's own URL where its endpoint comes from the environment, and not every machine resolves
  // fauxqs's `sqs.<region>.localhost`.
  app.addHook('onSend', async (_request, _reply, payload) =>
    typeof payload === 'string' ? payload.replaceAll(/http:\/\/sqs\.[\w-]+\.localhost:\d+\//g, `${url()}/`) : payload,
  );
  const url = () => `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  await app.listen({ port: 0, host: '127.0.0.1' });
  return { url: url(), close: () => app.close() };
}

/** What an SQS subscriber gets of a structured message: the text under `sqs`, else under `default`, which must be there. */
function textForSqs(message: string): { text: string } | { refusal: string } {
  let texts: z.infer<typeof textPerProtocol> | undefined;
  try {
    texts = textPerProtocol.safeParse(JSON.parse(message)).data;
  } catch {
    return { refusal: 'Invalid parameter: Message Structure - JSON message body failed to parse' };
  }
  if (!texts) return { refusal: 'Invalid parameter: Message Structure - No default entry in JSON message body' };
  return { text: texts.sqs ?? texts.default };
}

/** An error of the AWS query protocol, which SNS speaks. */
function queryError(code: string, message: string): string {
  const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error>`;
  return `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">${error}</ErrorResponse>`;
}
